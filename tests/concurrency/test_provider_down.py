"""The provider is away for half a minute, and afterwards a line of messages waits: none is lost, none leaves twice, and
the line is worked off nearly as fast as the provider lets us.

The product is told the time, tick by tick; nobody waits for it.
"""

import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from journeys.models import Step, StepKind, StepStatus
from outreach.actions import open_tasks, plan_attempts
from outreach.anew import plan_missed
from outreach.dispatch import INTERVAL, dispatch, recover
from outreach.models import Attempt, AttemptStatus, OutreachTask
from outreach.senders import RESTS, SPARE
from tests import builders
from tests.concurrency.figures import Figures
from tests.concurrency.providers import PROVIDERS, in_service
from tests.concurrency.trials import size, trials
from tests.conftest import NOW
from tests.standins import twilio
from tests.standins.server import Answer, Trick

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
SECOND = timedelta(seconds=1)
DOWN, UP = NOW + 20 * SECOND, NOW + 50 * SECOND
OVER = UP + RESTS[0] + timedelta(minutes=2)  # the sender has been tried again, and the line has left
ANSWERS = {
    "busy": twilio.refuses(503, 20503),
    "broken": Trick(answer=Answer(500, {"message": "…"})),
}
(SMS,) = (provider for provider in PROVIDERS if provider.channel == "sms")


@contextmanager
def nobody_listens() -> Iterator[str]:
    """An address that refuses every connection, as it is bound and not served."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def provider(settings: LazySettings, tmp_path: Path) -> Iterator[Any]:
    """The only way to anybody, so that no call of a person takes a message's place."""
    with in_service(SMS, settings, tmp_path / "ledger") as stand_in:
        settings.CHANNEL_TRANSPORTS = {"sms": "twilio"}
        settings.CHANNEL_TIMEOUT = 20  # none of these faults is silence: a busy machine makes none of it
        yield stand_in


def falling_due(how_many: int, *, seed: int) -> dict[str, datetime]:
    """When each number is to be written to: some before the provider is away, some meanwhile, some after."""
    chance, clinic = random.Random(seed), builders.clinic()
    builders.opened(clinic)
    due = {}
    for n in range(how_many):
        number, at = f"+97250{n:07}", NOW + chance.randrange(-30, 90) * SECOND + n * SECOND / 1000
        journey = builders.journey(builders.patient(clinic, phone=number))
        builders.step(
            journey,
            kind=StepKind.TELL,
            message_key="next_step",
            contact_from=at,
            due_at=at + timedelta(days=1),
        )
        due[number] = at
    return due


def tick(now: datetime) -> None:
    recover(now=now)
    plan_missed(now=now)
    open_tasks(now=now)
    plan_attempts(now=now)
    dispatch(now=now)


def numbers(stand_in: Any) -> list[str]:
    return list(stand_in.ledger.read_text().split())


def in_doubt() -> list[str]:
    """Those of whom nobody knows whether they were reached: each is with a person."""
    unclear = Attempt.objects.filter(status=AttemptStatus.UNKNOWN).select_related("contact_point", "task")
    for each in unclear:
        assert Step.objects.filter(
            about=each.task.step_id, kind=StepKind.CALL, status=StepStatus.ACTIVE
        ).exists()
    return [each.contact_point.value for each in unclear]


@pytest.mark.parametrize("fault", ["busy", "refused", "broken"])
@pytest.mark.parametrize("seed", trials(2, 50))
def test_half_a_minute_without_the_provider_loses_nothing_and_sends_nothing_twice(
    fault: str, seed: int, provider: Any, settings: LazySettings, figures: Figures
) -> None:
    figures.watch(provider.ledger, "sms", f"half a minute {fault}")
    due, here = falling_due(size(40, 400), seed=seed), settings.TWILIO_API_URL
    before: list[str] = []
    with nobody_listens() as nowhere:
        at = NOW
        while at < OVER:
            is_down = DOWN <= at < UP
            settings.TWILIO_API_URL = nowhere if is_down and fault == "refused" else here
            provider.tricks.clear()
            if is_down and fault in ANSWERS:
                provider.tricks.extend([ANSWERS[fault]] * 100)
            before = numbers(provider) if at <= DOWN else before
            tick(at)
            at += INTERVAL
    left, unclear = numbers(provider), in_doubt()
    assert max(Counter(left).values()) == 1
    assert {*left, *unclear} == set(due)
    assert not set(left) & set(unclear)
    assert bool(unclear) == (fault == "broken")  # what was answered so may have been taken
    assert 0 < len(before) < len(left)
    in_order_of_their_moments(left[len(before) :], due)
    assert not OutreachTask.objects.filter(status="open").exists()


def in_order_of_their_moments(left: list[str], due: dict[str, datetime]) -> None:
    """But for those that were tried in vain: each of these had its turn, and waits for a moment of its own. What
    falls due within two ticks may change places, as a tick that the machine was slow with leaves its last ones.
    """
    tried = Attempt.objects.filter(status=AttemptStatus.FAILED).values_list("contact_point__value", flat=True)
    waited = [due[number] for number in left if number not in set(tried)]
    assert len(waited) > 1
    assert all(later > earlier - 2 * INTERVAL for earlier, later in pairwise(waited))
    assert set(tried) <= set(left)


def test_a_line_is_worked_off_at_four_fifths_of_the_pace_or_more_until_it_is_empty(
    provider: Any, settings: LazySettings, figures: Figures
) -> None:
    """One message a tick is what this pace gives, so the product has to lose nothing between two ticks."""
    figures.watch(provider.ledger, "sms", "a line of messages")
    pace = (1 + SPARE) / INTERVAL.total_seconds()
    settings.SMS_PER_SECOND = pace
    due = falling_due(size(30, 1000), seed=0)
    at, ticks = NOW + timedelta(minutes=2), 0
    while len(numbers(provider)) < len(due) and ticks < 2 * len(due):
        tick(at)
        at, ticks = at + INTERVAL, ticks + 1
    sent = sorted(each for each in Attempt.objects.values_list("sent_at", flat=True) if each)
    assert len(sent) == len(due)
    assert (len(sent) - 1) / (sent[-1] - sent[0]).total_seconds() >= 0.8 * pace
