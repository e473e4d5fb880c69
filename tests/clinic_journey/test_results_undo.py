"""Undo in Results: after each decision everything is as it was; what has gone on since refuses it in words."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from appointments.actions import confirm
from appointments.models import Appointment, AppointmentStatus, Slot
from clinic_journey.models import DeskAction
from clinic_journey.undo import picture
from journeys.models import Step, StepKind, StepStatus
from outreach.actions import open_tasks, plan_attempts
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus
from patients.models import Clinic, Role
from referrals import passing
from referrals.models import Decision, Result
from referrals.results import attach
from tests import builders
from tests.clinic_journey.on_the_desk import DAY, arrived, browser
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
PRESSED = [*Decision.values, "another time", "ask_again"]
LATER = NOW + timedelta(minutes=2)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    call_command("load_catalogue", verbosity=0)
    builders.messages_loaded()
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def cohen(clinic: Clinic) -> User:
    return builders.user(Role.DOCTOR, at=clinic, first_name="Dan", last_name="Cohen")


def press(client: Client, result: Result, what: str) -> None:
    said = {"decision": what}
    if what == "another time":
        visit = Appointment.objects.get()
        builders.open_time(visit.practitioner, NOW + 5 * DAY)
        said = {"start": (NOW + 5 * DAY).isoformat(), "minutes": "30"}
    name = "ask_again" if what == "ask_again" else "decide"
    answer = client.post(reverse(name, args=[result.public_id]), said)
    assert answer.status_code == 302


def undone(client: Client) -> str:
    """What the page says after Z."""
    action = DeskAction.objects.get()
    return client.post(reverse("undo_decision", args=[action.pk]), follow=True).content.decode()


def ticks() -> None:
    open_tasks(now=NOW + timedelta(seconds=30))
    plan_attempts(now=NOW + timedelta(seconds=30))


@pytest.mark.parametrize("what", PRESSED)
def test_after_undo_every_row_that_was_there_is_as_it_was(clinic: Clinic, cohen: User, what: str) -> None:
    result = arrived(clinic, cohen)
    patient, client = result.referral.patient, browser(cohen)
    before = picture(patient)
    press(client, result, what)
    ticks()
    assert picture(patient) != before
    assert "Undone." in undone(client)
    after = picture(patient)
    cells = [
        {(row["slot_id"], row["appointment_id"]) for row in p.pop("cell").values()} for p in (before, after)
    ]
    assert cells[0] == cells[1]
    for kind, rows in before.items():
        assert {key: after[kind].get(key) for key in rows} == rows
    for kind in ("step", "task", "attempt", "visit"):
        made = [row for key, row in after[kind].items() if key not in before[kind]]
        assert {row["status"] for row in made} <= {"cancelled"}


@pytest.mark.parametrize("what", PRESSED)
def test_what_is_undone_is_never_told(clinic: Clinic, cohen: User, what: str) -> None:
    result = arrived(clinic, cohen)
    client = browser(cohen)
    press(client, result, what)
    ticks()
    undone(client)
    about = set(Step.objects.filter(status=StepStatus.CANCELLED).values_list("pk", flat=True))
    open_tasks(now=NOW + DAY)
    plan_attempts(now=NOW + DAY)
    dispatch(now=NOW + DAY)
    sent = Attempt.objects.exclude(status__in=[AttemptStatus.CANCELLED])
    assert not set(sent.values_list("task__step", flat=True)) & about


def test_who_decided_has_the_undo_on_the_page_and_can_decide_again(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    client = browser(cohen)
    press(client, result, Decision.NO_TREATMENT)
    shown = client.get(reverse("results")).content.decode()
    assert "Saved: No treatment needed." in shown
    undone(client)
    assert "Saved:" not in client.get(reverse("results")).content.decode()
    press(client, result, Decision.TREAT)
    assert Appointment.objects.get().status == AppointmentStatus.BOOKED


def test_once_the_patient_has_been_told_it_stays(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    client = browser(cohen)
    press(client, result, Decision.NO_TREATMENT)
    ticks()
    assert "Undo" in client.get(reverse("results")).content.decode()
    assert dispatch(now=NOW + timedelta(seconds=40)).sent
    shown = client.get(reverse("results")).content.decode()
    assert "The patient was contacted at" in shown
    assert "Undo" not in shown
    assert "The patient was contacted at" in undone(client)
    result.refresh_from_db()
    assert result.decision == Decision.NO_TREATMENT


def test_a_visit_that_has_moved_on_stays(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    client = browser(cohen)
    press(client, result, Decision.TREAT)
    confirm(Appointment.objects.get(), now=LATER)
    assert "The visit was changed since then." in undone(client)
    assert Appointment.objects.get().status == AppointmentStatus.BOOKED


def test_a_time_that_somebody_has_taken_since_stays_theirs(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    client = browser(cohen)
    press(client, result, Decision.NO_TREATMENT)
    held = Appointment.objects.get()
    other = builders.patient(clinic, given_name="Omer", family_name="Katz", phone="050-234-9999")
    builders.appointment(other, practitioner=held.practitioner, start=held.start)
    assert "is booked for Omer Katz" in undone(client)
    assert Slot.objects.filter(use__appointment=held).count() == 0


def test_a_newer_file_has_a_review_of_its_own(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    client = browser(cohen)
    press(client, result, Decision.NO_TREATMENT)
    attach(builders.document(clinic), result.referral, matched_by="code", now=LATER)
    assert "A newer file has arrived since then" in undone(client)
    assert Step.objects.filter(kind=StepKind.REVIEW, status=StepStatus.ACTIVE).count() == 1


def test_who_was_asked_to_decide_is_asked_again(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    assert result.review is not None
    asked = passing.pass_on(result.review, to=builders.user(Role.DOCTOR, at=clinic), now=NOW, by=cohen)
    client = browser(cohen)
    press(client, result, Decision.TREAT)
    undone(client)
    asked.refresh_from_db()
    assert (asked.answer, asked.answered_at) == ("", None)


def test_undo_ends_after_ten_minutes_and_belongs_to_who_decided(
    clinic: Clinic, cohen: User, clock: time_machine.Traveller
) -> None:
    result = arrived(clinic, cohen)
    client = browser(cohen)
    press(client, result, Decision.TREAT)
    address = reverse("undo_decision", args=[DeskAction.objects.get().pk])
    assert browser(builders.user(Role.DOCTOR, at=clinic)).post(address).status_code == 404
    assert browser(builders.user(at=clinic)).post(address).status_code == 403
    clock.move_to(NOW + timedelta(minutes=10), tick=False)
    client = browser(cohen)  # the other one has locked itself
    assert "Saved:" not in client.get(reverse("results")).content.decode()
    assert "for ten minutes" in client.post(address, follow=True).content.decode()


def test_a_decision_waits_for_nobody_who_is_with_the_patient(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    rina = browser(builders.user(at=clinic))
    (step,) = Step.objects.filter(message_key__contains="arriv")[:1] or [result.review]
    assert step is not None
    rina.post(reverse("keep", args=[step.public_id]))
    press(browser(cohen), result, Decision.TREAT)
    result.refresh_from_db()
    assert result.decision == Decision.TREAT
