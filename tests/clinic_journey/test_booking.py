"""Booking from Today: whatever a row is about, one press keeps the held time or takes another one."""

from collections.abc import Callable
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
from outreach.not_me import Denied, is_hers, not_hers
from patients.actions import RefusedError
from patients.models import Channel, PatientContact, Role
from tests import builders
from tests.appointments.pages import booking
from tests.clinic_journey.test_access import logged_in
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


def check_of(journey: Journey) -> Step:
    """Somebody says that it is not she: the desk checks the address."""
    assert journey.patient
    step = builders.step(journey)
    attempt = builders.attempt(builders.task(step, plan_from=None), status="sent", sent_at=NOW, called_at=NOW)
    return not_hers(journey.patient, Denied((attempt.contact_point,), "sms", NOW), attempt, now=NOW)


def by_the_row(check: Step, visit: Appointment) -> None:
    book_from_today(check, visit.start, call=None, now=NOW, by=builders.user())


def on_the_telephone(check: Step, visit: Appointment) -> None:
    other = builders.attempt(builders.task(check, plan_from=None), channel=Channel.PHONE)
    call = Attempt.objects.filter(pk=other.pk)
    call.update(status="sending", lease=other.reference, lease_until=NOW, claimed_by=builders.user())
    book_from_today(check, visit.start, call=call.get(), now=NOW, by=builders.user())


def on_its_page(check: Step, visit: Appointment) -> None:
    assert check.journey.patient
    desk = logged_in(Role.RECEPTIONIST, check.clinic)
    path = f"/patients/{check.journey.patient.public_id}/book/?step={check.public_id}"
    for _press in range(2):
        assert desk.post(path, booking(visit.practitioner, visit.start)).status_code == 302


@pytest.mark.time_machine(NOW, tick=False)
@pytest.mark.parametrize("books", [by_the_row, on_the_telephone, on_its_page])
def test_booking_from_a_row_whose_address_is_in_doubt_leaves_the_check_open(
    books: Callable[[Step, Appointment], None],
) -> None:
    journey = builders.journey(builders.patient())
    check = check_of(journey)
    there = kept_for(builders.step(journey, kind=StepKind.VISIT, due_at=START))
    books(check, Appointment(practitioner=there.practitioner, start=OTHER))
    there.refresh_from_db()
    check.refresh_from_db()
    assert (there.start, check.status) == (OTHER, StepStatus.ACTIVE)
    assert Appointment.objects.count() == 1
    is_hers(PatientContact.objects.get(), now=NOW, by=builders.user())
    check.refresh_from_db()
    assert check.outcome == "address_checked"


def test_booking_anew_from_such_a_row_ties_the_visit_to_its_journey() -> None:
    check = check_of(builders.journey(builders.patient()))
    doctor = builders.practitioner(check.clinic)
    builders.open_time(doctor, OTHER)
    Journey.objects.filter(pk=check.journey_id).update(doctor=doctor.user)
    check.journey.refresh_from_db()
    visit = press(check, OTHER)
    check.refresh_from_db()
    assert (visit.start, check.status) == (OTHER, StepStatus.ACTIVE)
    assert visit.step
    assert (visit.step.kind, visit.step.journey) == (StepKind.VISIT, check.journey)


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
