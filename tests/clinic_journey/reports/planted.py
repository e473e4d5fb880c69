"""Journeys that went exactly so, by the product's own actions: what a report must find is known."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.test import Client

from clinic_journey.reports import summaries
from journeys.actions import NewJourney, complete_step, start_journey
from journeys.models import Journey, Step, StepStatus
from patients.models import Clinic, Role
from tests import builders
from tests.conftest import NOW

IMAGING = "imaging_treatment"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
End = tuple[str, str, datetime]  # which step ended how and when


def loaded() -> None:
    call_command("load_catalogue", verbosity=0)


def went(at: Clinic, begun: datetime, ends: Iterable[End], *, doctor: Any = None, **fields: Any) -> Journey:
    """One patient's journey of treatment that needs images."""
    who = builders.patient(at, now=begun, **fields)
    journey = start_journey(who, NewJourney(IMAGING, doctor=doctor), now=begun)
    for key, outcome, when in ends:
        finish(journey, key, outcome, when)
    journey.refresh_from_db()
    return journey


def active(journey: Journey, key: str) -> Step:
    return journey.steps.get(template_step__key=key, status=StepStatus.ACTIVE)


def finish(journey: Journey, key: str, outcome: str, when: datetime) -> None:
    complete_step(
        active(journey, key), outcome, now=when, note="No, thank you" if outcome == "declined" else ""
    )


def the_doctor_is_the_gap() -> Clinic:
    """Two decisions took three days, one is open for five."""
    loaded()
    where = builders.clinic()
    for n in range(2):
        begun = NOW - 10 * DAY
        ends = [("await_result", "received", begun + HOUR), ("review", "no_treatment", begun + 4 * DAY)]
        journey = went(where, begun, ends, phone=f"050-234-55{n}0", family_name=f"Done {n}")
        finish(journey, "tell_no_treatment", "told", begun + 5 * DAY)
    went(where, NOW - 5 * DAY, [("await_result", "received", NOW - 5 * DAY + HOUR)], family_name="Waits")
    summaries.catch_up(where, now=NOW)
    return where


def manager(at: Clinic, role: str = Role.MANAGER) -> Client:
    client = Client()
    client.force_login(builders.user(role, at=at))
    return client
