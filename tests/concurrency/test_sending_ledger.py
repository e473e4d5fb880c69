"""The provider keeps the truth: whatever breaks, nothing is lost and nobody is contacted twice.

Every channel's stand-in writes what really went to a patient into a file outside the product. A checker compares
that file with what was intended: each message was taken once and is sent, or was taken at most once and stands before
a person as unknown. What the provider tells later comes early, twice and in any order.
"""

import random
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from journeys.models import Step, StepKind, StepStatus
from outreach.actions import plan_attempts
from outreach.channels.inbound import Said
from outreach.dispatch import LEASE, dispatch, recover
from outreach.incoming import work_events
from outreach.models import STOPPED, Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.replies import receive_reply
from patients.models import Channel
from tests import builders
from tests.concurrency import sending
from tests.concurrency.children import ended
from tests.concurrency.figures import Figures
from tests.concurrency.providers import PROVIDERS, Provider, in_service
from tests.concurrency.trials import trials
from tests.conftest import NOW

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.concurrency,
    pytest.mark.time_machine(NOW, tick=False),
]
MINUTE = timedelta(minutes=1)
WELL_AGAIN = (90, 93)  # minutes: a sender that failed again and again rests no longer, and is tried
SMS = PROVIDERS[0]
ON_EACH = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda each: each.transport)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def stand_in(provider: Provider, settings: LazySettings, ledger: Path) -> Iterator[Any]:
    with in_service(provider, settings, ledger) as made:
        yield made


def intended(provider: Provider, how_many: int) -> list[Attempt]:
    clinic = builders.clinic()
    builders.opened(clinic)
    return [provider.attempt(clinic, n) for n in range(1, how_many + 1)]


def met(provider: Provider, stand_in: Any, attempt: Attempt) -> Iterator[str]:
    """What went wrong with it."""
    faults, address = list(provider.faults.items()), attempt.contact_point.value.removeprefix("+")
    for played, what in stand_in.played:
        if address in what:
            yield next(name for name, trick in faults if trick == played)


def check(ledger: Path) -> None:
    """Nobody twice; nothing neither contacted nor with a person, a plan or another way."""
    taken = Counter(ledger.read_text().split())
    assert max(taken.values(), default=0) <= 1
    for task in OutreachTask.objects.all():
        attempts = list(task.attempts.select_related("contact_point").order_by("pk"))
        address = attempts[0].contact_point.value
        if {each.status for each in attempts} & {AttemptStatus.SENT, AttemptStatus.DELIVERED}:
            assert taken[address] == 1
            continue
        is_unknown = attempts[-1].status == AttemptStatus.UNKNOWN
        assert is_unknown or taken[address] == 0
        if is_unknown or task.status == TaskStatus.GIVEN_UP:
            assert Step.objects.filter(about=task.step, kind=StepKind.CALL, status=StepStatus.ACTIVE).exists()
        else:
            assert task.status == TaskStatus.OPEN
            assert task.plan_from or attempts[-1].status == AttemptStatus.PLANNED


class Teller:
    """Some of what a provider tells, at the wrong moment: before the caller hears, again, and last things first."""

    def __init__(self, provider: Provider, stand_in: Any, chance: random.Random) -> None:
        self.provider, self.stand_in, self.chance = provider, stand_in, chance
        if provider.receipts:
            stand_in.tells = self.too_early

    def too_early(self, taken: dict[str, Any]) -> None:
        if self.chance.random() < 0.3:
            try:
                self.tell(taken, some=True)
            finally:
                connection.close()  # that of the stand-in's thread

    def about_all(self, *, some: bool) -> None:
        for taken in [*self.stand_in.taken, *getattr(self.stand_in, "calls", [])]:
            if not some or self.chance.random() < 0.3:
                self.tell(taken, some=some)

    def tell(self, taken: dict[str, Any], *, some: bool) -> None:
        told = list(self.provider.receipts(self.stand_in, taken)) if self.provider.receipts else []
        told = self.chance.choices(told, k=2) if some and told else told
        self.chance.shuffle(told)
        for _status, post in told:
            assert post() == 200


def hear(*, now: datetime) -> None:
    """Twice: what came too early is looked at again a moment later."""
    work_events(now=now)
    work_events(now=now + MINUTE / 2)


@ON_EACH
@pytest.mark.parametrize("seed", trials(2, 400))
def test_whatever_the_provider_does_nothing_is_lost_and_nothing_is_doubled(
    provider: Provider, stand_in: Any, ledger: Path, seed: int, figures: Figures, settings: LazySettings
) -> None:
    """By turns with people to call where the provider fails, and with no other way: then the line waits for it."""
    is_only_way = seed % 2 == 0
    if is_only_way:
        del settings.CHANNEL_TRANSPORTS["phone"]
    figures.watch(ledger, provider.transport, partial(met, provider, stand_in))
    chance = random.Random(seed)
    intended(provider, 12)
    teller = Teller(provider, stand_in, chance)
    faults = [*provider.faults.values(), *chance.choices(list(provider.faults.values()), k=2)]
    stand_in.tricks.extend(chance.sample(faults, len(faults)))
    for minutes in (0, 1, 2, 7, 9, 25, *WELL_AGAIN):
        at = NOW + minutes * MINUTE
        if minutes in WELL_AGAIN:
            stand_in.tricks.clear()
            settings.CHANNEL_TIMEOUT = settings.EMAIL_TIMEOUT = 20  # nothing is silent any more
        recover(now=at)
        dispatch(now=at)
        plan_attempts(now=at)
        dispatch(now=at)
        teller.about_all(some=True)
        hear(now=at)
        check(ledger)
    assert stand_in.played
    due = Attempt.objects.filter(status=AttemptStatus.PLANNED, send_at__lte=at)
    assert set(due.values_list("channel", flat=True)) <= {Channel.PHONE}
    assert ledger.read_text() or not is_only_way
    teller.about_all(some=False)
    hear(now=at + 5 * MINUTE)
    check(ledger)
    if provider.receipts:  # then the provider has told us of each
        done = Attempt.objects.filter(status=AttemptStatus.DELIVERED).count()
        assert done == len(ledger.read_text().split())


def says_stop(attempt: Attempt) -> None:
    point = attempt.contact_point
    assert receive_reply(Said(attempt.channel, point.kind, point.value, "STOP", at=NOW), now=NOW) == "stop"


@ON_EACH
def test_stop_between_queue_and_send_lets_nothing_out(
    provider: Provider, stand_in: Any, ledger: Path
) -> None:
    """Of three the first says it while hers waits, the last while a worker has claimed hers and calls for another.

    But for the one word that there will be no more.
    """
    first, second, last = intended(provider, 3)
    says_stop(first)

    def meanwhile() -> None:
        try:
            says_stop(last)
        finally:
            connection.close()  # that of this thread

    stand_in.tells = lambda _taken: ThreadPoolExecutor(1).submit(meanwhile).result()
    dispatch(now=NOW)
    said_after = Attempt.objects.filter(task__message_key=STOPPED, status=AttemptStatus.SENT)
    confirmed = said_after.values_list("contact_point__value", flat=True)
    assert set(confirmed) <= {first.contact_point.value, last.contact_point.value}
    assert sorted(ledger.read_text().split()) == sorted([second.contact_point.value, *confirmed])
    statuses = Attempt.objects.filter(pk__in=[first.pk, last.pk]).values_list("status", flat=True)
    assert list(statuses) == [AttemptStatus.CANCELLED] * 2


KILLS = [
    (each, point)
    for each in PROVIDERS
    for point in sending.POINTS
    if each is SMS or point == "after the answer" or len(trials(1, 2)) > 1  # each of them at night
]


@pytest.mark.parametrize(
    ("provider", "point"), KILLS, ids=[f"{each.transport}, {point}" for each, point in KILLS]
)
@pytest.mark.parametrize("seed", trials(1, 100))
def test_killed_between_send_and_commit_it_is_unknown_and_not_sent_again(
    provider: Provider, stand_in: Any, ledger: Path, point: str, seed: int, figures: Figures
) -> None:
    figures.watch(ledger, provider.transport, f"killed {point}")
    (attempt,) = intended(provider, 1)
    asked = point, provider.transport, provider.environment(stand_in)
    assert ended(sending.main, *asked) == -signal.SIGKILL
    later = NOW + LEASE + MINUTE
    for _tick in range(2):
        recover(now=later)
        dispatch(now=later)
    attempt.refresh_from_db()
    assert attempt.status == AttemptStatus.UNKNOWN
    assert len(ledger.read_text().split()) == (0 if point == "before the request" else 1)
    check(ledger)
