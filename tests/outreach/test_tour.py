"""How many calls are in doubt, what is noted with the next one, and what lags behind."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from journeys.actions import NewJourney, start_journey
from journeys.models import EventKind, Step, StepEvent, StepKind, StepStatus
from outreach import channels, senders
from outreach.channels import Abilities, Message, Receipt, WhenUnclear
from outreach.dispatch import LEASE, Counts, dispatch, recover, serve, take
from outreach.models import Attempt, AttemptStatus, TaskStatus
from patients.actions import withdraw_consent
from patients.models import Channel
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


class Watched:
    """A channel that looks at the rows while it is called."""

    secrets: tuple[str, ...] = ()

    def __init__(self, clear: WhenUnclear, look: Callable[[Message], object] = str) -> None:
        self.abilities, self.look = Abilities(clear), look
        self.sent: list[str] = []

    def send(self, message: Message) -> Receipt:
        self.sent.append(message.reference)
        self.look(message)
        return Receipt(f"its-{message.reference}")


@pytest.fixture
def carries(monkeypatch: pytest.MonkeyPatch) -> Callable[[Watched], Watched]:
    """Whatever leaves by SMS leaves by this channel."""
    builders.messages_loaded()

    def by(channel: Watched) -> Watched:
        monkeypatch.setitem(channels.TRANSPORTS, "console", channel)
        return channel

    return by


def in_doubt() -> int:
    return Attempt.objects.filter(status="sending", called_at__isnull=False, sent_at__isnull=True).count()


@pytest.mark.parametrize(
    ("clear", "most"),
    [(WhenUnclear.ASK_A_PERSON, 1), (WhenUnclear.LOOK_UP, 1), (WhenUnclear.REPEAT, 4)],
)
def test_only_a_channel_that_repeats_safely_has_many_calls_in_doubt(
    carries: Callable[[Watched], Watched], clear: WhenUnclear, most: int
) -> None:
    seen: list[int] = []
    carries(Watched(clear, lambda _message: seen.append(in_doubt())))
    for _n in range(4):
        builders.attempt()
    assert dispatch(now=NOW) == Counts(sent=4)
    assert seen == [most] * 4


@pytest.mark.parametrize(
    ("clear", "takes"), [(WhenUnclear.ASK_A_PERSON, SECOND * 0), (WhenUnclear.REPEAT, SECOND * 1.05)]
)
def test_a_stop_between_claim_and_call_holds(
    carries: Callable[[Watched], Watched], clear: WhenUnclear, takes: timedelta
) -> None:
    """Of a batch that is begun together, what was begun more than a moment ago is looked at again."""
    first, second = builders.attempt(send_at=NOW - SECOND), builders.attempt()

    def stop(_message: Message) -> None:
        withdraw_consent(second.patient, second.contact_point, second.channel, now=NOW, words="STOP")
        senders.wait_until(NOW + takes, now=NOW)

    channel = carries(Watched(clear, stop))
    assert dispatch(now=NOW) == Counts(sent=1, replanned=1)
    assert channel.sent == [str(first.reference)]
    second.refresh_from_db()
    assert (second.status, second.outcome) == (AttemptStatus.CANCELLED, "replanned")


def test_what_was_taken_is_recovered_with_all_that_follows(carries: Callable[[Watched], Watched]) -> None:
    """A worker noted that the call was well, and died before it wrote what follows."""
    carries(Watched(WhenUnclear.ASK_A_PERSON))
    attempt = builders.attempt(builders.task(builders.step(kind=StepKind.TELL), plan_from=None))
    take(attempt.pk, attempt.reference, now=NOW, lasts=LEASE)
    Attempt.objects.update(called_at=NOW, sent_at=NOW, provider_reference="its-own")
    assert recover(now=NOW + LEASE) == Counts(sent=1)
    attempt.refresh_from_db()
    attempt.task.refresh_from_db()
    assert (attempt.status, attempt.sent_at, attempt.provider_reference) == ("sent", NOW, "its-own")
    assert (attempt.task.status, attempt.task.unanswered) == (TaskStatus.DONE, 1)
    assert Step.objects.get().outcome == "told"
    assert recover(now=NOW + LEASE) == Counts()


def test_of_a_batch_whose_row_fails_the_others_are_settled(
    carries: Callable[[Watched], Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome of one step cannot be written; its message goes to a person, never out again."""
    carries(Watched(WhenUnclear.ASK_A_PERSON))
    poisoned, sound = (builders.attempt() for _n in range(2))
    event = StepEvent._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(REFUSES[connection.vendor].format(table=event, step=poisoned.task.step_id))
    assert dispatch(now=NOW) == Counts(sent=1)
    poisoned.refresh_from_db()
    sound.refresh_from_db()
    assert (poisoned.status, sound.status) == (AttemptStatus.SENDING, AttemptStatus.SENT)


REFUSES = {
    "sqlite": "CREATE TEMP TRIGGER poison BEFORE INSERT ON {table} WHEN NEW.step_id = {step}"
    " BEGIN SELECT RAISE(ABORT, 'poison'); END",
    "postgresql": "CREATE FUNCTION pg_temp.poison() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'poison'; END $$;"
    " CREATE TRIGGER poison BEFORE INSERT ON {table} FOR EACH ROW WHEN (NEW.step_id = {step})"
    " EXECUTE FUNCTION pg_temp.poison()",
}


def test_what_follows_is_as_with_one_message(carries: Callable[[Watched], Watched]) -> None:
    """A reminder, a question and news side by side, each with its event."""
    carries(Watched(WhenUnclear.REPEAT))
    call_command("load_catalogue", verbosity=0)
    asked = start_journey(builders.patient(), NewJourney("next_stage"), now=NOW).steps.get()
    question = builders.task(asked, plan_from=None, deadline_at=NOW + timedelta(days=9))
    news = builders.task(builders.step(kind=StepKind.TELL), plan_from=None)
    reminder = builders.task(plan_from=None)
    for task in (question, news, reminder):
        builders.attempt(task)
    assert dispatch(now=NOW) == Counts(sent=3)
    for task in (question, news, reminder):
        task.refresh_from_db()
        assert task.step.events.filter(kind=EventKind.CONTACTED, detail=task.message_key).count() == 1
    assert (question.status, question.plan_from) == (TaskStatus.OPEN, NOW + timedelta(days=1))
    assert (news.status, reminder.status) == (TaskStatus.DONE, TaskStatus.DONE)
    ends = [Step.objects.get(pk=task.step_id).status for task in (question, news, reminder)]
    assert ends == [StepStatus.ACTIVE, StepStatus.COMPLETED, StepStatus.ACTIVE]
    assert Step.objects.get(pk=news.step_id).journey.status == "completed"


@pytest.mark.parametrize("clear", [WhenUnclear.ASK_A_PERSON, WhenUnclear.REPEAT])
def test_one_more_message_costs_one_statement_or_none(
    carries: Callable[[Watched], Watched], clear: WhenUnclear
) -> None:
    carries(Watched(clear))

    def statements_for(count: int) -> int:
        for _n in range(count):
            builders.attempt()
        with CaptureQueriesContext(connection) as captured:
            assert dispatch(now=NOW) == Counts(sent=count)
        own = [
            each["sql"] for each in captured if not each["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))
        ]
        return len(own)

    statements_for(1)
    each = statements_for(5) - statements_for(4)
    begun = (
        1 if connection.vendor == "postgresql" else 2
    )  # SQLite notes the one before in a statement of its own
    assert each == (0 if clear == WhenUnclear.REPEAT else begun)


def test_a_tick_stays_for_what_becomes_due_within_it(carries: Callable[[Watched], Watched]) -> None:
    channel = carries(Watched(WhenUnclear.ASK_A_PERSON))
    builders.attempt(send_at=NOW + SECOND / 5)
    builders.attempt(send_at=NOW + 9 * SECOND)
    builders.attempt(channel=Channel.PHONE, send_at=NOW + SECOND / 5)
    assert serve("sms", now=NOW) == Counts(sent=1)
    assert len(channel.sent) == 1


def test_a_lost_lease_writes_nothing_of_what_follows(carries: Callable[[Watched], Watched]) -> None:
    attempt, other = builders.attempt(send_at=NOW - SECOND), builders.attempt()

    def lose(_message: Message) -> None:
        Attempt.objects.filter(pk=attempt.pk).update(lease=uuid4())

    carries(Watched(WhenUnclear.ASK_A_PERSON, lose))
    assert dispatch(now=NOW) == Counts(sent=1)
    attempt.refresh_from_db()
    other.refresh_from_db()
    assert (attempt.status, attempt.sent_at) == (AttemptStatus.SENDING, None)
    assert (other.status, attempt.task.step.events.count()) == (AttemptStatus.SENT, 0)
