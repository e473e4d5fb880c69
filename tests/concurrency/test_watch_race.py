"""Four watchers at the same late steps, in processes of their own: nothing is marked or opened twice, or missed."""

import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.models import Count

from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind, StepStatus
from journeys.watch import watch_steps
from outreach.actions import open_tasks
from outreach.models import OutreachTask, TaskStatus
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

STEPS = 20_000
BATCH = 500  # many small batches, so that the watchers meet often
AT_ONCE = timedelta(0)  # one batch a tick: all start each batch together, so nobody can do everything alone
WORKER = (
    "import sys, django; from django.conf import settings;"
    "settings.DATABASES['default']['NAME'] = sys.argv[1]; django.setup();"
    "from tests.concurrency.test_watch_race import watch_when_told; watch_when_told(sys.argv[2])"
)


def tick(first: str = "watch") -> tuple[int, int]:
    """How many steps were marked, and how many were taken for contact."""
    if first == "open":
        taken = open_tasks(now=NOW, lasts=AT_ONCE, limit=BATCH)
        return watch_steps(now=NOW, lasts=AT_ONCE, limit=BATCH), taken
    return watch_steps(now=NOW, lasts=AT_ONCE, limit=BATCH), open_tasks(now=NOW, lasts=AT_ONCE, limit=BATCH)


def watch_when_told(first: str) -> None:
    """What a worker process does: connect, say so, then one batch of each tick at every word from the race."""
    connection.ensure_connection()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _word in sys.stdin:
        marked, taken = tick(first)
        sys.stdout.write(f"{marked} {taken}\n")
        sys.stdout.flush()


def started(stack: ExitStack, first: str) -> subprocess.Popen[str]:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(connection.settings_dict["NAME"]), first],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "clinic_journey.settings", "LOG_LEVEL": "CRITICAL"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stack.enter_context(worker)
    stack.callback(worker.kill)  # nobody waits for one that still runs when the test has failed
    return worker


def race() -> list[tuple[int, int]]:
    """Two that mark first and two that open tasks first, batch by batch at once; what each has done.

    It ends when a whole round finds nothing.
    """
    with ExitStack() as stack:
        workers = [started(stack, first) for first in ("watch", "open", "watch", "open")]
        assert [said(each) for each in workers] == ["ready"] * 4
        done = [(0, 0)] * 4
        counts = [(1, 1)]
        while any(map(any, counts)):
            for each in workers:
                tell(each, "go")
            counts = [numbers(said(each)) for each in workers]
            done = [(a + c, b + d) for (a, b), (c, d) in zip(done, counts, strict=True)]
        ended = [(each.communicate(timeout=120)[1], each.returncode) for each in workers]
    assert ended == [("", 0)] * 4
    return done


def tell(worker: subprocess.Popen[str], word: str) -> None:
    assert worker.stdin
    worker.stdin.write(word + "\n")
    worker.stdin.flush()


def said(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout
    return worker.stdout.readline().strip()


def numbers(words: str) -> tuple[int, int]:
    marked, taken = words.split()
    return int(marked), int(taken)


def late_steps_that_want_contact() -> None:
    journey = builders.journey()
    Step.objects.bulk_create(
        (
            Step(
                clinic=journey.clinic,
                journey=journey,
                kind=StepKind.CONFIRM,
                status=StepStatus.ACTIVE,
                owner_role=OwnerRole.RECEPTIONIST,
                opened_at=NOW - timedelta(days=3),
                due_at=NOW - timedelta(seconds=n),
                contact_from=NOW - timedelta(seconds=n),
                message_key="held_visit",
            )
            for n in range(STEPS)
        ),
        batch_size=2_000,
    )


def test_four_processes_mark_each_late_step_once_and_open_one_task_for_it() -> None:
    late_steps_that_want_contact()
    done = race()
    assert all(any(counts) for counts in done), "Somebody did nothing: there was no race."
    assert [sum(column) for column in zip(*done, strict=True)] == [STEPS, STEPS]

    assert not Step.objects.filter(stalled_at__isnull=True).exists()
    assert not Step.objects.filter(contact_from__isnull=False).exists()
    marks = StepEvent.objects.filter(kind=EventKind.STALLED)
    assert marks.count() == marks.aggregate(steps=Count("step", distinct=True))["steps"] == STEPS
    tasks = OutreachTask.objects.filter(status=TaskStatus.OPEN)
    assert tasks.count() == tasks.aggregate(steps=Count("step", distinct=True))["steps"] == STEPS
