"""kill -9 at every point of the crash table: nothing is lost, and nobody is contacted twice.

A worker process dispatches through a channel that writes each contact to a file, flushed to disk, outside
the database. It kills itself at the named point; then the lease runs out and another worker goes on.
"""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from outreach.dispatch import LEASE, dispatch, recover
from outreach.models import Attempt, AttemptStatus, TaskStatus
from tests import builders
from tests.concurrency import crashing
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
LATER = NOW + LEASE + timedelta(seconds=1)


def worker(point: str, ledger: Path, *, honours: bool) -> int:
    """Run one dispatch in a process of its own, on this test's database; returns its exit code."""
    name = connection.settings_dict["NAME"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.concurrency.crashing",
            point,
            str(ledger),
            str(int(honours)),
            str(name),
        ],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "LOG_LEVEL": "CRITICAL", "CHANNEL_SMS": "console"},
        capture_output=True,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize("honours", [False, True], ids=["no key", "key"])
@pytest.mark.parametrize("point", crashing.POINTS)
def test_a_killed_worker_loses_nothing_and_repeats_nothing(point: str, honours: bool, tmp_path: Path) -> None:
    builders.messages_loaded()
    attempt = builders.attempt(expires_at=NOW + timedelta(hours=3))
    ledger = tmp_path / "ledger"
    ledger.touch()
    assert worker(point, ledger, honours=honours) == -signal.SIGKILL
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
