"""A visit that no journey asked for is reminded of and comes back to Today like any other."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from appointments import actions
from appointments.actions import Visit
from appointments.holds import settle_holds
from appointments.models import Appointment, AppointmentStatus, Practitioner
from clinic_journey.worklist import worklist
from journeys.models import Journey, JourneyStatus, Step, StepKind, StepStatus
from patients.access import Here
from patients.actions import RefusedError, StaleStateError
from patients.models import Patient, Role
from tests import builders
from tests.appointments.pages import DAY, MINUTE, TOMORROW_9, visit_at
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[True, False], ids=["with the catalogue", "without it"])
def catalogue(request: pytest.FixtureRequest) -> bool:
    if request.param:
        call_command("load_catalogue", verbosity=0)
    return bool(request.param)


def kinds(journey: Journey) -> list[str]:
    steps = journey.steps.filter(status=StepStatus.ACTIVE)
    return list(steps.order_by("kind").values_list("kind", flat=True))


def test_a_visit_booked_alone_gets_a_journey_and_a_reminder(
    patient: Patient, doctor: Practitioner, catalogue: bool
) -> None:
    made = actions.book_alone(Visit(patient, doctor, TOMORROW_9, 30, "Check-up"), now=NOW)
    assert made.step
    made.step.refresh_from_db()
    assert (made.step.journey.name, kinds(made.step.journey)) == ("Check-up", ["visit"])
    assert made.step.due_at == made.end
    assert (made.step.contact_from == NOW) is catalogue  # less than three days ahead: asked at once
    assert not Step.objects.filter(kind=StepKind.BOOK, status=StepStatus.ACTIVE).exists()


def test_the_same_request_twice_starts_one_journey(patient: Patient, doctor: Practitioner) -> None:
    visit = Visit(patient, doctor, TOMORROW_9, 30)
    first = actions.book_alone(visit, now=NOW, request_key="k")
    assert actions.book_alone(visit, now=NOW, request_key="k") == first
    assert (Journey.objects.count(), Appointment.objects.count()) == (1, 1)


@pytest.mark.parametrize("end", ["cancel", "no_show"])
def test_cancelled_or_missed_it_returns_to_today(
    patient: Patient, doctor: Practitioner, catalogue: bool, end: str
) -> None:
    visit = visit_at(patient, doctor, NOW - 10 * MINUTE)
    assert visit.step is None
    if end == "cancel":
        actions.cancel(visit, because="ill", now=NOW)
    else:
        actions.no_show(visit, now=NOW)
    journey = Journey.objects.get()
    assert (journey.patient, kinds(journey), catalogue) == (patient, ["book"], catalogue)
    desk = builders.user(at=doctor.clinic)
    Step.objects.update(contact_from=None)  # the message has left
    rows = worklist(Here(desk, doctor.clinic, Role.RECEPTIONIST, NOW)).now
    assert [(row.due.patient_id, row.due.kind) for row in rows] == [(patient.pk, "book")]


def test_missed_by_mistake_the_patient_is_here_and_the_search_for_a_date_ends(
    patient: Patient, doctor: Practitioner, catalogue: bool
) -> None:
    visit = visit_at(patient, doctor, NOW - 10 * MINUTE)
    actions.no_show(visit, now=NOW)
    actions.arrive(visit, now=NOW)
    actions.fulfil(visit, now=NOW)
    journey = Journey.objects.get()
    assert kinds(journey) == (["thank"] if catalogue else [])
    assert journey.status == (JourneyStatus.ACTIVE if catalogue else JourneyStatus.COMPLETED)


def test_a_cancel_that_comes_too_late_leaves_no_journey_behind(
    patient: Patient, doctor: Practitioner
) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    seen = Appointment.objects.get()
    actions.cancel(visit, because="ill", now=NOW)
    with pytest.raises(StaleStateError):
        actions.cancel(seen, because="ill", now=NOW)
    assert Journey.objects.count() == 1


def test_a_hold_given_back_asks_nobody_for_a_date(patient: Patient, doctor: Practitioner) -> None:
    hold = visit_at(patient, doctor, TOMORROW_9, "pending", hold_until=NOW + 5 * MINUTE)
    actions.cancel(hold, because="let go", now=NOW)
    assert not Journey.objects.exists()


def test_nobody_arrives_before_the_day_and_no_visit_takes_place_before_its_time(
    patient: Patient, doctor: Practitioner
) -> None:
    tomorrow = visit_at(patient, doctor, TOMORROW_9)
    today = visit_at(patient, doctor, NOW + 60 * MINUTE)
    with pytest.raises(RefusedError, match="later day"):
        actions.arrive(tomorrow, now=NOW)
    with pytest.raises(RefusedError, match="not begun yet"):
        actions.fulfil(today, now=NOW)
    actions.arrive(today, now=NOW)
    actions.fulfil(today, now=NOW)  # the doctor was free early
    statuses = list(Appointment.objects.order_by("start").values_list("status", flat=True))
    assert statuses == [AppointmentStatus.FULFILLED, AppointmentStatus.BOOKED]


def test_an_unconfirmed_visit_two_days_ahead_is_a_row_for_the_desk(
    patient: Patient, doctor: Practitioner
) -> None:
    call_command("load_catalogue", verbosity=0)
    made = actions.book_alone(Visit(patient, doctor, TOMORROW_9 + DAY, 30), now=NOW)
    here = Here(builders.user(at=doctor.clinic), doctor.clinic, Role.RECEPTIONIST, NOW)
    assert worklist(here).now == []  # the machine is about to ask
    Step.objects.update(contact_from=None)
    (row,) = worklist(here).now
    assert row.reasons == ["The visit Wednesday 11 March, 07:00 is not confirmed."]
    early = Here(here.user, here.clinic, here.role, NOW - 2 * DAY)
    assert worklist(early).now == []
    actions.confirm(made, now=NOW)
    assert worklist(here).now == []


@pytest.mark.parametrize("journey_ends", [True, False])
def test_a_time_taken_back_from_a_patient_who_knew_it_is_told(
    patient: Patient, doctor: Practitioner, journey_ends: bool
) -> None:
    awaited = builders.step(
        builders.journey(patient), kind=StepKind.AWAIT_RESULT, status=StepStatus.CANCELLED
    )
    if journey_ends:
        Journey.objects.update(status=JourneyStatus.CANCELLED, ended_at=NOW)
    visit_at(patient, doctor, TOMORROW_9, "pending", awaits=awaited, hold_until=NOW + timedelta(hours=9))
    assert settle_holds(now=NOW) == 1
    told = Step.objects.get(status=StepStatus.ACTIVE)
    assert (told.kind, told.message_key, told.contact_from) == (StepKind.TELL, "hold_released", NOW)
    assert (told.journey == awaited.journey) is not journey_ends
    assert told.journey.patient == patient


@pytest.mark.parametrize("end", ["cancel", "no_show"])
def test_without_opening_hours_a_visit_can_still_end(
    patient: Patient, doctor: Practitioner, catalogue: bool, end: str
) -> None:
    doctor.clinic.hours.all().delete()
    visit = visit_at(patient, doctor, NOW - 10 * MINUTE)
    if end == "cancel":
        actions.cancel(visit, because="ill", now=NOW)
    else:
        actions.no_show(visit, now=NOW)
    assert (kinds(Journey.objects.get()), catalogue) == (["book"], catalogue)


def test_without_opening_hours_nothing_new_is_booked(patient: Patient, doctor: Practitioner) -> None:
    call_command("load_catalogue", verbosity=0)
    doctor.clinic.hours.all().delete()
    with pytest.raises(RefusedError, match="no opening hours"):
        actions.book_alone(Visit(patient, doctor, TOMORROW_9, 30), now=NOW)
    assert not Appointment.objects.exists()
