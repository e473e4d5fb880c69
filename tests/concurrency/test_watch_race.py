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
LONG = timedelta(minutes=10)  # no tick ends because the machine is slow
WORKER = (
    "import sys, django; from django.conf import settings;"
    "settings.DATABASES['default']['NAME'] = sys.argv[1]; django.setup();"
    "from tests.concurrency.test_watch_race import watch_when_told; watch_when_told(sys.argv[2])"
)


def tick(first: str = "watch") -> tuple[int, int]:
    """How many steps were marked, and how many were taken for contact."""
    if first == "open":
        taken = open_tasks(now=NOW, lasts=LONG, limit=BATCH)
        return watch_steps(now=NOW, lasts=LONG, limit=BATCH), taken
    return watch_steps(now=NOW, lasts=LONG, limit=BATCH), open_tasks(now=NOW, lasts=LONG, limit=BATCH)


def watch_when_told(first: str) -> None:
    """What a worker process does: connect, say so, and start when everybody is there."""
    connection.ensure_connection()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    marked, taken = tick(first)
    sys.stdout.write(f"{marked} {taken}\n")


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
    """Two that mark first and two that open tasks first, all at once; what each has done."""
    with ExitStack() as stack:
        workers = [started(stack, first) for first in ("watch", "open", "watch", "open")]
        for each in workers:
            assert each.stdout
            assert each.stdout.readline() == "ready\n"
        for each in workers:
            assert each.stdin
            each.stdin.write("go\n")
            each.stdin.flush()
        ended = [(*each.communicate(timeout=120), each.returncode) for each in workers]
    assert [(errors, code) for _said, errors, code in ended] == [("", 0)] * 4
    counts = [said.split() for said, _errors, _code in ended]
    return [(int(marked), int(taken)) for marked, taken in counts]


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
    assert sum(any(counts) for counts in done) > 1, "One did everything: there was no race."
    done.append(tick())  # what one had locked for marking while another looked for contact
    assert [sum(column) for column in zip(*done, strict=True)] == [STEPS, STEPS]

    assert not Step.objects.filter(stalled_at__isnull=True).exists()
    assert not Step.objects.filter(contact_from__isnull=False).exists()
    marks = StepEvent.objects.filter(kind=EventKind.STALLED)
    assert marks.count() == marks.aggregate(steps=Count("step", distinct=True))["steps"] == STEPS
    tasks = OutreachTask.objects.filter(status=TaskStatus.OPEN)
    assert tasks.count() == tasks.aggregate(steps=Count("step", distinct=True))["steps"] == STEPS
