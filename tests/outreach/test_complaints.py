"""Listen before answering: the order is the database's, the clocks are the journey's, whoever is second is told so."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from journeys.models import Journey, JourneyStatus, OwnerRole, Step, StepKind, StepStatus
from journeys.watch import watch_steps
from outreach.complaint_models import CameBy, Complaint, Understood
from outreach.complaints import (
    Change,
    answer_complaint,
    ask_reader,
    complain,
    complaint_from_messages,
    complaints_visible_to,
    find_misunderstood,
    find_understood,
    restate,
    tell_change,
)
from outreach.models import Reply
from patients.actions import RefusedError, StaleStateError
from patients.models import Patient, Role
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORDS = "I waited an hour and nobody said why."


@pytest.fixture
def patient() -> Patient:
    call_command("load_catalogue", verbosity=0)
    return builders.patient(builders.clinic(country="IL", language="en"))


def waiting(complaint: Complaint) -> set[str]:
    steps = Step.objects.filter(
        journey=complaint.journey, status=StepStatus.ACTIVE, template_step__isnull=False
    )
    return set(steps.values_list("template_step__key", flat=True))


def refused(write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


def test_no_answer_before_it_is_understood_whoever_writes_it() -> None:
    complaint = builders.complaint()
    rows = Complaint.objects.filter(pk=complaint.pk)
    answered = {"answer": "Sorry.", "answered_at": NOW + HOUR}
    refused(lambda: rows.update(**answered))
    refused(lambda: rows.update(understood_at=NOW, understood_by="patient"))
    rows.update(restated="You waited long.", restated_at=NOW)
    refused(lambda: rows.update(**answered))
    refused(lambda: rows.update(understood_at=NOW - HOUR, understood_by="patient"))
    rows.update(understood_at=NOW, understood_by="patient")
    refused(lambda: rows.update(answer="Sorry.", answered_at=NOW - HOUR))
    refused(lambda: rows.update(change="A screen says why.", changed_at=NOW + DAY, is_changed=True))
    rows.update(**answered)
    refused(lambda: rows.update(is_published=True))
    rows.update(change="A screen says why.", changed_at=NOW + DAY, is_changed=True, is_published=True)


def test_its_columns_are_checked_by_the_database() -> None:
    complaint = builders.complaint()
    rows, reader = Complaint.objects.filter(pk=complaint.pk), builders.user()
    refused(lambda: rows.update(came_by="x"))
    refused(lambda: rows.update(words=""))
    refused(lambda: rows.update(restated="x"))
    rows.update(restated="x", restated_at=NOW, restated_by=reader)
    refused(lambda: rows.update(understood_at=NOW, understood_by="x"))
    refused(lambda: rows.update(reader=reader))


def test_from_the_first_words_to_what_changed(patient: Patient) -> None:
    manager = builders.user(Role.MANAGER, at=patient.clinic)
    complaint = complain(patient, WORDS, CameBy.DESK, now=NOW, by=manager)
    assert complain(patient, f" {WORDS}", CameBy.PAGE, now=NOW) == complaint
    step = Step.objects.get(kind=StepKind.COMPLAINT)
    assert (waiting(complaint), step.owner_role, step.journey) == (
        {"restate"},
        OwnerRole.MANAGER,
        complaint.journey,
    )
    with pytest.raises(RefusedError, match="First it is found understood"):
        answer_complaint(complaint, "Sorry.", now=NOW, by=manager)

    restate(complaint, "You waited long.", now=NOW + HOUR, by=manager)
    assert waiting(complaint) == {"understood"}
    find_misunderstood(complaint, "Nobody spoke to me", now=NOW + HOUR)
    assert (complaint.words, complaint.stage) == (f"{WORDS}\n\nNobody spoke to me", "restate")
    restate(complaint, "Nobody spoke to you for an hour.", now=NOW + 2 * HOUR, by=manager)
    with pytest.raises(StaleStateError):  # she read the words before these
        find_understood(complaint, Understood.PATIENT, seen="You waited long.", now=NOW + 3 * HOUR)
    find_understood(complaint, Understood.PATIENT, seen=complaint.restated, now=NOW + 3 * HOUR)
    assert waiting(complaint) == {"answer"}
    with pytest.raises(StaleStateError):
        find_misunderstood(complaint, "late", now=NOW + 3 * HOUR)

    answer_complaint(complaint, "We are sorry.", now=NOW + 4 * HOUR, by=manager)
    assert waiting(complaint) == {"tell_answer", "change"}
    with pytest.raises(StaleStateError):
        answer_complaint(complaint, "Again", now=NOW + 4 * HOUR, by=manager)
    tell_change(complaint, Change("Somebody says why.", is_changed=True), now=NOW + DAY, by=manager)
    assert waiting(complaint) == {"tell_answer", "tell_change"}
    assert complaint.stage == ""


def test_the_second_reader_is_somebody_else_and_answers_for_both(patient: Patient) -> None:
    manager, reader = builders.user(Role.MANAGER, at=patient.clinic), builders.user(at=patient.clinic)
    complaint = complain(patient, WORDS, CameBy.VOICE, now=NOW, by=manager)
    restate(complaint, "You waited long.", now=NOW, by=manager)
    assert not complaints_visible_to(reader)
    with pytest.raises(RefusedError, match="Somebody else"):
        ask_reader(complaint, manager, role=OwnerRole.MANAGER, now=NOW, by=manager)
    with pytest.raises(RefusedError, match="Somebody else"):
        find_understood(complaint, Understood.READER, now=NOW, by=manager)
    asked = ask_reader(complaint, reader, role=OwnerRole.RECEPTIONIST, now=NOW, by=manager)
    assert asked
    assert (asked.owner, list(complaints_visible_to(reader))) == (reader, [complaint])
    find_understood(complaint, Understood.READER, now=NOW + HOUR, by=reader)
    asked.refresh_from_db()
    assert (asked.status, complaint.understood_by, complaint.reader) == (
        StepStatus.COMPLETED,
        Understood.READER,
        reader,
    )


@pytest.mark.parametrize(("country", "days"), [("US", 7), ("RU", 10)])
def test_a_country_may_want_it_answered_sooner(country: str, days: int) -> None:
    call_command("load_catalogue", verbosity=0)
    patient = builders.patient(builders.clinic(country=country), phone="+972502345678")
    manager = builders.user(Role.MANAGER, at=patient.clinic)
    complaint = complain(patient, WORDS, CameBy.CALL, now=NOW, by=manager)
    restate(complaint, "x", now=NOW + 5 * DAY, by=manager)  # late already: the answer is not later for it
    find_understood(complaint, Understood.TOLD_US, now=NOW + 5 * DAY, by=manager)
    answer = Step.objects.get(template_step__key="answer")
    assert answer.due_at == NOW + timedelta(days=days)


def test_unheard_it_is_late_and_the_patient_gets_an_apology_before_asking(patient: Patient) -> None:
    complain(patient, WORDS, CameBy.PAGE, now=NOW)
    watch_steps(now=NOW + 7 * DAY)
    step = Step.objects.get(template_step__key="restate")
    assert step.stalled_at == NOW + 7 * DAY
    promise = Step.objects.get(kind=StepKind.PROMISE)
    assert (promise.about, promise.message_key) == (step, "apology")


def test_who_is_silent_is_read_by_a_second_reader_when_the_clock_has_run_out(patient: Patient) -> None:
    manager = builders.user(Role.MANAGER, at=patient.clinic)
    complaint = complain(patient, WORDS, CameBy.PAGE, now=NOW)
    restate(complaint, "You waited long.", now=NOW, by=manager)
    step = Step.objects.get(template_step__key="understood")
    assert (step.owner_role, step.message_key) == (OwnerRole.PATIENT, "complaint_restated")
    watch_steps(now=NOW + 7 * DAY)
    step.refresh_from_db()
    assert step.owner_role == OwnerRole.MANAGER


def test_a_message_that_is_one_waits_for_no_other_answer(patient: Patient) -> None:
    desk = builders.user(at=patient.clinic)
    matter = builders.step(builders.journey(patient), kind=StepKind.CALL)
    said = {"clinic": patient.clinic, "patient": patient, "channel": "sms", "at": NOW, "matter": matter}
    Reply.objects.create(body="You forgot me.", **said)
    Reply.objects.create(body="Twice!", **said)
    complaint = complaint_from_messages(patient, heard=None, now=NOW, by=desk)
    matter.refresh_from_db()
    assert (complaint.words, complaint.came_by) == ("You forgot me.\nTwice!", CameBy.MESSAGE)
    assert (matter.status, matter.outcome) == (StepStatus.COMPLETED, "complaint")
    with pytest.raises(StaleStateError):
        complaint_from_messages(patient, heard=None, now=NOW, by=desk)


def test_a_complaint_about_what_is_kept_from_the_parents_is_kept_from_them(patient: Patient) -> None:
    desk = builders.user(at=patient.clinic)
    open_one, kept = (builders.journey(patient, is_confidential=each) for each in (False, True))

    def heard_in(*journeys: Journey) -> Complaint:
        for number, journey in enumerate(journeys):
            matter = builders.step(journey, kind=StepKind.CALL)
            said = {"clinic": patient.clinic, "patient": patient, "channel": "sms", "at": NOW}
            Reply.objects.create(body=f"{matter.pk}, {number}", matter=matter, **said)
        return complaint_from_messages(patient, heard=None, now=NOW, by=desk)

    assert not heard_in(open_one).journey.is_confidential
    assert heard_in(open_one, kept).journey.is_confidential


def test_a_journey_that_ended_meanwhile_keeps_nobody_from_answering(patient: Patient) -> None:
    manager = builders.user(Role.MANAGER, at=patient.clinic)
    complaint = complain(patient, WORDS, CameBy.PAGE, now=NOW)
    Step.objects.update(status=StepStatus.CANCELLED)
    type(complaint.journey).objects.update(status=JourneyStatus.CANCELLED, ended_at=NOW)
    restate(complaint, "You waited long.", now=NOW, by=manager)
    other = builders.user(at=patient.clinic)
    assert ask_reader(complaint, other, role=OwnerRole.RECEPTIONIST, now=NOW, by=manager) is None
    find_understood(complaint, Understood.READER, now=NOW, by=other)
    answer_complaint(complaint, "We are sorry.", now=NOW, by=manager)
    assert complaint.stage == "change"
