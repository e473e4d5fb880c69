"""Several workers and several callbacks at once: one pace for all of them, one try, and each event once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Barrier
from typing import cast

import pytest
from django.db import connection

from journeys.models import Step, StepKind
from outreach import senders
from outreach.incoming import keep, work_events
from outreach.models import Attempt, AttemptStatus, Reply
from outreach.provider_models import ProviderEvent
from outreach.senders import SPARE
from tests import builders
from tests.conftest import NOW
from tests.standins import telegram

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
WORKERS = 4
SECOND = timedelta(seconds=1)


def at_once(act: Callable[[], object]) -> list[object]:
    barrier = Barrier(WORKERS)

    def one(_nth: int) -> object:
        barrier.wait()
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as crowd:
        return list(crowd.map(one, range(WORKERS)))


def test_workers_share_one_pace() -> None:
    moments: list[datetime] = []
    until = NOW + 10 * SECOND
    for _round in range(3):
        for reserved in at_once(lambda: senders.next_turns("sms", 10, now=NOW, until=until, limit=2)):
            moments += cast("list[datetime]", reserved)
    apart = SECOND * (1 + SPARE) / 10
    assert len(moments) == 6 * WORKERS
    assert [after - before for before, after in pairwise(sorted(moments))] == [apart] * (6 * WORKERS - 1)


def test_of_many_workers_one_tries_whether_the_provider_answers_again() -> None:
    senders.failed("sms", "login", now=NOW)
    turns = at_once(lambda: senders.turn_of("sms", now=NOW + timedelta(minutes=6)))
    assert [turn for turn in turns if turn] == [senders.Turn("sms", is_try=True, was_failing=True)]


def test_failures_seen_at_once_tell_the_manager_once() -> None:
    builders.clinic()
    at_once(lambda: senders.failed("sms", "busy", now=NOW))
    assert Step.objects.filter(kind=StepKind.MEND).count() == 1


def test_a_callback_repeated_at_the_same_moment_is_kept_and_worked_once() -> None:
    patient = builders.patient()
    task = builders.task(builders.step(builders.journey(patient)), plan_from=None)
    builders.attempt(task, status=AttemptStatus.SENT, sent_at=NOW, called_at=NOW - SECOND)
    Attempt.objects.update(channel="telegram")
    point = patient.contacts.get().contact_point
    type(point).objects.update(kind="telegram", value="777")
    update = telegram.update(5, message=telegram.message("hello", at=int(NOW.timestamp())))["data"]
    at_once(lambda: keep("telegram", [("5", update)], now=NOW))
    assert ProviderEvent.objects.count() == 1
    at_once(lambda: work_events(now=NOW))
    assert (Reply.objects.count(), Step.objects.filter(kind=StepKind.CALL).count()) == (1, 1)
