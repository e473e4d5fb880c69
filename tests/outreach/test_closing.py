"""A closed record: nobody books, holds, waits for or writes to a patient who has died or was merged."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from appointments import waitlist
from appointments.actions import Visit, book, book_alone, fulfil, hold, move, settle
from appointments.holds import keep
from appointments.keeping import keep_for_minutes
from appointments.models import Appointment, AppointmentStatus, SlotUse
from journeys.actions import NewJourney, start_journey
from journeys.models import Journey, Step, StepKind, StepStatus
from outreach.actions import open_tasks, plan_attempts
from outreach.calls import call_now, claim_call
from outreach.closing import close_forgotten, merge_records, record_death
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.number_test import send_test
from patients.actions import RefusedError, StaleStateError
from patients.models import Channel, Clinic, Patient, PatientStatus
from referrals.models import Referral, ReferralStatus
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
START = NOW + timedelta(days=2)


@pytest.fixture(autouse=True)
def _texts() -> None:
    builders.messages_loaded()
    call_command("load_catalogue", verbosity=0)


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


def closed_by_hand(clinic: Clinic) -> Patient:
    patient = builders.patient(clinic)
    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.DECEASED)
    return patient  # the object in hand does not know


def visit(patient: Patient) -> Visit:
    doctor = builders.practitioner(patient.clinic)
    builders.open_time(doctor, START)
    return Visit(patient, doctor, START, 30)


def joins(patient: Patient) -> object:
    return waitlist.wait_for_any(patient, None, waitlist.Wanted(30), now=NOW)


def joins_for_a_step(patient: Patient) -> object:
    step = builders.step(builders.journey(patient))
    return waitlist.wait_for_any(patient, step, waitlist.Wanted(30), now=NOW)


def moves(patient: Patient) -> None:
    booked = builders.appointment(patient)
    builders.open_time(booked.practitioner, START)
    move(booked, start=START, now=NOW)


def keeps(patient: Patient) -> None:
    keep(builders.appointment(patient, status="pending", hold_until=START), now=NOW)


def calls(patient: Patient) -> object:
    return call_now(builders.step(builders.journey(patient)), by=builders.user(), now=NOW, because="asked")


def claims(patient: Patient) -> object:
    call = builders.attempt(builders.task(builders.step(builders.journey(patient))), channel=Channel.PHONE)
    return claim_call(call, by=builders.user(), now=NOW)


def sends_a_test(patient: Patient) -> object:
    (tie,) = patient.contacts.all()
    return send_test(tie, Channel.SMS, now=NOW, by=builders.user())


REFUSED: dict[str, Callable[[Patient], object]] = {
    "book": lambda patient: book(visit(patient), now=NOW),
    "book_alone": lambda patient: book_alone(visit(patient), now=NOW),
    "hold": lambda patient: hold(visit(patient), awaits=None, until=START, now=NOW),
    "keep_for_minutes": lambda patient: keep_for_minutes(visit(patient), now=NOW, by=builders.user()),
    "start": lambda patient: start_journey(patient, NewJourney("recall"), now=NOW),
    "move": moves,
    "keep": keeps,
    "wait": joins,
    "wait_for_a_step": joins_for_a_step,
    "call_now": calls,
    "claim_call": claims,
    "send_test": sends_a_test,
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_record_closed_by_hand_is_refused_in_words(clinic: Clinic, what: str) -> None:
    with pytest.raises(RefusedError, match=r"The record of Dana Levi is closed: Deceased\."):
        REFUSED[what](closed_by_hand(clinic))


def test_nothing_is_opened_planned_or_sent_for_a_record_closed_by_hand(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    steps = [builders.step(builders.journey(patient), message_key="next_step") for _n in range(3)]
    to_open, to_plan, to_send = steps
    Step.objects.filter(pk=to_open.pk).update(contact_from=NOW)
    planned, queued = builders.task(to_plan), builders.task(to_send, plan_from=None)
    message = builders.attempt(queued)
    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.DECEASED)
    for tick in (open_tasks, plan_attempts, dispatch):
        tick(now=NOW)
    assert not OutreachTask.objects.filter(step=to_open).exists()
    assert not Attempt.objects.filter(task=planned).exists()
    message.refresh_from_db()
    assert (message.status, message.called_at) == (AttemptStatus.CANCELLED, None)
    assert set(OutreachTask.objects.values_list("status", flat=True)) == {TaskStatus.CANCELLED}
    assert not Step.objects.filter(kind=StepKind.CALL).exists(), "and no person is asked to reach the dead"


def test_a_kept_time_is_not_booked_for_a_record_closed_by_hand(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    review = builders.step(builders.journey(patient), kind=StepKind.REVIEW)
    held = builders.appointment(patient, status="pending", awaits=review, hold_until=START)
    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.DECEASED)
    settle(review, [], keep=True, now=NOW)
    held.refresh_from_db()
    assert held.status == AppointmentStatus.CANCELLED


def full(patient: Patient) -> None:
    """A referral with a held visit, a booked one, one without a journey, a place on the list, and a message."""
    referral = builders.referral(patient)
    builders.appointment(
        patient, status="pending", awaits=referral.step, hold_until=START, start=NOW + timedelta(days=3)
    )
    builders.waiting_entry(patient)
    builders.appointment(patient, start=NOW + timedelta(days=5))
    builders.appointment(patient, start=NOW - timedelta(days=5), status="fulfilled")
    builders.attempt(builders.task(builders.step(builders.journey(patient)), plan_from=None))


def assert_all_ended(patient: Patient) -> None:
    assert not Appointment.objects.filter(patient=patient, status__in=["pending", "booked"]).exists()
    assert SlotUse.objects.filter(appointment__patient=patient).count() == 3  # those of the visit that was
    assert not patient.waiting_entries.filter(status__in=["waiting", "offered"]).exists()
    assert Referral.objects.get().status == ReferralStatus.REVOKED
    assert not Attempt.objects.filter(status=AttemptStatus.PLANNED).exists()
    assert not OutreachTask.objects.filter(status=TaskStatus.OPEN).exists()


def test_death_ends_everything_and_tells_nobody(clinic: Clinic) -> None:
    patient, rina = builders.patient(clinic), builders.user(at=clinic)
    full(patient)
    check = record_death(patient, "her daughter, by phone", now=NOW, by=rina)
    assert_all_ended(patient)
    (left,) = Step.objects.filter(status=StepStatus.ACTIVE)
    assert (left, left.message_key, left.contact_from) == (check, "", None)
    assert "visits given back: 3" in str(left)
    for tick in (open_tasks, plan_attempts, dispatch):
        tick(now=NOW + timedelta(days=1))
    assert not Attempt.objects.filter(status=AttemptStatus.SENT).exists()
    with pytest.raises(StaleStateError):
        record_death(patient, "again", now=NOW, by=rina)
    assert close_forgotten(now=NOW) == 0


def test_a_duplicate_ends_and_the_other_record_has_the_step(clinic: Clinic) -> None:
    duplicate, into = builders.patient(clinic), builders.patient(clinic, phone="054-765-4321")
    full(duplicate)
    check = merge_records(duplicate, into, now=NOW)
    assert_all_ended(duplicate)
    assert check.journey.patient == into
    duplicate.refresh_from_db()
    assert (duplicate.status, duplicate.merged_into) == (PatientStatus.MERGED, into)
    with pytest.raises(RefusedError, match="is closed: Merged"):
        merge_records(builders.patient(clinic, phone="054-765-4322"), duplicate, now=NOW)


def test_what_was_closed_by_hand_ends_with_the_nights_run(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    full(patient)
    assert close_forgotten(now=NOW) == 0
    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.DECEASED)
    assert [close_forgotten(now=NOW) for _n in range(2)] == [1, 0]
    assert_all_ended(patient)


def test_a_journey_that_ends_starts_none_for_the_dead(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    booked = book_alone(visit(patient), now=NOW)
    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.DECEASED)

    fulfil(booked, now=START)
    assert not Journey.objects.filter(patient=patient, template__key="recall").exists()


def test_it_is_said_on_the_patients_page_with_who_told_us(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    client = Client()
    client.force_login(builders.user(at=clinic))
    address = reverse("died", args=[patient.public_id])
    assert "Write who told us" in client.post(address, follow=True).content.decode()
    page = client.post(address, {"words": "her son"}, follow=True).content.decode()
    patient.refresh_from_db()
    assert patient.status == PatientStatus.DECEASED
    assert "Deceased" in page
    assert reverse("book_visit", args=[patient.public_id]) not in page
    assert address not in page


def test_a_record_is_not_merged_into_itself(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    with pytest.raises(IntegrityError):
        Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.MERGED, merged_into=patient)
