"""Calls about a decision at which the doctor looks once more: off the list, said why, and back afterwards."""

from datetime import timedelta

import pytest

from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.actions import plan_attempts
from outreach.anew import plan_held
from outreach.by_hand import message_now
from outreach.calls import call_now, claim_call
from outreach.held import is_in_doubt
from outreach.models import Attempt, AttemptStatus, Reply
from outreach.trace import trace_of
from patients.actions import CardAnswers, RefusedError, save_card
from patients.models import Channel
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
SAID = "the doctor looks at it once more"


@pytest.fixture
def call() -> Attempt:
    """A planned call that tells what was decided, to a patient who wants to be called."""
    builders.messages_loaded()
    patient = builders.patient()
    save_card(patient, CardAnswers(Channel.PHONE), now=NOW, by=builders.user())
    journey = builders.journey(patient)
    builders.step(
        journey,
        kind=StepKind.REVIEW,
        status=StepStatus.COMPLETED,
        completed_at=NOW - timedelta(hours=1),
        outcome="no_treatment",
    )
    told = builders.step(
        journey, kind=StepKind.TELL, message_key="told_none", opened_at=NOW - timedelta(hours=1)
    )
    task = builders.task(told, plan_from=None)
    return builders.attempt(task, channel=Channel.PHONE, send_at=NOW - timedelta(minutes=1))


def corrected(call: Attempt) -> Step:
    """Something new has come since."""
    return builders.step(call.task.step.journey, kind=StepKind.REVIEW, opened_at=NOW)


def test_the_call_leaves_the_list_and_the_trace_says_why(call: Attempt) -> None:
    assert plan_held(now=NOW) == 0
    corrected(call)
    assert plan_held(now=NOW) == 1
    plan_attempts(now=NOW)
    call.refresh_from_db()
    assert (call.status, call.decisions.get().rules) == (AttemptStatus.CANCELLED, "decided_anew")
    assert not Attempt.objects.filter(status=AttemptStatus.PLANNED).exists()
    lines = [line for each in trace_of(call.patient, now=NOW) for line in each.lines]
    assert any(SAID in line.words for line in lines)


def test_it_is_planned_again_once_the_doctor_has_looked(call: Attempt) -> None:
    review = corrected(call)
    plan_held(now=NOW)
    plan_attempts(now=NOW)
    Step.objects.filter(pk=review.pk).update(
        status=StepStatus.COMPLETED, completed_at=NOW, outcome="no_treatment"
    )
    plan_attempts(now=NOW + timedelta(minutes=10))
    again = Attempt.objects.get(status=AttemptStatus.PLANNED)
    assert (again.channel, again.task) == (Channel.PHONE, call.task)


def test_nobody_takes_the_call_nor_calls_or_writes_by_hand(call: Attempt) -> None:
    corrected(call)
    rina = builders.user(at=call.clinic)
    step = Step.objects.get(pk=call.task.step_id)
    with pytest.raises(RefusedError, match=SAID):
        claim_call(call, by=rina, now=NOW)
    with pytest.raises(RefusedError, match=SAID):
        call_now(step, by=rina, now=NOW, because="she is at the desk")
    with pytest.raises(RefusedError, match=SAID):
        message_now(step, call=None, now=NOW, by=rina, not_before=NOW)
    call.refresh_from_db()
    assert call.status == AttemptStatus.PLANNED


def test_a_persons_own_step_about_it_waits_as_well(call: Attempt) -> None:
    asked = builders.step(call.task.step.journey, kind=StepKind.CALL, about=call.task.step)
    assert not is_in_doubt(asked)
    corrected(call)
    assert is_in_doubt(asked)
    Step.objects.filter(pk=asked.pk).update(owner_role=OwnerRole.DOCTOR)
    assert not is_in_doubt(Step.objects.get(pk=asked.pk))


def test_her_own_question_is_answered_all_the_same(call: Attempt) -> None:
    asked = builders.step(call.task.step.journey, kind=StepKind.CALL)
    Reply.objects.create(
        clinic=call.clinic, patient=call.patient, channel="sms", at=NOW, body="?", matter=asked
    )
    corrected(call)
    attempt = call_now(asked, by=builders.user(at=call.clinic), now=NOW, because="she asked")
    assert attempt.status == AttemptStatus.SENDING
    assert plan_held(now=NOW) == 1  # the other one
