"""How often a task was tried in vain never disagrees with its attempts, whoever wrote how they ended."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from outreach import channels
from outreach.calls import claim_call, record_outcome
from outreach.channels import Abilities, ChannelError, Message, Receipt, Trouble, WhenUnclear
from outreach.channels.inbound import Receipted, Stage
from outreach.channels.phone import CallOutcome
from outreach.dispatch import dispatch, recover
from outreach.models import Attempt, AttemptStatus, OutreachTask
from outreach.queries import CARRIED_OUT
from outreach.receipts import record_receipt
from outreach.silence import ANSWERED, BAD_ADDRESS, NOT_SENT, Past, tried
from outreach.silent import silent_tasks
from outreach.unanswered import count_unanswered
from patients.actions import RefusedError
from patients.models import Channel
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def counted(task: OutreachTask) -> int:
    """The same, row by row in Python."""
    found = 0
    for attempt in task.attempts.filter(status__in=CARRIED_OUT):
        if attempt.outcome not in ANSWERED | NOT_SENT:
            found += 2 if attempt.outcome in BAD_ADDRESS else 1
    return found


def kept(task: OutreachTask) -> int:
    task.refresh_from_db()
    assert task.unanswered == counted(task)
    return task.unanswered


@pytest.mark.parametrize("code", CallOutcome.values)
def test_every_way_a_call_may_end_is_counted_as_it_is(code: str) -> None:
    task = builders.task(plan_from=None)
    builders.appointment(task.patient, step=task.step)
    call = claim_call(builders.attempt(task, channel=Channel.PHONE), by=builders.user(), now=NOW)
    later = NOW + timedelta(days=1)
    if code == CallOutcome.NOT_NOW:
        with pytest.raises(RefusedError):
            record_outcome(call, code, now=NOW)
        return
    record_outcome(call, code, now=NOW, note="her words", call_again_at=later)
    assert kept(task) == {CallOutcome.NO_ANSWER: 1, CallOutcome.WRONG_NUMBER: 2}.get(CallOutcome(code), 0)


def failing(error: Exception) -> Callable[[Message], Receipt]:
    def answer(_message: Message) -> Receipt:
        raise error

    return answer


@pytest.fixture
def channel() -> Iterator[SimpleNamespace]:
    usual = channels.TRANSPORTS["console"]
    abilities = Abilities(WhenUnclear.ASK_A_PERSON)
    fake = SimpleNamespace(secrets=(), abilities=abilities, send=lambda _message: Receipt("x"))
    channels.TRANSPORTS["console"] = fake
    builders.messages_loaded()
    yield fake
    channels.TRANSPORTS["console"] = usual


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, 1),
        (ChannelError(Trouble.BUSY), 0),
        (ChannelError(Trouble.REFUSED), 0),
        (ChannelError(Trouble.UNFIT), 0),
        (ChannelError(Trouble.NO_SUCH_ADDRESS), 2),
        (RuntimeError("broke off"), 1),
    ],
    ids=["sent", "kept back", "refused", "unfit", "bad address", "unknown"],
)
def test_every_way_a_message_may_end_is_counted_as_it_is(
    channel: SimpleNamespace, answer: Exception | None, expected: int
) -> None:
    attempt = builders.attempt()
    if answer:
        channel.send = failing(answer)
    dispatch(now=NOW)
    assert kept(attempt.task) == expected


def test_a_message_whose_worker_died_is_counted_when_it_is_found(channel: SimpleNamespace) -> None:
    at = NOW - timedelta(hours=1)
    attempt = builders.attempt(status="sending", lease="9" * 32, lease_until=at, called_at=at)
    recover(now=NOW)
    assert kept(attempt.task) == 1


def test_the_migration_counts_what_there_is() -> None:
    outcomes = ["", "no_answer", "wrong_number", "spoken", "busy", "refused"]
    made = [
        builders.attempt(
            channel=Channel.PHONE,
            status=AttemptStatus.FAILED,
            outcome=outcome,
            send_at=NOW - timedelta(days=1),
        )
        for outcome in outcomes
    ]
    builders.attempt(made[1].task, status=AttemptStatus.SENT, sent_at=NOW)
    expected = {task.pk: task.unanswered for task in OutreachTask.objects.all()}
    assert sorted(expected.values()) == [0, 0, 0, 1, 2, 2]
    OutreachTask.objects.update(unanswered=0)
    for name, function in (
        ("0005_count_unanswered_tries", "count"),
        ("0012_count_anew", "count_anew"),
    ):
        module = import_module(f"outreach.migrations.{name}")
        getattr(module, function)(apps, SimpleNamespace(connection=connection))
    assert {task.pk: counted(task) for task in OutreachTask.objects.all()} == expected
    assert dict(OutreachTask.objects.values_list("pk", "unanswered")) == expected


@pytest.mark.parametrize("outcome", ["", *CallOutcome.values, *Trouble.values, "opted_out", "bad_address"])
def test_what_counts_as_silence_is_the_same_in_the_count_and_in_the_grid(outcome: str) -> None:
    task = builders.task(plan_from=None)
    at = NOW - timedelta(days=1)
    made = builders.attempt(task, status=AttemptStatus.FAILED, outcome=outcome, send_at=at)
    count_unanswered([task.pk])
    past = Past(made.channel, made.contact_point_id, at, outcome)
    in_the_grid = tried([past], zone="Asia/Jerusalem", weekend=frozenset({4, 5}))
    task.refresh_from_db()
    assert (task.unanswered == 1) == bool(in_the_grid)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plan of PostgreSQL")
def test_the_silent_are_found_by_their_own_index() -> None:
    clinic = builders.clinic()
    found = silent_tasks(builders.user(at=clinic)).filter(clinic=clinic)[:41]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    assert "outreach_task_silent" in found.explain()
    assert Attempt.objects.count() == 0


def test_a_late_receipt_is_counted_too() -> None:
    task = builders.task(plan_from=None)
    attempt = builders.attempt(task, status=AttemptStatus.SENT, sent_at=NOW, called_at=NOW)
    assert kept(task) == 1
    gone = Receipted(str(attempt.reference), "SM1", Stage.FAILED, Trouble.NO_SUCH_ADDRESS)
    assert record_receipt(attempt, gone, now=NOW)
    assert kept(task) == 2
