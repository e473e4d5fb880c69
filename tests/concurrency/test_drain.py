"""A worker that is told to stop, as at each upgrade: it finishes or puts back what it holds, and is gone in time."""

import os
import random
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
import yaml
from django.conf import settings

from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus
from tests import builders
from tests.concurrency import crashing
from tests.concurrency.a_worker import Pokes, until, worker
from tests.concurrency.figures import Figures
from tests.concurrency.trials import trials
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
IN_TIME = 30  # seconds; compose.yaml gives it a little more before it kills


@pytest.mark.parametrize("seed", trials(1, 50))
def test_a_worker_that_is_told_to_stop_leaves_nothing_in_doubt(
    tmp_path: Path, seed: int, figures: Figures
) -> None:
    ledger = tmp_path / "ledger"
    ledger.touch()
    figures.watch(ledger, "knows no key", "told to stop")
    pokes = Pokes(tmp_path)
    builders.messages_loaded()
    for nth in range(40):
        due_at = NOW - timedelta(minutes=1 + nth)
        builders.attempt(send_at=due_at, expires_at=NOW + timedelta(hours=3))
    with worker(ledger, pool="threads") as process:
        until(lambda: bool(ledger.read_text()), pokes)
        Event().wait(random.Random(seed).random() * 0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=IN_TIME) == os.EX_OK
    left = Counter(ledger.read_text().split())
    sent = Attempt.objects.filter(status=AttemptStatus.SENT)
    assert left == Counter(str(each.reference) for each in sent)
    assert set(Attempt.objects.values_list("status", flat=True)) <= {
        AttemptStatus.SENT,
        AttemptStatus.PLANNED,
    }
    with crashing.channel(ledger, honours=False):
        dispatch(now=NOW + timedelta(minutes=1))
    assert Counter(ledger.read_text().split()) == Counter(
        str(each.reference) for each in Attempt.objects.filter(status=AttemptStatus.SENT)
    )
    assert sent.count() == 40


@pytest.mark.parametrize("name", ["worker", "web"])
def test_what_starts_it_waits_longer_than_that(name: str) -> None:
    services = yaml.safe_load((settings.BASE_DIR / "compose.yaml").read_text())["services"]
    assert int(services[name]["stop_grace_period"].removesuffix("s")) > IN_TIME
