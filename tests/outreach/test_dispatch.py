"""The outbox: what leaves, what is put back, and what an unclear ending means. The channel is a plain fake object."""

from collections.abc import Callable, Iterator
from datetime import time, timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from journeys.actions import NewJourney, start_journey
from journeys.claims import adapted
from journeys.models import Step, StepKind, StepStatus
from outreach import channels
from outreach.channels import Abilities, ChannelError, Message, Receipt, Trouble, WhenUnclear
from outreach.dispatch import LEASE, Counts, dispatch, due_on, recover, take
from outreach.door import open_parcels
from outreach.models import Attempt, AttemptStatus, MessageTemplate, Reply, TaskStatus
from patients.actions import CardAnswers, save_card, withdraw_consent
from patients.models import AddressStatus, Channel, ContactPoint
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


class Fake:
    """A channel that keeps what it was given, and answers as told."""

    secrets: tuple[str, ...] = ()

    def __init__(self, answer: Callable[[Message], Receipt] | None = None, *, honours: bool = False) -> None:
        self.sent: list[Message] = []
        self.answer = answer
        self.abilities = Abilities(WhenUnclear.REPEAT if honours else WhenUnclear.ASK_A_PERSON)

    def send(self, message: Message) -> Receipt:
        self.sent.append(message)
        return self.answer(message) if self.answer else Receipt("its-own-id")


@pytest.fixture
def fake() -> Iterator[Fake]:
    yield from played_by(Fake())


def played_by(channel: Fake) -> Iterator[Fake]:
    usual = channels.TRANSPORTS["console"]
    channels.TRANSPORTS["console"] = channel
    builders.messages_loaded()
    yield channel
    channels.TRANSPORTS["console"] = usual


def failing(error: Exception) -> Callable[[Message], Receipt]:
    def answer(_message: Message) -> Receipt:
        raise error

    return answer


def may_have_asked_to_stop(attempt: Attempt) -> None:
    Reply.objects.create(
        clinic=attempt.clinic,
        patient=attempt.patient,
        contact_point=attempt.contact_point,
        channel=attempt.channel,
        at=NOW,
        meaning="maybe_stop",
        matter=builders.step(builders.journey(attempt.patient)),
    )


def is_looked_at_once_more(attempt: Attempt) -> None:
    told = attempt.task.step
    Step.objects.filter(pk=told.pk).update(kind=StepKind.TELL)
    builders.step(
        told.journey,
        kind=StepKind.REVIEW,
        status=StepStatus.COMPLETED,
        completed_at=NOW,
        outcome="no_treatment",
    )
    builders.step(told.journey, kind=StepKind.REVIEW, opened_at=NOW + timedelta(seconds=1))


def test_a_due_message_leaves_once_with_our_reference(fake: Fake) -> None:
    attempt = builders.attempt()
    assert dispatch(now=NOW) == Counts(sent=1)
    assert dispatch(now=NOW) == Counts()
    assert [message.reference for message in fake.sent] == [str(attempt.reference)]
    attempt.refresh_from_db()
    assert (attempt.status, attempt.sent_at, attempt.provider_reference) == ("sent", NOW, "its-own-id")
    assert attempt.body == fake.sent[0].body


def test_a_reminder_ends_the_task_and_leaves_the_step(fake: Fake) -> None:
    attempt = builders.attempt()
    dispatch(now=NOW)
    attempt.task.refresh_from_db()
    attempt.task.step.refresh_from_db()
    assert (attempt.task.status, attempt.task.step.status) == (TaskStatus.DONE, StepStatus.ACTIVE)


def test_telling_ends_a_step_that_only_tells(fake: Fake) -> None:
    attempt = builders.attempt(builders.task(builders.step(kind=StepKind.TELL), plan_from=None))
    dispatch(now=NOW)
    attempt.task.step.refresh_from_db()
    assert attempt.task.step.outcome == "told"


def test_a_question_is_asked_again_a_working_day_later(fake: Fake) -> None:
    call_command("load_catalogue", verbosity=0)
    journey = start_journey(builders.patient(), NewJourney("next_stage"), now=NOW)
    task = builders.task(journey.steps.get(), plan_from=None, deadline_at=NOW + timedelta(days=9))
    builders.attempt(task)
    dispatch(now=NOW)
    task.refresh_from_db()
    assert (task.status, task.plan_from) == (TaskStatus.OPEN, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("key", "card", "hours"),
    [
        ("next_step", None, 10),  # the clinic's: until 20:00, as it is 10:00
        ("next_step", time(12), 2),  # hers
        ("answer", time(12), 10),  # she waits for it
    ],
)
def test_a_message_knows_for_how_long_the_hours_stay_open(
    fake: Fake, key: str, card: time | None, hours: int
) -> None:
    attempt = builders.attempt(builders.task(message_key=key, plan_from=None), language="en", body="Gladly")
    if card:
        save_card(attempt.patient, CardAnswers(Channel.SMS, ((0, time(9), card),)), now=NOW, by=None)
    dispatch(now=NOW)
    assert [message.open_for for message in fake.sent] == [timedelta(hours=hours)]


def test_what_is_planned_for_later_or_for_the_phone_stays(fake: Fake) -> None:
    builders.attempt(send_at=NOW + timedelta(seconds=1))
    builders.attempt(channel=Channel.PHONE)
    assert dispatch(now=NOW) == Counts()


@pytest.mark.parametrize(
    "change",
    [
        lambda a: withdraw_consent(a.patient, a.contact_point, a.channel, now=NOW, words="STOP"),
        lambda a: ContactPoint.objects.update(status=AddressStatus.BAD),
        lambda a: Attempt.objects.update(expires_at=NOW - timedelta(minutes=1)),
        lambda a: a.clinic.hours.filter(kind="message").delete(),
    ],
    ids=["opted out", "bad address", "expired", "window closed"],
)
def test_the_last_look_puts_back_what_may_not_leave_now(
    fake: Fake, change: Callable[[Attempt], object]
) -> None:
    attempt = builders.attempt()
    change(attempt)
    dispatch(now=NOW)
    attempt.refresh_from_db()
    attempt.task.refresh_from_db()
    assert fake.sent == []
    assert (attempt.status, attempt.outcome) == (AttemptStatus.CANCELLED, "replanned")
    assert (attempt.task.status, attempt.task.plan_from) == (TaskStatus.OPEN, NOW)


def test_a_message_about_a_step_that_ended_is_not_sent(fake: Fake) -> None:
    attempt = builders.attempt()
    Step.objects.update(status=StepStatus.CANCELLED)
    dispatch(now=NOW)
    attempt.task.refresh_from_db()
    assert (fake.sent, attempt.task.status) == ([], TaskStatus.CANCELLED)


def test_a_message_about_a_visit_that_is_gone_is_not_sent(fake: Fake) -> None:
    builders.attempt(builders.task(message_key="held_visit", plan_from=None))
    dispatch(now=NOW)
    assert fake.sent == []


@pytest.mark.parametrize(
    "change",
    [
        lambda a: withdraw_consent(a.patient, a.contact_point, a.channel, now=NOW, words="STOP"),
        lambda a: ContactPoint.objects.filter(pk=a.contact_point_id).update(status=AddressStatus.BAD),
        lambda a: Step.objects.filter(pk=a.task.step_id).update(status=StepStatus.CANCELLED),
        may_have_asked_to_stop,
        is_looked_at_once_more,
    ],
    ids=["opted out", "bad address", "step ended", "maybe opted out", "decided anew"],
)
def test_what_forbids_a_message_after_its_batch_was_claimed_holds(
    fake: Fake, change: Callable[[Attempt], object]
) -> None:
    first, second = builders.attempt(send_at=NOW - timedelta(hours=1)), builders.attempt()

    def meanwhile(_message: Message) -> Receipt:
        change(second)
        return Receipt()

    fake.answer = meanwhile
    assert dispatch(now=NOW) == Counts(sent=1, replanned=1)
    assert [message.reference for message in fake.sent] == [str(first.reference)]
    second.refresh_from_db()
    assert (second.status, second.outcome) == (AttemptStatus.CANCELLED, "replanned")


def test_a_step_on_hold_keeps_its_task_and_sends_nothing(fake: Fake) -> None:
    attempt = builders.attempt()
    Step.objects.update(status=StepStatus.ON_HOLD)
    dispatch(now=NOW)
    attempt.task.refresh_from_db()
    assert (fake.sent, attempt.task.status) == ([], TaskStatus.OPEN)


def test_a_poisoned_text_is_handed_to_a_person_and_stops_no_other(fake: Fake) -> None:
    MessageTemplate.objects.filter(key="recall").update(body="Hello {name")
    poisoned = builders.attempt(builders.task(message_key="recall", plan_from=None))
    sound = builders.attempt()
    assert dispatch(now=NOW) == Counts(sent=1)
    poisoned.task.refresh_from_db()
    assert (poisoned.task.status, poisoned.task.outcome) == (TaskStatus.GIVEN_UP, "no_words")
    assert [message.reference for message in fake.sent] == [str(sound.reference)]


def test_a_batch_is_looked_at_in_a_number_of_queries_that_does_not_grow(fake: Fake) -> None:
    def queries_for(count: int) -> int:
        for _n in range(count):
            builders.attempt()
        claimed = list(Attempt.objects.filter(status=AttemptStatus.PLANNED).values_list("pk", flat=True))
        lease = uuid4()
        for pk in claimed:
            take(pk, lease, now=NOW, lasts=LEASE)
        with CaptureQueriesContext(connection) as captured:
            assert len(open_parcels(claimed, lease, now=NOW)) == count
        return len(captured)

    assert queries_for(1) == queries_for(3)


def test_one_patient_gets_one_message_at_a_time(fake: Fake) -> None:
    first = builders.attempt()
    later = builders.attempt(
        builders.task(builders.step(first.task.step.journey), plan_from=None),
        send_at=NOW - timedelta(hours=1),
    )
    dispatch(now=NOW, limit=10)
    assert [message.reference for message in fake.sent] == [str(later.reference)]
    dispatch(now=NOW)
    assert len(fake.sent) == 2


def test_a_patient_being_called_gets_no_message_meanwhile(fake: Fake) -> None:
    message = builders.attempt()
    call = builders.attempt(
        builders.task(builders.step(message.task.step.journey), plan_from=None), channel=Channel.PHONE
    )
    take(call.pk, call.reference, now=NOW, lasts=LEASE)
    assert dispatch(now=NOW) == Counts()


@pytest.mark.parametrize(
    ("error", "counts", "outcome", "again_in"),
    [
        (ChannelError(Trouble.UNREACHABLE), Counts(retried=1), "unreachable", timedelta(minutes=1)),
        (ChannelError(Trouble.REFUSED), Counts(failed=1), "refused", timedelta(0)),
        (ChannelError(Trouble.NO_SUCH_ADDRESS), Counts(failed=1), "bad_address", timedelta(0)),
    ],
)
def test_a_refusal_is_planned_anew(
    error: ChannelError, counts: Counts, outcome: str, again_in: timedelta
) -> None:
    for _fake in played_by(Fake(failing(error))):
        attempt = builders.attempt()
        assert dispatch(now=NOW) == counts
        attempt.refresh_from_db()
        attempt.task.refresh_from_db()
        assert (attempt.status, attempt.outcome) == (AttemptStatus.FAILED, outcome)
        assert attempt.task.plan_from == NOW + again_in
        bad = ContactPoint.objects.get().status == AddressStatus.BAD
        assert bad == (outcome == "bad_address")


def test_an_answer_that_never_came_is_unknown_and_a_person_sees_it() -> None:
    for fake in played_by(Fake(failing(ConnectionResetError()))):
        attempt = builders.attempt()
        assert dispatch(now=NOW) == Counts(unknown=1)
        recover(now=NOW + timedelta(hours=1))
        dispatch(now=NOW + timedelta(hours=1))
        attempt.refresh_from_db()
        assert (attempt.status, len(fake.sent)) == (AttemptStatus.UNKNOWN, 1)
        hand = Step.objects.exclude(pk=attempt.task.step_id).get()
        assert (hand.kind, hand.about_id) == (StepKind.CALL, attempt.task.step_id)


def test_a_channel_that_stays_down_is_handed_to_a_person() -> None:
    for _fake in played_by(Fake(failing(ChannelError(Trouble.UNREACHABLE)))):
        task = builders.task(plan_from=None)
        for hour in range(0, 10, 2):  # the sender rests in between
            later = NOW + timedelta(hours=hour)
            builders.attempt(task, send_at=later, expires_at=later + timedelta(hours=1))
            dispatch(now=later)
        task.refresh_from_db()
        assert (task.status, task.outcome) == (TaskStatus.GIVEN_UP, "channel_down")


class TestRecover:
    def leased(self, **fields: object) -> Attempt:
        attempt = builders.attempt()
        take(attempt.pk, attempt.reference, now=NOW, lasts=LEASE)
        Attempt.objects.update(**fields)
        return attempt

    def test_a_lease_still_running_is_left_alone(self, fake: Fake) -> None:
        self.leased()
        assert recover(now=NOW + LEASE - timedelta(seconds=1)) == Counts()

    def test_a_call_that_never_began_is_planned_again(self, fake: Fake) -> None:
        attempt = self.leased()
        assert recover(now=NOW + LEASE) == Counts(replanned=1)
        attempt.refresh_from_db()
        assert (attempt.status, attempt.lease) == (AttemptStatus.PLANNED, None)

    def test_a_call_that_began_is_unknown_and_never_repeated(self, fake: Fake) -> None:
        attempt = self.leased(called_at=NOW)
        assert recover(now=NOW + LEASE) == Counts(unknown=1)
        assert dispatch(now=NOW + LEASE) == Counts()
        attempt.task.refresh_from_db()
        assert attempt.task.outcome == "not_known"

    def test_a_channel_that_honours_our_reference_is_asked_again(self) -> None:
        for fake in played_by(Fake(honours=True)):
            attempt = self.leased(called_at=NOW)
            assert recover(now=NOW + LEASE) == Counts(replanned=1)
            dispatch(now=NOW + LEASE)
            assert [message.reference for message in fake.sent] == [str(attempt.reference)]

    def test_an_old_worker_that_wakes_up_writes_nothing(self, fake: Fake) -> None:
        """Fencing: the lease it holds is not the row's any more."""
        attempt = builders.attempt()

        def lose_the_lease(_message: Message) -> Receipt:
            Attempt.objects.filter(pk=attempt.pk).update(lease=uuid4())
            return Receipt("late")

        fake.answer = lose_the_lease
        assert dispatch(now=NOW) == Counts()
        attempt.refresh_from_db()
        assert (attempt.status, attempt.provider_reference) == (AttemptStatus.SENDING, "")


def test_the_claim_walks_the_partial_index() -> None:
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        values = {**adapted({"now": NOW, "lease": uuid4(), "until": NOW}), "limit": 10}
        cursor.execute(explain + due_on(["sms"]).sql(), values)
        plan = "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())
    assert "attempt_send_in_turn" in plan
