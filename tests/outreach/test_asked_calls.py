"""A reply that asks for a call is a promise with its time, and she is told so where she wrote from."""

from datetime import UTC, datetime, timedelta

import pytest

from journeys.actions import complete_step
from journeys.chases import Promise, make_promise
from journeys.models import Step, StepKind, StepStatus
from outreach.channels.inbound import Said
from outreach.dispatch import dispatch
from outreach.models import Attempt, Reply
from outreach.replies import receive_reply
from patients.actions import withdraw_consent
from patients.models import Patient
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
FOUR = datetime(2026, 3, 9, 14, 0, tzinfo=UTC)  # 16:00 in Jerusalem, while the clinic is open


@pytest.fixture
def patient() -> Patient:
    builders.messages_loaded()
    return builders.patient(language="he")


def wrote(words: str) -> str:
    return receive_reply(Said("sms", "phone", "+972502345678", words, at=NOW), now=NOW)


def test_it_is_promised_at_that_hour_and_confirmed_in_her_language(patient: Patient) -> None:
    assert wrote("אפשר להתקשר אליי בארבע?") == "call_at"
    promise = Step.objects.get(kind=StepKind.PROMISE)
    assert (promise.due_at, promise.owner_role, promise.status) == (FOUR, "receptionist", StepStatus.ACTIVE)
    assert "בארבע" in promise.title
    reply = Reply.objects.get()
    assert (reply.step, reply.meaning, reply.matter) == (promise, "call_at", None)
    dispatch(now=NOW)
    attempt = Attempt.objects.get()
    assert (attempt.channel, attempt.status, attempt.language) == ("sms", "sent", "he")
    assert "נתקשר אליך עד יום שני 9 במרץ בשעה 16:00" in attempt.body
    assert not Step.objects.filter(kind=StepKind.CALL).exists()


def test_it_belongs_to_the_journey_that_was_written_about(patient: Patient) -> None:
    step = builders.step(builders.journey(patient))
    builders.step(builders.journey(patient), due_at=NOW + timedelta(minutes=1))
    task = builders.task(step, plan_from=None)
    builders.attempt(task, status="sent", sent_at=NOW, called_at=NOW - timedelta(hours=1))
    wrote("call me at 4 pm")
    assert Step.objects.get(kind=StepKind.PROMISE).journey == step.journey


def test_an_hour_alone_answers_a_message_that_asks_for_one(patient: Patient) -> None:
    step = builders.step(builders.journey(patient), kind=StepKind.RECALL)
    task = builders.task(step, plan_from=None, message_key="recall")
    builders.attempt(task, status="sent", sent_at=NOW, called_at=NOW - timedelta(hours=1))
    assert wrote("16:00") == "call_at"
    assert Step.objects.get(kind=StepKind.PROMISE).due_at == FOUR


@pytest.mark.parametrize("again", ["call me at 4 pm", "please call me at 16:00", "תתקשרו בארבע"])
def test_the_same_wish_again_is_the_same_promise_and_confirmed_once(patient: Patient, again: str) -> None:
    wrote("call me at 4 pm")
    dispatch(now=NOW)
    assert wrote(again) == "call_at"
    dispatch(now=NOW)
    promise = Step.objects.get(kind=StepKind.PROMISE)
    assert {reply.step for reply in Reply.objects.all()} == {promise}
    assert (Reply.objects.count(), Attempt.objects.count()) == (2, 1)


def test_what_the_desk_has_promised_for_that_time_is_not_promised_twice(patient: Patient) -> None:
    made = make_promise(patient, Promise("A call, as we wrote", FOUR), now=NOW)
    wrote("call me at 4 pm")
    assert Step.objects.get(kind=StepKind.PROMISE) == made
    assert not Attempt.objects.exists()


def test_another_time_or_a_promise_that_was_kept_is_a_new_one(patient: Patient) -> None:
    wrote("call me at 4 pm")
    wrote("call me at 5 pm")
    complete_step(Step.objects.get(kind=StepKind.PROMISE, due_at=FOUR), "kept", now=NOW)
    wrote("call me at 4 pm")
    due = Step.objects.filter(kind=StepKind.PROMISE).order_by("pk").values_list("due_at", flat=True)
    assert list(due) == [FOUR, FOUR + timedelta(hours=1), FOUR]
    assert Attempt.objects.count() == 3


@pytest.mark.parametrize(
    "words",
    [
        "please call me",
        "call me in 5",
        "call me in five please",
        "call me at 23:00",
        "call me at 4 pm, it hurts",
        "please stop calling at four",
    ],
)
def test_what_leaves_anything_open_is_with_a_person(patient: Patient, words: str) -> None:
    wrote(words)
    assert not Step.objects.filter(kind=StepKind.PROMISE).exists()
    matter = Step.objects.get(kind=StepKind.CALL)
    assert Reply.objects.get().matter == matter


def test_what_is_kept_from_the_parents_loses_no_words_that_came_from_their_phone(patient: Patient) -> None:
    step = builders.step(builders.journey(patient, is_confidential=True))
    task = builders.task(step, plan_from=None)
    builders.attempt(task, status="sent", sent_at=NOW, called_at=NOW - timedelta(hours=1))
    patient.contacts.update(relation="parent")
    assert wrote("call me at 4 pm") == "call_at"
    assert Step.objects.get(kind=StepKind.PROMISE).journey == step.journey
    assert Attempt.objects.count() == 1  # nothing is said to that phone


def test_where_she_wants_no_messages_the_call_is_the_answer(patient: Patient) -> None:
    point = patient.contacts.get().contact_point
    withdraw_consent(patient, point, "sms", now=NOW, words="STOP")
    assert wrote("call me at 4 pm") == "call_at"
    assert Step.objects.filter(kind=StepKind.PROMISE).exists()
    assert not Attempt.objects.exists()
