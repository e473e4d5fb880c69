"""A clinic that has not said yet when it opens: whoever starts something hears what to do, and no tick stops."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from appointments import actions as visits
from appointments.holds import settle_holds
from appointments.models import AppointmentStatus
from journeys import actions
from journeys.actions import NewJourney
from journeys.models import Journey, Step, StepKind, StepStatus
from journeys.watch import watch_steps
from patients.actions import RefusedError
from patients.models import ClinicHours, Patient
from referrals.actions import NewReferral, refer
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    call_command("load_catalogue", verbosity=0)


def without_hours(patient: Patient) -> None:
    ClinicHours.objects.filter(clinic=patient.clinic).delete()


def test_starting_a_journey_says_that_the_hours_are_missing() -> None:
    patient = builders.patient()
    without_hours(patient)
    with pytest.raises(RefusedError, match="no opening hours yet"):
        actions.start_journey(patient, NewJourney("next_stage"), now=NOW)
    assert not Journey.objects.exists()


def test_the_screen_shows_the_same_words(client: Client) -> None:
    patient = builders.patient()
    without_hours(patient)
    client.force_login(builders.user(at=patient.clinic))
    url = reverse("start_journey", args=[patient.public_id])
    answer = client.post(url, {"template": "next_stage"}, follow=True)
    assert (answer.status_code, b"no opening hours yet" in answer.content) == (200, True)


def test_referring_says_that_the_hours_are_missing() -> None:
    patient = builders.patient()
    new = NewReferral(
        patient=patient,
        requester=builders.practitioner(patient.clinic),
        service="Panoramic image",
        expected_at=NOW + DAY,
        hold_refused_because="she will call",
    )
    without_hours(patient)
    with pytest.raises(RefusedError, match="no opening hours yet"):
        refer(new, now=NOW)


def test_a_journey_under_way_goes_on_in_calendar_time() -> None:
    journey = actions.start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW)
    assert journey.patient is not None
    without_hours(journey.patient)
    actions.complete_step(journey.steps.get(kind=StepKind.AWAIT_RESULT), "received", now=NOW)
    assert journey.steps.get(kind=StepKind.REVIEW).due_at == NOW + DAY
    assert journey.steps.get(kind=StepKind.TELL).due_at == NOW + 2 * HOUR


def test_one_clinic_without_hours_stops_no_other_clinics_apology() -> None:
    journeys = [
        actions.start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW) for _n in range(2)
    ]
    Step.objects.filter(kind=StepKind.AWAIT_RESULT).update(due_at=NOW + HOUR)
    Step.objects.exclude(kind=StepKind.AWAIT_RESULT).update(status=StepStatus.CANCELLED, contact_from=None)
    assert journeys[0].patient is not None
    without_hours(journeys[0].patient)
    assert watch_steps(now=NOW + HOUR) == 2
    promised = Step.objects.filter(kind=StepKind.PROMISE).order_by("journey").values_list("due_at", flat=True)
    assert list(promised) == [NOW + 5 * HOUR, NOW + 5 * HOUR]


def test_a_visit_can_be_given_back_and_asks_for_another_date_all_the_same() -> None:
    visit = builders.appointment(step=builders.step(kind=StepKind.VISIT))
    without_hours(visit.patient)
    visits.cancel(visit, because="the patient cannot come", now=NOW)
    assert visit.step is not None
    assert visit.step.journey.steps.get(kind=StepKind.BOOK).due_at == NOW + DAY


def test_a_hold_is_moved_on_all_the_same() -> None:
    waiting = builders.step(kind=StepKind.AWAIT_RESULT, due_at=NOW)
    start = NOW + 2 * DAY
    visit = builders.appointment(
        waiting.journey.patient,
        start=start,
        status=AppointmentStatus.PENDING,
        awaits=waiting,
        hold_until=start - DAY,
    )
    for day in range(1, 8):
        builders.open_time(visit.practitioner, start + DAY * day)
    without_hours(visit.patient)
    assert settle_holds(now=start - DAY) == 1
    visit.refresh_from_db()
    assert (visit.status, visit.start > start) == (AppointmentStatus.PENDING, True)
    assert waiting.journey.steps.get(kind=StepKind.TELL).due_at == start
