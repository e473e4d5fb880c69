"""Planning, sending and calling keep to what may be done at each address."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st
from hypothesis.extra.django import TestCase

from outreach.actions import plan_attempts
from outreach.calls import call_now, claim_call
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus, MessageTemplate, OutreachTask
from outreach.queries import script_for, tries_of
from outreach.reach import Reach, message_channel_for
from patients.actions import RefusedError, StaleStateError
from patients.addresses import TieAnswers, add_tie, change_tie, remove_tie
from patients.models import Channel, MaySay, PatientContact, Relation
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

NEVER_CALL, CALL_BACK_ONLY = TieAnswers(may_be_called=False), TieAnswers(may_say="call_back")


def ways(task: OutreachTask) -> set[str]:
    reach = Reach.among([task.pk], now=NOW)
    return {option.channel for option in reach.options(reach.tasks[0])}


@pytest.mark.parametrize(
    ("answers", "channels"),
    [
        (TieAnswers(), {"phone", "sms"}),
        (NEVER_CALL, {"sms"}),
        (CALL_BACK_ONLY, {"phone"}),
        (TieAnswers(may_be_called=False, may_say="call_back"), set()),
    ],
)
def test_planning_keeps_to_what_may_be_done(answers: TieAnswers, channels: set[str]) -> None:
    task = builders.task()
    change_tie(task.patient.contacts.get(), answers)
    assert ways(task) == channels


TIES = st.fixed_dictionaries(
    {
        "may_be_called": st.booleans(),
        "may_say": st.sampled_from(MaySay.values),
        "relation": st.sampled_from(Relation.values),
        "rank": st.integers(1, 4),
    }
)


class Planned(TestCase):
    @hypothesis_settings(max_examples=40)
    @given(st.lists(TIES, min_size=1, max_size=4), st.integers(0, 14 * 24), st.booleans())
    def test_no_call_is_planned_where_nobody_may_call_and_nothing_is_written_where_only_a_call_back_may_be_asked(
        self, ties: list[dict[str, Any]], hours: int, is_child: bool
    ) -> None:
        born = NOW.date() - timedelta(days=365 * (9 if is_child else 40))
        task = builders.task(builders.step(builders.journey(builders.patient(birth_date=born))))
        task.patient.contacts.update(**ties[0])
        for n, tie in enumerate(ties[1:]):
            add_tie(task.patient, "phone", f"054-765-432{n}", TieAnswers(**tie))
        plan_attempts(now=NOW + timedelta(hours=hours))
        for attempt in Attempt.objects.all():
            way = PatientContact.objects.get(contact_point=attempt.contact_point)
            everything = way.may_say == MaySay.EVERYTHING
            assert way.may_say != MaySay.NOTHING
            assert way.may_be_called if attempt.channel == Channel.PHONE else everything


@pytest.mark.parametrize("how", ["never called", "removed"])
def test_a_planned_call_that_is_no_longer_wanted_is_not_made_but_planned_another_way(how: str) -> None:
    attempt = builders.attempt(channel=Channel.PHONE)
    tie = attempt.patient.contacts.get()
    add_tie(attempt.patient, "phone", "054-765-4321", TieAnswers())
    if how == "removed":
        remove_tie(tie)
    else:
        change_tie(tie, NEVER_CALL)
    with pytest.raises(StaleStateError, match="not to be called"):
        claim_call(attempt, by=builders.user(), now=NOW)
    attempt.refresh_from_db()
    attempt.task.refresh_from_db()
    assert (attempt.status, attempt.task.plan_from) == (AttemptStatus.CANCELLED, NOW)


def test_calling_outside_the_plan_takes_a_number_that_may_be_called() -> None:
    step = builders.step()
    patient = step.journey.patient
    assert patient is not None
    change_tie(patient.contacts.get(), NEVER_CALL)
    with pytest.raises(RefusedError, match="no number"):
        call_now(step, by=builders.user(), now=NOW, because="urgent")
    home = add_tie(patient, "phone", "054-765-4321", TieAnswers())
    assert call_now(step, by=builders.user(), now=NOW, because="urgent").contact_point == home.contact_point


@pytest.mark.parametrize("how", ["call back only", "removed"])
def test_a_planned_message_does_not_leave_where_nothing_may_be_written_any_more(how: str) -> None:
    builders.messages_loaded()
    attempt = builders.attempt()
    tie = attempt.patient.contacts.get()
    add_tie(attempt.patient, "phone", "054-765-4321", TieAnswers())
    if how == "removed":
        remove_tie(tie)
    else:
        change_tie(tie, CALL_BACK_ONLY)
    counts = dispatch(now=NOW)
    assert (counts.sent, counts.replanned) == (0, 1)
    plan_attempts(now=NOW)
    other = Attempt.objects.get(status=AttemptStatus.PLANNED)
    assert other.contact_point.value == "+972547654321"


def test_the_script_says_no_more_than_may_be_said() -> None:
    builders.messages_loaded()
    task = builders.task(plan_from=None)
    task.patient.language = "en"
    attempt = builders.attempt(task, channel=Channel.PHONE)
    assert "ready to book" in script_for(attempt, now=NOW).words
    change_tie(task.patient.contacts.get(), CALL_BACK_ONLY)
    attempt = Attempt.objects.get(pk=attempt.pk)
    attempt.patient.language = "en"
    assert script_for(attempt, now=NOW).words == (
        "Hello, this is the reception from Alon Clinic. Please ask Dana to call us back: 03-555-0142. Thank you."
    )


@pytest.mark.parametrize(("relation", "read"), [(Relation.SELF, "to her"), (Relation.PARENT, "to anybody")])
def test_her_grammatical_form_is_used_where_she_reads_or_answers_herself(relation: str, read: str) -> None:
    for variant, words in (("", "to anybody"), ("f", "to her")):
        for key in ("next_step", "ask_times", "call_opening", "call_closing"):
            MessageTemplate.objects.create(key=key, language="en", variant=variant, body=words)
    patient = builders.patient(gender="f", language="en", birth_date=date(2018, 5, 4))
    patient.contacts.update(relation=relation)
    task = builders.task(builders.step(builders.journey(patient)), plan_from=None)
    attempt = builders.attempt(task)
    assert script_for(attempt, now=NOW).words == "\n".join([read] * 4)
    dispatch(now=NOW)
    attempt.refresh_from_db()
    assert (attempt.status, attempt.body) == (AttemptStatus.SENT, read)


def test_a_message_is_preferred_only_where_one_may_be_written() -> None:
    patient = builders.patient()
    assert message_channel_for(patient) == Channel.SMS
    change_tie(patient.contacts.get(), CALL_BACK_ONLY)
    assert message_channel_for(patient) is None


def test_tries_are_calls_by_speaking_and_messages_by_a_reply() -> None:
    task = builders.task(plan_from=None)
    hours = [NOW + timedelta(hours=n) for n in range(6)]

    def done(at: Any, channel: str, status: str, **fields: Any) -> Attempt:
        sent = None if status == "failed" else at
        return builders.attempt(
            task, channel=channel, status=status, send_at=at, called_at=at, sent_at=sent, **fields
        )

    done(hours[0], "phone", "delivered", outcome="spoken")
    done(hours[1], "phone", "failed", outcome="no_answer")
    done(hours[2], "phone", "failed", outcome="wrong_number")
    done(hours[3], "sms", "failed", outcome="refused")
    done(hours[3], "sms", "sent")
    text = done(hours[4], "sms", "delivered")
    text.replies.create(clinic=task.clinic, patient=task.patient, channel="sms", at=hours[5], body="yes")
    assert [(each.channel, each.at, each.answered) for each in tries_of(task.patient)] == [
        ("sms", hours[5], True),
        ("sms", hours[3], False),
        ("phone", hours[1], False),
        ("phone", hours[0], True),
    ]
