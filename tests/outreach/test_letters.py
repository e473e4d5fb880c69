"""Mails of patients reach the inbox; a mail of ours that did not arrive is tried another way."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction

from journeys.models import Step, StepKind, StepStatus
from outreach.letters import _hear, _heard_once, hear_letters
from outreach.models import Attempt, AttemptStatus, Reply
from outreach.trace import trace_of
from patients.actions import add_address, withdraw_consent
from patients.models import AddressStatus, Channel, Consent, Patient, PatientContact
from referrals import arrivals
from referrals.mailbox import fetch
from referrals.models import DocumentStatus, IncomingDocument
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW
from tests.mails import letter, mail, report

pytestmark = pytest.mark.django_db
ADDRESS = "dana@patients.example"


@pytest.fixture
def dana() -> PatientContact:
    clinic = builders.clinic(intake_address="results@alon.example", email="office@alon.example")
    return add_address(builders.patient(clinic), "email", ADDRESS, rank=2)


def comes(inbox: Path, raw: bytes) -> IncomingDocument:
    (inbox / "new" / "1").write_bytes(raw)
    assert fetch(now=NOW) == 1
    arrivals.match_documents(now=NOW)
    hear_letters(now=NOW)
    return IncomingDocument.objects.latest("pk")


def asked(to: PatientContact) -> Attempt:
    """A mail of ours that asks whether she comes."""
    journey, visit = builders.journey(to.patient), builders.appointment(to.patient)
    visit.step = builders.step(journey, kind=StepKind.VISIT, due_at=visit.end)
    visit.save(update_fields=["step"])
    step = builders.step(journey, kind=StepKind.CONFIRM)
    about = builders.task(step, plan_from=None)
    return builders.attempt(
        about,
        channel=Channel.EMAIL,
        contact_point=to.contact_point,
        status=AttemptStatus.SENT,
        sent_at=NOW,
        called_at=NOW - timedelta(hours=1),
    )


def test_words_of_a_patient_are_with_a_person_and_in_no_list_of_results(
    inbox: Path, dana: PatientContact
) -> None:
    document = comes(inbox, letter("May I eat before?", subject="A question"))
    reply = Reply.objects.get()
    assert (reply.body, reply.channel, reply.patient_id) == (
        "A question\nMay I eat before?",
        Channel.EMAIL,
        dana.patient_id,
    )
    assert reply.matter is not None
    assert (reply.matter.kind, reply.matter.status) == (StepKind.CALL, StepStatus.ACTIVE)
    assert (document.status, document.letter_from, document.ended_at) == (DocumentStatus.LETTER, None, NOW)
    assert not Step.objects.filter(kind=StepKind.IDENTIFY).exists()


def test_yes_under_our_question_confirms(inbox: Path, dana: PatientContact) -> None:
    attempt = asked(dana)
    comes(
        inbox, letter("Yes\n\nOn 9.3.2026 Alon wrote:\n> Does it suit you?", answers=str(attempt.reference))
    )
    attempt.task.step.refresh_from_db()
    assert (attempt.task.step.status, attempt.task.step.outcome) == (StepStatus.COMPLETED, "confirmed")
    assert Reply.objects.get().body == "Yes"


def test_yes_that_anybody_could_have_written_is_read_by_a_person(inbox: Path, dana: PatientContact) -> None:
    attempt = asked(dana)
    comes(inbox, letter("Yes", subject=""))
    attempt.task.step.refresh_from_db()
    assert attempt.task.step.status == StepStatus.ACTIVE
    assert Reply.objects.get().matter is not None


def test_stop_silences_that_address(inbox: Path, dana: PatientContact) -> None:
    attempt = asked(dana)
    comes(inbox, letter("STOP", answers=str(attempt.reference)))
    withdrawn = Consent.objects.get(status="withdrawn")
    assert (withdrawn.patient_id, withdrawn.channel) == (dana.patient_id, Channel.EMAIL)


def test_answer_from_another_address_is_with_a_person_who_finds_out(
    inbox: Path, dana: PatientContact
) -> None:
    attempt = asked(dana)
    comes(inbox, letter("Yes", answers=str(attempt.reference), sender="work@elsewhere.example"))
    reply = Reply.objects.get()
    assert (reply.patient, reply.matter is not None) == (None, True)
    attempt.task.step.refresh_from_db()
    assert attempt.task.step.status == StepStatus.ACTIVE


def test_automatic_answer_is_kept_and_asks_nothing_of_us(inbox: Path, dana: PatientContact) -> None:
    document = comes(inbox, letter("I am away until May.", automatic=True))
    assert (document.status, Reply.objects.count()) == (DocumentStatus.LETTER, 0)


def test_file_of_a_patient_is_with_the_desk_and_her_words_are_heard(
    inbox: Path, dana: PatientContact
) -> None:
    raw = mail(text="STOP", subject="").replace(b"desk@imaging.example", ADDRESS.encode())
    document = comes(inbox, raw)
    assert (document.status, document.letter_from) == (DocumentStatus.UNMATCHED, None)
    assert document.step is not None
    assert document.step.kind == StepKind.IDENTIFY
    assert Consent.objects.get(status="withdrawn").patient_id == dana.patient_id


def test_logo_of_a_signature_is_no_result(inbox: Path, dana: PatientContact) -> None:
    attempt = asked(dana)
    document = comes(inbox, letter("STOP", answers=str(attempt.reference), logo=True))
    assert document.status == DocumentStatus.LETTER
    assert Consent.objects.get(status="withdrawn").patient_id == dana.patient_id


@pytest.mark.parametrize("words", ["START", "Call me at 18:00"])
def test_what_anybody_could_have_written_allows_and_promises_nothing(
    inbox: Path, dana: PatientContact, words: str
) -> None:
    withdraw_consent(dana.patient, dana.contact_point, Channel.EMAIL, now=NOW, words="STOP")
    comes(inbox, letter(words, subject=""))
    assert Consent.objects.get(superseded_at__isnull=True).status == "withdrawn"
    assert not Step.objects.filter(kind=StepKind.PROMISE).exists()


def test_letter_is_heard_by_one_worker(inbox: Path, dana: PatientContact) -> None:
    """One that was paused past its lease finds that another has taken it up."""
    (inbox / "new" / "1").write_bytes(letter("May I eat before?"))
    fetch(now=NOW)
    arrivals.match_documents(now=NOW)
    paused = IncomingDocument.objects.get()
    hear_letters(now=NOW)
    assert _heard_once(paused, _hear, now=NOW) == 0
    assert Reply.objects.count() == 1


def test_mail_that_names_no_attempt_and_comes_from_nobody_known_waits_for_whoever_looks_down(
    inbox: Path, dana: PatientContact
) -> None:
    raw = letter("Hello", answers=str(uuid4()), sender="nobody@elsewhere.example")
    document = comes(inbox, raw)
    assert (document.status, document.letter_from, document.ended_at) == (DocumentStatus.LETTER, NOW, None)
    assert (document.is_handed_on, document.tries) == (True, 0)
    assert (
        hear_letters(now=NOW + timedelta(minutes=5)) == 0
    )  # what becomes of it: tests/inquiries/test_heard.py


def test_same_letter_twice_is_heard_once(inbox: Path, dana: PatientContact) -> None:
    comes(inbox, letter("May I eat before?"))
    (inbox / "new" / "2").write_bytes(letter("May I eat before?"))
    fetch(now=NOW)
    arrivals.match_documents(now=NOW)
    assert hear_letters(now=NOW) == 0
    assert Reply.objects.count() == 1


@pytest.mark.parametrize("with_headers_alone", [False, True])
def test_mail_to_an_address_that_does_not_exist_marks_it_bad(
    inbox: Path, dana: PatientContact, with_headers_alone: bool
) -> None:
    attempt = asked(dana)
    comes(inbox, report(str(attempt.reference), with_headers_alone=with_headers_alone))
    attempt.refresh_from_db()
    dana.contact_point.refresh_from_db()
    assert (attempt.status, attempt.outcome) == (AttemptStatus.FAILED, "bad_address")
    assert dana.contact_point.status == AddressStatus.BAD
    assert not Reply.objects.exists()


def test_full_mailbox_leaves_the_address_as_it_is(inbox: Path, dana: PatientContact) -> None:
    attempt = asked(dana)
    comes(inbox, report(str(attempt.reference), status="5.2.2"))
    attempt.refresh_from_db()
    dana.contact_point.refresh_from_db()
    assert attempt.status == AttemptStatus.FAILED
    assert dana.contact_point.status != AddressStatus.BAD


LATE = "A mail server says that it comes late. We are told if it fails, but not always when it arrives."


def test_report_that_a_mail_is_late_is_no_failure_and_stands_where_it_is_read(
    inbox: Path, dana: PatientContact
) -> None:
    attempt = asked(dana)
    before = Attempt.objects.values("status", "sent_at").get()
    comes(inbox, report(str(attempt.reference), action="delayed", status="4.4.1"))
    assert Attempt.objects.values("status", "sent_at").get() == before
    assert not Step.objects.filter(kind=StepKind.IDENTIFY).exists()
    dana.contact_point.refresh_from_db()
    assert dana.contact_point.status != AddressStatus.BAD
    desk = logged_in("receptionist", dana.patient.clinic)
    talk = desk.get(f"/inbox/{dana.patient.public_id}/").content.decode()
    lines = [line for each in trace_of(dana.patient, now=NOW) for line in each.lines]
    assert (LATE in talk, LATE in {line.words for line in lines}) == (True, True)


@pytest.mark.parametrize(
    ("action", "status", "after"),
    [
        ("delivered", "2.1.5", (AttemptStatus.DELIVERED, "")),
        ("failed", "4.4.7", (AttemptStatus.FAILED, "not_delivered")),
        ("relayed", "2.0.0", (AttemptStatus.SENT, "delayed")),
        ("expanded", "2.0.0", (AttemptStatus.SENT, "delayed")),
        ("delayed", "4.4.2", (AttemptStatus.SENT, "delayed")),
    ],
)
def test_what_comes_after_the_delay_is_what_stands(
    inbox: Path, dana: PatientContact, action: str, status: str, after: tuple[str, str]
) -> None:
    attempt = asked(dana)
    for each, code in (("delayed", "4.4.1"), (action, status)):
        comes(inbox, report(str(attempt.reference), action=each, status=code))
    attempt.refresh_from_db()
    assert (attempt.status, attempt.outcome) == after
    assert not Step.objects.filter(kind=StepKind.IDENTIFY).exists()


def test_a_delay_that_is_told_after_the_arrival_changes_nothing(inbox: Path, dana: PatientContact) -> None:
    attempt = asked(dana)
    for each, code in (("delivered", "2.1.5"), ("delayed", "4.4.1")):
        comes(inbox, report(str(attempt.reference), action=each, status=code))
    attempt.refresh_from_db()
    assert (attempt.status, attempt.outcome) == (AttemptStatus.DELIVERED, "")


def test_letter_that_cannot_be_read_is_tried_three_times_then_goes_to_a_person(
    inbox: Path, dana: PatientContact, settings: LazySettings
) -> None:
    (inbox / "new" / "1").write_bytes(letter("May I eat before?"))
    fetch(now=NOW)
    arrivals.match_documents(now=NOW)
    document = IncomingDocument.objects.get()
    document.raw.storage.delete(str(document.raw.name))
    for minute in (0, 2, 4, 6):
        hear_letters(now=NOW + timedelta(minutes=minute))
    document.refresh_from_db()
    assert (document.status, document.reasons) == (DocumentStatus.UNMATCHED, [arrivals.UNREADABLE])


def test_letter_that_nobody_was_heard_in_waits() -> None:
    """The constraint, not the tick, keeps a letter from being forgotten."""
    document = builders.document()
    lost = IncomingDocument.objects.filter(pk=document.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        lost.update(status=DocumentStatus.LETTER, match_from=None)


def test_two_patients_at_one_address_are_never_guessed_between(inbox: Path, dana: PatientContact) -> None:
    other: Patient = builders.patient(dana.patient.clinic, given_name="Noa")
    add_address(other, "email", ADDRESS, rank=2)
    comes(inbox, letter("When is my visit?"))
    assert Reply.objects.get().patient is None
