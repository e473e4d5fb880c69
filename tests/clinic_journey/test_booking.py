"""Booking from Today: whatever a row is about, one press keeps the held time or takes another one."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.booking import book_from_today, can_book, can_keep
from journeys.actions import NewJourney, start_journey
from journeys.models import Journey, Step, StepKind, StepStatus
from outreach.calls import claim_call
from outreach.models import Attempt, OutreachTask
from patients.actions import RefusedError
from patients.models import Channel
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
START, OTHER = NOW + timedelta(days=1), NOW + timedelta(days=2)


def journey_of(template: str) -> Journey:
    call_command("load_catalogue", verbosity=0)
    return start_journey(builders.patient(), NewJourney(template), now=NOW)


def kept_for(step: Step, status: str = AppointmentStatus.BOOKED) -> Appointment:
    """A visit tomorrow that the step's journey has, with another free time the day after."""
    until = NOW + timedelta(hours=20) if status == AppointmentStatus.PENDING else None
    about: dict[str, Any] = {"awaits": step} if until else {"step": step}
    visit = builders.appointment(step.journey.patient, start=START, status=status, hold_until=until, **about)
    builders.open_time(visit.practitioner, OTHER)
    return visit


def call_about(step: Step) -> Attempt:
    call = builders.attempt(builders.task(step, plan_from=None), channel=Channel.PHONE)
    return claim_call(call, by=builders.user(), now=NOW)


def press(step: Step, start: datetime | None, call: Attempt | None = None) -> Appointment:
    return book_from_today(step, start, call=call, now=NOW, by=builders.user())


@pytest.mark.parametrize(("start", "at"), [(None, START), (OTHER, OTHER)])
def test_a_decided_visit_is_kept_or_moved_and_confirmed_at_once(start: datetime | None, at: datetime) -> None:
    step = builders.step(kind=StepKind.CONFIRM)
    visit = kept_for(step)
    call = call_about(step)
    press(step, start, call)
    visit.refresh_from_db()
    step.refresh_from_db()
    call.refresh_from_db()
    assert (visit.start, visit.confirmed_at, step.outcome) == (at, NOW, "confirmed")
    assert (call.outcome, OutreachTask.objects.get().outcome) == ("booked", "booked")


@pytest.mark.parametrize("kind", [StepKind.AWAIT_RESULT, StepKind.AWAIT_PATIENT])
def test_a_held_visit_is_moved_while_its_result_is_still_awaited(kind: str) -> None:
    step = builders.step(kind=kind)
    visit = kept_for(step, AppointmentStatus.PENDING)
    press(step, OTHER)
    visit.refresh_from_db()
    step.refresh_from_db()
    assert (visit.start, visit.status, step.status) == (OTHER, AppointmentStatus.PENDING, StepStatus.ACTIVE)


def test_a_call_the_doctor_asked_for_books_the_visit_that_follows() -> None:
    journey = journey_of("imaging_treatment")
    key = journey.template.steps.get(key="call_today")  # type: ignore[union-attr]
    step = builders.step(journey, kind=StepKind.CALL, template_step=key)
    builders.open_time(builders.practitioner(journey.clinic), START)
    visit = press(step, START, call_about(step))
    step.refresh_from_db()
    assert (visit.start, step.outcome) == (START, "spoken")
    assert Step.objects.get(journey=journey, kind=StepKind.BOOK).outcome == "booked"
    assert Step.objects.get(journey=journey, kind=StepKind.VISIT).status == StepStatus.ACTIVE


@pytest.mark.parametrize("kind", [StepKind.PROMISE, StepKind.CALL])
def test_a_promised_call_about_a_booking_ends_with_it(kind: str) -> None:
    asked = journey_of("next_stage").steps.get()
    builders.open_time(builders.practitioner(asked.clinic), START)
    own = builders.step(asked.journey, kind=kind, title="call back", about=asked)
    press(own, START)
    asked.refresh_from_db()
    own.refresh_from_db()
    assert (asked.outcome, own.status) == ("booked", StepStatus.COMPLETED)


def test_nothing_is_kept_where_no_time_is_held() -> None:
    with pytest.raises(RefusedError, match="No visit is kept"):
        press(builders.step(kind=StepKind.CONFIRM), None)


@pytest.mark.parametrize("kind", [StepKind.THANK, StepKind.IDENTIFY, StepKind.REVIEW, StepKind.REFER])
def test_what_asks_for_no_date_offers_none(kind: str) -> None:
    assert not can_book(builders.step(kind=kind), None, now=NOW)


def test_a_visit_in_the_past_cannot_be_kept() -> None:
    step = builders.step(kind=StepKind.VISIT)
    gone = builders.appointment(step.journey.patient, step=step, start=NOW - timedelta(hours=2))
    assert not can_keep(step, gone, now=NOW)
