"""A journey that ends before its goal gives back what the calendar kept for it."""

from datetime import timedelta

import pytest

from appointments.endings import cancel_journey
from appointments.models import Appointment, AppointmentStatus, SlotUse
from journeys.models import JourneyStatus, Step, StepKind, StepStatus
from patients.actions import RefusedError, StaleStateError
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_held_and_booked_visits_are_released_and_nobody_looks_for_another_date() -> None:
    patient = builders.patient()
    journey, doctor = builders.journey(patient), builders.practitioner(patient.clinic)
    visit = builders.step(journey, kind=StepKind.VISIT, due_at=NOW + DAY * 2)
    review = builders.step(journey, kind=StepKind.REVIEW)
    booked = builders.appointment(patient, practitioner=doctor, step=visit, start=NOW + DAY)
    held = builders.appointment(
        patient,
        practitioner=doctor,
        awaits=review,
        status="pending",
        hold_until=NOW + DAY,
        start=NOW + DAY * 2,
    )
    other = builders.appointment(patient, practitioner=doctor, start=NOW + DAY * 3)
    past = builders.appointment(patient, practitioner=doctor, step=visit, status="fulfilled", start=NOW - DAY)
    released = cancel_journey(journey, reason="moved to Haifa", now=NOW)
    assert {visit.pk for visit in released} == {booked.pk, held.pk}
    assert dict(Appointment.objects.values_list("pk", "status")) == {
        booked.pk: AppointmentStatus.CANCELLED,
        held.pk: AppointmentStatus.CANCELLED,
        other.pk: AppointmentStatus.BOOKED,
        past.pk: AppointmentStatus.FULFILLED,
    }
    assert set(SlotUse.objects.values_list("appointment_id", flat=True)) == {other.pk, past.pk}
    assert set(Step.objects.values_list("status", flat=True)) == {StepStatus.CANCELLED}
    journey.refresh_from_db()
    assert journey.status == JourneyStatus.CANCELLED


def test_a_refused_end_releases_nothing() -> None:
    patient = builders.patient()
    journey = builders.journey(patient)
    visit = builders.appointment(patient, step=builders.step(journey, kind=StepKind.VISIT))
    with pytest.raises(RefusedError):
        cancel_journey(journey, reason="", now=NOW)
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.BOOKED
    cancel_journey(journey, reason="moved", now=NOW)
    with pytest.raises(StaleStateError):
        cancel_journey(journey, reason="moved", now=NOW)
