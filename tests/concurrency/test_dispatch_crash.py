"""kill -9 at every point of the crash table: nothing is lost, and nobody is contacted twice.

A worker process dispatches through a channel that writes each contact to a file, flushed to disk, outside
the database. It kills itself at the named point; then the lease runs out and another worker goes on.
"""

import os
import random
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from journeys.models import EventKind
from outreach.dispatch import LEASE, dispatch, recover
from outreach.models import Attempt, AttemptStatus, TaskStatus
from tests import builders
from tests.concurrency import crashing
from tests.concurrency.children import ended, is_stopped, started
from tests.concurrency.figures import Figures
from tests.concurrency.trials import trials
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
LATER = NOW + LEASE + timedelta(minutes=1)


def intended(how_many: int) -> list[Attempt]:
    builders.messages_loaded()
    return [
        builders.attempt(send_at=NOW - timedelta(minutes=how_many - n), expires_at=NOW + timedelta(hours=3))
        for n in range(how_many)
    ]


def check(ledger: Path, *, honours: bool) -> int:
    """Nobody twice, and nothing lost; with a key a repeat is the same contact. Returns how many nobody knows of."""
    contacts = Counter(ledger.read_text().split())
    unknown = 0
    for attempt in Attempt.objects.select_related("task"):
        made = contacts[str(attempt.reference)]
        if attempt.status == AttemptStatus.UNKNOWN:
            assert (honours, attempt.task.status, made <= 1) == (False, TaskStatus.GIVEN_UP, True)
            unknown += 1
        else:
            assert (attempt.status, attempt.task.status) == (AttemptStatus.SENT, TaskStatus.DONE)
            assert made == 1 or (honours and made > 1)
            assert attempt.task.step.events.filter(kind=EventKind.CONTACTED).count() == 1
    return unknown


KEY = ("knows no key", "knows our key")
EITHER = pytest.mark.parametrize("honours", [False, True], ids=KEY)


@EITHER
@pytest.mark.parametrize("point", crashing.POINTS)
@pytest.mark.parametrize("seed", trials(1, 100))
def test_a_killed_worker_loses_nothing_and_repeats_nothing(
    point: str, honours: bool, seed: int, tmp_path: Path, figures: Figures
) -> None:
    builders.messages_loaded()
    attempt = builders.attempt(expires_at=NOW + timedelta(hours=3))
    ledger = tmp_path / "ledger"
    ledger.touch()
    figures.watch(ledger, KEY[honours], f"killed {point}", honours=honours)
    assert ended(crashing.main, point, ledger, honours) == -signal.SIGKILL
    recover_and_go_on(ledger, honours=honours)
    contacts = set(ledger.read_text().split())  # a channel with a key shows one contact per reference
    attempt.refresh_from_db()
    attempt.task.refresh_from_db()
    if attempt.status == AttemptStatus.UNKNOWN:  # only where nobody can know, and then a person is told
        assert point in {"before the call", "during the call", "after the call"}
        assert not honours
        assert attempt.task.status == TaskStatus.GIVEN_UP
        assert len(ledger.read_text().split()) <= 1
    else:
        assert (attempt.status, contacts) == (AttemptStatus.SENT, {str(attempt.reference)})
        if not honours:
            assert len(ledger.read_text().split()) == 1


def recover_and_go_on(ledger: Path, *, honours: bool) -> None:
    with crashing.channel(ledger, honours=honours):
        for _tick in range(2):
            recover(now=LATER)
            dispatch(now=LATER)
    assert not Attempt.objects.filter(status=AttemptStatus.SENDING).exists()


@EITHER
@pytest.mark.parametrize("point", crashing.AMONG_OTHERS)
@pytest.mark.parametrize("seed", trials(1, 100))
def test_of_many_messages_one_is_in_doubt_at_most(
    point: str, honours: bool, seed: int, tmp_path: Path, figures: Figures
) -> None:
    intended(3)
    ledger = tmp_path / "ledger"
    ledger.touch()
    figures.watch(ledger, KEY[honours], f"killed {point}", honours=honours)
    # With a key all three are begun at once, so nothing happens between two calls.
    killed = point != "between two calls" or not honours
    assert ended(crashing.main, point, ledger, honours) == (-signal.SIGKILL if killed else 0)
    recover_and_go_on(ledger, honours=honours)
    in_doubt = {"between two calls": 1, "during the second call": 1, "while settling": 1}
    assert check(ledger, honours=honours) == (0 if honours else in_doubt[point])


@EITHER
@pytest.mark.parametrize("seed", trials(2, 1500))
def test_killed_at_any_moment_nothing_is_lost_and_nothing_repeated(
    honours: bool, seed: int, tmp_path: Path, figures: Figures
) -> None:
    intended(20)
    ledger = tmp_path / "ledger"
    ledger.touch()
    figures.watch(ledger, KEY[honours], "killed at any moment", honours=honours)
    with started(crashing.main, "at any moment", ledger, honours) as process:
        while not ledger.read_text() and process.is_alive():
            Event().wait(0.002)
        Event().wait(random.Random(seed).random() * 0.25)
        process.kill()
    recover_and_go_on(ledger, honours=honours)
    assert check(ledger, honours=honours) <= 1


@EITHER
@pytest.mark.parametrize("seed", trials(1, 250))
def test_a_worker_that_was_paused_past_its_lease_writes_nothing_over(
    honours: bool, seed: int, tmp_path: Path, figures: Figures
) -> None:
    """Another one goes on meanwhile; what the first still held is not its own any more."""
    intended(3)
    ledger = tmp_path / "ledger"
    ledger.touch()
    figures.watch(ledger, KEY[honours], "paused past its lease", honours=honours)
    with started(crashing.main, "paused in the call", ledger, honours) as process:
        while not is_stopped(process):
            assert process.is_alive()
            Event().wait(0.002)
        recover_and_go_on(ledger, honours=honours)
        before = set(Attempt.objects.values_list("pk", "status", "provider_reference"))
        assert process.pid
        os.kill(process.pid, signal.SIGCONT)
        process.join()
        assert process.exitcode == 0
    assert set(Attempt.objects.values_list("pk", "status", "provider_reference")) == before
    assert check(ledger, honours=honours) == (0 if honours else 1)
