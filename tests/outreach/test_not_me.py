"""Somebody else got our message and says so: nothing more goes there for her, and a person checks it."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import Q

from clinic_journey.panel import endings_of
from journeys.models import Journey, Step, StepKind, StepStatus
from outreach.actions import plan_attempts
from outreach.calls import call_now, claim_call
from outreach.channels.inbound import Said
from outreach.closing import merge_records
from outreach.conversations import Way, asked_in, matters_in
from outreach.dispatch import dispatch, take
from outreach.door import forbidden_by, open_parcels
from outreach.followup import end_step
from outreach.links import journey_for, token_for
from outreach.models import Attempt, AttemptStatus, Reply
from outreach.new_links import send_new_link
from outreach.not_me import is_hers, remove_address
from outreach.number_test import send_test
from outreach.replies import receive_reply
from outreach.senders import Turn
from outreach.trace import trace_of
from outreach.written import Written, leave_unanswered, write_back
from patients.actions import RefusedError, StaleStateError, add_address
from patients.addresses import remove_tie
from patients.models import AddressKind, AddressStatus, Channel, Patient, PatientContact, Relation
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PHONE = "+972502345678"
WORDS = "Sorry, wrong number"


def told(patient: Patient, *, hours: int = 1, **fields: Any) -> Attempt:
    step = builders.step(builders.journey(patient), kind=StepKind.TELL)
    task = builders.task(step, plan_from=None)
    sent = {"status": "sent", "sent_at": NOW, "called_at": NOW - timedelta(hours=hours)}
    return builders.attempt(task, **{**sent, **fields})


def wrote(words: str = WORDS) -> str:
    return receive_reply(Said("sms", "phone", PHONE, words, at=NOW), now=NOW)


def tie_of(patient: Patient) -> PatientContact:
    return patient.contacts.select_related("contact_point", "patient__clinic").order_by("rank")[0]


def checks() -> list[Step]:
    return list(Step.objects.filter(replies__meaning="not_me").distinct())


@pytest.fixture
def patient() -> Patient:
    builders.messages_loaded()
    return builders.patient(language="en")


def test_nothing_more_goes_there_and_the_desk_has_a_clock(patient: Patient) -> None:
    told(patient)
    assert wrote() == "not_me"
    tie = tie_of(patient)
    assert tie.suspended_at == NOW
    assert tie.contact_point.status != AddressStatus.BAD
    (check,) = checks()
    assert (check.kind, check.status, check.owner_role) == (StepKind.CALL, StepStatus.ACTIVE, "receptionist")
    assert "050-234-5678" in check.names["en"]
    assert check.due_at == NOW + timedelta(hours=2)
    reply = Reply.objects.get()
    assert (reply.body, reply.contact_point, reply.step) == (WORDS, tie.contact_point, check)
    assert reply.matter is None  # there is nobody to answer
    with pytest.raises(RefusedError):
        send_test(tie, Channel.SMS, now=NOW, by=builders.user())


def test_what_is_planned_there_goes_her_next_way(patient: Patient) -> None:
    add_address(patient, AddressKind.EMAIL, "dana@example.com", rank=2)
    told(patient, hours=30)
    queued = builders.attempt(
        builders.task(builders.step(builders.journey(patient)), plan_from=None), send_at=NOW
    )
    wrote()
    queued.refresh_from_db()
    assert (queued.status, queued.decisions.get().rules) == (AttemptStatus.CANCELLED, "not_hers")
    dispatch(now=NOW)
    plan_attempts(now=NOW)
    again = Attempt.objects.get(task=queued.task, status=AttemptStatus.PLANNED)
    assert (again.channel, again.contact_point.value) == ("email", "dana@example.com")
    lines = [line for each in trace_of(patient, now=NOW) for line in each.lines]
    assert any("it is not the patient" in line.words for line in lines)


def test_without_another_way_a_person_is_asked_to_call(patient: Patient) -> None:
    queued = builders.attempt(builders.task(builders.step(builders.journey(patient)), plan_from=None))
    told(patient)
    wrote()
    plan_attempts(now=NOW)
    asked = Step.objects.filter(about=queued.task.step, kind=StepKind.CALL)
    assert "no address is left" in asked.get().names["en"]


def test_what_it_had_told_is_told_anew(patient: Patient) -> None:
    """The step of the message had ended as told; somebody else was told."""
    sent = told(patient)
    Step.objects.filter(pk=sent.task.step_id).update(
        status=StepStatus.COMPLETED, completed_at=NOW, outcome="told"
    )
    sent.task.__class__.objects.filter(pk=sent.task_id).update(status="done", outcome="told", ended_at=NOW)
    wrote()
    anew = Step.objects.get(about=sent.task.step_id)
    assert "did not arrive" in anew.names["en"]


def test_a_message_that_a_worker_holds_already_does_not_leave(patient: Patient) -> None:
    queued = builders.attempt(
        builders.task(builders.step(builders.journey(patient)), plan_from=None), send_at=NOW
    )
    told(patient, hours=30)
    lease = queued.reference
    take(queued.pk, lease, now=NOW, lasts=timedelta(minutes=1))
    (parcel,) = open_parcels([queued.pk], lease, now=NOW)
    wrote()
    assert builders.delivered(parcel, Turn("sms")) == ""
    queued.refresh_from_db()
    assert queued.status == AttemptStatus.CANCELLED


def test_the_door_says_the_rule(patient: Patient) -> None:
    planned = builders.attempt(builders.task(builders.step(builders.journey(patient)), plan_from=None))
    patient.contacts.update(suspended_at=NOW)
    assert forbidden_by(planned, now=NOW) == "not_hers"


def test_nobody_calls_there_either(patient: Patient) -> None:
    call = builders.attempt(
        builders.task(builders.step(builders.journey(patient)), plan_from=None), channel=Channel.PHONE
    )
    patient.contacts.update(suspended_at=NOW)
    with pytest.raises(StaleStateError):
        claim_call(call, by=builders.user(), now=NOW)
    with pytest.raises(RefusedError, match="no number"):
        call_now(call.task.step, by=builders.user(), now=NOW, because="asked")


def test_the_family_on_the_same_phone_is_not_silenced(patient: Patient) -> None:
    ben = builders.patient(patient.clinic, given_name="Ben", phone="")
    add_address(ben, AddressKind.PHONE, PHONE, relation=Relation.PARENT)
    told(ben, hours=3)
    told(patient, hours=2)
    his = builders.attempt(
        builders.task(builders.step(builders.journey(ben)), plan_from=None), status="planned"
    )
    wrote()
    assert (tie_of(patient).suspended_at, tie_of(ben).suspended_at) == (NOW, None)
    his.refresh_from_db()
    assert his.status == AttemptStatus.PLANNED


def test_the_link_in_that_message_opens_nothing_more(patient: Patient) -> None:
    sent = told(patient)
    journey = Journey.objects.get(pk=sent.task.step.journey_id)
    link = token_for(journey)
    wrote()
    assert journey_for(link, now=NOW) is None
    assert not send_new_link(link, now=NOW)


def test_said_twice_it_is_one_check(patient: Patient) -> None:
    told(patient)
    wrote()
    wrote("I told you, wrong number!")
    assert len(checks()) == 1
    assert Reply.objects.count() == 2


def test_who_was_not_written_to_is_read_by_a_person(patient: Patient) -> None:
    """There was no message of ours that reached anybody wrong."""
    assert wrote("There is a wrong number in my papers") == "reply"
    assert tie_of(patient).suspended_at is None


def test_the_desk_takes_it_back_after_a_look(patient: Patient) -> None:
    told(patient)
    wrote()
    rina = builders.user(at=patient.clinic)
    is_hers(tie_of(patient), now=NOW, by=rina)
    (check,) = checks()
    assert (check.status, check.outcome) == (StepStatus.COMPLETED, "address_checked")
    step = builders.step(builders.journey(patient))
    builders.task(step, plan_from=NOW)
    plan_attempts(now=NOW)
    assert Attempt.objects.get(task__step=step).contact_point.value == PHONE
    with pytest.raises(StaleStateError):
        is_hers(tie_of(patient), now=NOW, by=rina)


def test_an_address_in_doubt_may_be_removed_and_no_other_is_left_alone(patient: Patient) -> None:
    mail = add_address(patient, AddressKind.EMAIL, "dana@example.com", rank=2)
    told(patient)
    wrote()
    with pytest.raises(RefusedError, match="only address"):
        remove_tie(mail)
    doubted = tie_of(patient)
    with pytest.raises(ValueError, match="unsaved"):  # what cannot be ended leaves the address where it was
        remove_address(doubted, now=NOW, by=User())
    assert patient.contacts.filter(pk=doubted.pk).exists()
    remove_address(doubted, now=NOW, by=builders.user(at=patient.clinic))
    assert [check.status for check in checks()] == [StepStatus.COMPLETED]


def test_a_merged_record_keeps_the_doubt(patient: Patient) -> None:
    other = builders.patient(patient.clinic, given_name="Dana", phone=PHONE)
    other.contacts.update(suspended_at=NOW)
    merge_records(other, patient, now=NOW, by=builders.user(at=patient.clinic))
    assert not patient.contacts.filter(~Q(suspended_at=NOW)).exists()


def test_it_is_no_conversation_and_ends_when_the_address_is_checked_alone(patient: Patient) -> None:
    told(patient)
    mail = add_address(patient, AddressKind.EMAIL, "dana@example.com", rank=2)
    wrote()
    (check,) = checks()
    assert not matters_in(patient.clinic).exists()
    assert not asked_in(patient.clinic).exists()
    written = Written(Way(mail, Channel.EMAIL), "Is your number another one?")
    write_back(patient, written, now=NOW, by=builders.user(at=patient.clinic))
    assert endings_of(check) == []
    assert not end_step(check, "spoken", now=NOW)
    check.refresh_from_db()
    assert check.status == StepStatus.ACTIVE
    is_hers(tie_of(patient), now=NOW, by=builders.user(at=patient.clinic))
    check.refresh_from_db()
    assert check.outcome == "address_checked"


def test_the_migration_sets_apart_what_waited_as_a_matter(patient: Patient) -> None:
    told(patient)
    wrote()
    (check,) = checks()
    asked = builders.step(check.journey, kind=StepKind.CALL)
    theirs, hers = (
        Reply.objects.get(),
        Reply.objects.create(
            clinic=patient.clinic, patient=patient, channel="sms", at=NOW, step=asked, matter=asked
        ),
    )
    Reply.objects.filter(pk=theirs.pk).update(matter=check)
    Step.objects.update(ends_with="")
    import_module("outreach.migrations.0024_who_is_not_she_asks_for_no_answer").set_apart(apps, None)
    assert dict(Reply.objects.values_list("pk", "matter")) == {theirs.pk: None, hers.pk: asked.pk}
    assert set(Step.objects.exclude(ends_with="")) == {check}


def test_a_stop_said_with_it_is_read_by_a_person_and_holds_until_then(patient: Patient) -> None:
    told(patient)
    assert wrote("Wrong number, please stop") == "not_me"
    asked = Reply.objects.get(meaning="maybe_stop").matter
    assert asked
    assert asked not in checks()
    is_hers(tie_of(patient), now=NOW, by=builders.user(at=patient.clinic))
    planned = builders.attempt(builders.task(builders.step(builders.journey(patient)), plan_from=None))
    assert forbidden_by(planned, now=NOW) == "maybe_stop"
    leave_unanswered(patient, now=NOW, by=builders.user(at=patient.clinic))
    assert forbidden_by(planned, now=NOW) is None
