"""A clinic at work for the story tests: people log in through HTTP, mail lies in a real folder, ticks run."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client

from appointments.cells import fill_slots
from appointments.holds import settle_holds
from appointments.models import Location, Practitioner, Schedule
from appointments.openings import offer_openings
from clinic_journey.demo.mail import institute_mail
from journeys.watch import watch_steps
from outreach.actions import open_tasks, plan_attempts
from outreach.dispatch import dispatch, recover
from outreach.models import Attempt
from patients.actions import CardAnswers, save_card
from patients.models import Channel, Clinic, Patient, Role
from referrals.arrivals import match_documents
from referrals.mailbox import fetch
from tests import builders

TICKS: tuple[Callable[..., object], ...] = (
    fetch,
    match_documents,
    watch_steps,
    settle_holds,
    offer_openings,
    open_tasks,
    plan_attempts,
    recover,
    dispatch,
)
WEEKDAYS = (6, 0, 1, 2, 3)
MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)  # 10:00 in Jerusalem


def run_once(now: datetime) -> None:
    for tick in TICKS:
        tick(now=now)


def run_twice(now: datetime) -> None:
    """Every tick again at once: what was done is done."""
    for tick in TICKS:
        tick(now=now)
        tick(now=now)


def run_by_two_workers(now: datetime) -> None:
    """Every tick in two threads with a connection each, at the same time."""

    def work(tick: Callable[..., object]) -> None:
        try:
            tick(now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        for tick in TICKS:
            list(workers.map(work, [tick, tick]))


@dataclass
class House:
    """One clinic with a receptionist, a doctor and a manager; `run` is the way its ticks run."""

    run: Callable[[datetime], None]
    clinic: Clinic = field(init=False)
    doctor: Practitioner = field(init=False)
    staff: dict[str, User] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        call_command("load_catalogue", verbosity=0)
        call_command("load_messages", verbosity=0)
        self.clinic = builders.clinic(intake_address="results@alon.example", language="en")
        for role in (Role.RECEPTIONIST, Role.DOCTOR, Role.MANAGER):
            user = builders.user(role, at=self.clinic, first_name=role.title())
            self.staff[role] = user
            if role == Role.DOCTOR:
                self.doctor = Practitioner.objects.create(clinic=self.clinic, user=user, name="Dr Cohen")
        room = Location.objects.create(clinic=self.clinic, name="1")
        for weekday in WEEKDAYS:
            Schedule.objects.create(
                practitioner=self.doctor,
                location=room,
                weekday=weekday,
                start=time(9),
                end=time(18),
                valid_from=MONDAY.date(),
            )
        fill_slots(MONDAY)

    def dana(self, **card: Any) -> Patient:
        """Dana Levi reads messages on weekdays, from nine in the morning to eight in the evening."""
        patient = builders.patient(self.clinic, language="en")
        windows = tuple((weekday, time(9), time(20)) for weekday in WEEKDAYS)
        answers = CardAnswers(**{"channel": Channel.SMS, "windows": windows, "language": "en", **card})
        save_card(patient, answers, now=MONDAY, by=None)
        return patient

    def drop_mail(self, code: str, at: datetime) -> Path:
        """A mail lands in the Maildir, as a mail server leaves it there."""
        folder = settings.MAILBOX_MAILDIR / "new"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{at.timestamp():.0f}.{code}.eml"
        path.write_bytes(institute_mail(to="results@alon.example", code=code, patient="Dana Levi", now=at))
        return path

    def tick(
        self, start: datetime, until: datetime | None = None, *, every: timedelta = timedelta(hours=1)
    ) -> None:
        """Let the clockwork run at `start`, and on to `until`."""
        now = start
        while now <= (until or start):
            self.run(now)
            now += every

    def get(self, role: str, path: str, at: datetime) -> Any:
        with frozen(at):
            return self._at_the_desk(role).get(path)

    def post(self, role: str, path: str, at: datetime, **data: Any) -> Any:
        with frozen(at):
            return self._at_the_desk(role).post(path, data)

    def _at_the_desk(self, role: str) -> Client:
        """Hours lie between two things that somebody does, and a desk locks itself after minutes."""
        client = Client()
        client.force_login(self.staff[role])
        return client


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """The clock that a request reads; below it, everything is given `now`."""
    with time_machine.travel(at, tick=False):
        yield


def link_in(attempt: Attempt) -> str:
    """The path of the patient's page, out of the words the patient got."""
    found = re.search(r"/p/[\w-]+/", attempt.body)
    assert found, attempt.body
    return found[0]
