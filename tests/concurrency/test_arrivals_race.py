"""Mail, matcher, desk and doctor at one referral at the same moment, each with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection

from appointments.actions import Visit
from appointments.models import Appointment
from journeys.actions import reassign_step
from journeys.models import Journey, Step, StepKind, StepStatus
from patients.actions import StaleStateError
from patients.models import Patient, Role
from referrals.actions import (
    NewReferral,
    match_by_hand,
    receive_upload,
    record_review,
    refer,
    reject,
    revoke,
)
from referrals.arrivals import Arrival, match_documents, receive
from referrals.models import (
    Decision,
    DocumentStatus,
    IncomingDocument,
    Referral,
    ReferralStatus,
    Result,
    Source,
)
from referrals.passing import accept, give_back, pass_on
from tests import builders
from tests.conftest import NOW
from tests.mails import PDF

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

VISIT_AT = NOW + timedelta(days=8)


def race(*calls: Callable[[], Any]) -> list[Any]:
    """Run all at once; what each returned, or the refusal it met. Any other error fails the test."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        start.wait(timeout=60)
        try:
            return call()
        except StaleStateError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(timeout=120) for future in [pool.submit(run, call) for call in calls]]


def refused(outcomes: list[Any]) -> int:
    return sum(isinstance(outcome, StaleStateError) for outcome in outcomes)


@pytest.fixture
def patient() -> Patient:
    call_command("load_catalogue")
    return builders.patient()


@pytest.fixture
def new(patient: Patient) -> NewReferral:
    doctor = builders.practitioner(patient.clinic)
    builders.open_time(doctor, VISIT_AT)
    return NewReferral(
        patient=patient,
        requester=doctor,
        service="Panoramic image",
        expected_at=NOW + timedelta(days=3),
        hold=Visit(patient, doctor, VISIT_AT, 30),
        request_key="form-1",
    )


@pytest.fixture
def referral(new: NewReferral) -> Referral:
    return refer(new, now=NOW)


def test_one_button_pressed_eight_times_is_one_referral(new: NewReferral) -> None:
    made = race(*[lambda: refer(new, now=NOW)] * 8)
    assert made == [Referral.objects.get()] * 8
    assert (Journey.objects.count(), Appointment.objects.count()) == (1, 1)


def test_one_mail_delivered_eight_times_is_one_document(patient: Patient, settings: LazySettings) -> None:
    arrival = Arrival(patient.clinic, Source.EMAIL, "mail-1", b"the same bytes")
    kept = race(*[lambda: receive(arrival, now=NOW)] * 8)
    assert [document for document in kept if document] == [IncomingDocument.objects.get()]
    assert len([path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]) == 1


def test_four_matchers_attach_each_document_once(patient: Patient) -> None:
    for n in range(12):
        referral = builders.referral(builders.patient(patient.clinic, phone="", given_name=f"Patient {n}"))
        receive_upload(referral, "image.pdf", PDF, now=NOW)
    tried = race(*[lambda: match_documents(now=NOW, lasts=timedelta(minutes=1))] * 4)
    assert sum(tried) == 12
    assert {document.tries for document in IncomingDocument.objects.all()} == {1}
    assert sorted(Result.objects.values_list("referral", "version")) == sorted(
        (pk, 1) for pk in Referral.objects.values_list("pk", flat=True)
    )


def test_files_of_one_referral_arriving_together_share_one_review(referral: Referral) -> None:
    for n in range(4):
        receive_upload(referral, "image.pdf", PDF + b"%%%d" % n, now=NOW)
    race(*[lambda: match_documents(now=NOW, lasts=timedelta(minutes=1))] * 4)
    review = referral.journey.steps.get(kind=StepKind.REVIEW)
    assert sorted(Result.objects.values_list("version", "review")) == [(n, review.pk) for n in range(1, 5)]
    assert Appointment.objects.get().awaits == review


def test_two_doctors_decide_once(referral: Referral) -> None:
    receive_upload(referral, "image.pdf", PDF, now=NOW)
    match_documents(now=NOW)
    result = Result.objects.get()
    ada, ben = builders.user(), builders.user()
    outcomes = race(
        lambda: record_review(result, Decision.TREAT, now=NOW, by=ada),
        lambda: record_review(result, Decision.NO_TREATMENT, now=NOW, by=ben),
    )
    assert refused(outcomes) == 1
    result.refresh_from_db()
    visit = Appointment.objects.get()
    assert (result.decision, visit.status) in {("treat", "booked"), ("no_treatment", "cancelled")}


def test_a_passed_review_is_accepted_given_back_or_decided_by_one_only(referral: Referral) -> None:
    receive_upload(referral, "image.pdf", PDF, now=NOW)
    match_documents(now=NOW)
    result = Result.objects.get()
    assert result.review is not None
    ada = builders.user(Role.DOCTOR, at=referral.clinic)
    ben = builders.user(Role.DOCTOR, at=referral.clinic)
    reassign_step(result.review, role="doctor", owner=ada, now=NOW)
    asked = pass_on(result.review, to=ben, now=NOW, by=ada)
    outcomes = race(
        lambda: accept(asked, now=NOW, by=ben),
        lambda: give_back(asked, now=NOW, by=ben),
        lambda: record_review(result, Decision.NO_TREATMENT, now=NOW, by=ada),
    )
    asked.refresh_from_db()
    review = Step.objects.get(pk=asked.review_id)
    assert review.owner == (ben if asked.answer == "accepted" else ada)
    assert refused(outcomes) == (2 if asked.answer == "ended" else 1)  # the owner may decide after an answer


def test_matched_or_rejected_but_never_both(referral: Referral) -> None:
    document = receive_upload(builders.referral(referral.patient), "image.pdf", b"", now=NOW)
    match_documents(now=NOW)
    document.refresh_from_db()
    rina = builders.user()
    outcomes = race(
        lambda: match_by_hand(document, referral, now=NOW, by=rina),
        lambda: reject(document, because="Not ours", now=NOW, by=rina),
    )
    assert refused(outcomes) == 1
    document.refresh_from_db()
    assert Result.objects.count() == int(document.status == DocumentStatus.MATCHED)


def test_revoked_or_received_but_never_both(referral: Referral) -> None:
    receive_upload(referral, "image.pdf", PDF, now=NOW)
    outcomes = race(
        lambda: match_documents(now=NOW),
        lambda: revoke(referral, because="Pregnant", now=NOW),
    )
    match_documents(now=NOW + timedelta(minutes=2))
    referral.refresh_from_db()
    document = IncomingDocument.objects.get()
    came_first = bool(refused(outcomes))
    assert (referral.status, document.status) == (
        (ReferralStatus.COMPLETED, DocumentStatus.MATCHED)
        if came_first
        else (ReferralStatus.REVOKED, DocumentStatus.UNMATCHED)
    )
    is_reviewed = referral.journey.steps.filter(kind=StepKind.REVIEW, status=StepStatus.ACTIVE).exists()
    assert is_reviewed == came_first
