"""Journeys that went exactly so, by the product's own actions: what a report must find is known."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.management import call_command

from journeys.actions import NewJourney, complete_step, start_journey
from journeys.models import Journey, Step, StepStatus
from patients.models import Clinic
from tests import builders

IMAGING = "imaging_treatment"
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
