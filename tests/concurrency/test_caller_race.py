"""Two desks press the same key for one patient at the same moment, each with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from journeys.chases import Promise, log_chase, make_promise
from journeys.models import EventKind, Journey, StepEvent
from outreach.lost import close_as_lost, replan
from outreach.models import Attempt, AttemptStatus, Reply
from patients.actions import RefusedError
from patients.models import Channel
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)
DESKS = 4


def at_once(press: Callable[[], object]) -> list[object]:
    """What each desk got; a refusal counts as None."""
    barrier = Barrier(DESKS)

    def desk(_nth: int) -> object:
        barrier.wait()
        try:
            return press()
        except RefusedError:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(DESKS) as desks:
        return list(desks.map(desk, range(DESKS)))


def test_one_call_is_one_chase_whoever_presses() -> None:
    step = builders.step()
    counted = at_once(lambda: log_chase(step, now=NOW))
    assert sorted(map(bool, counted)) == [False] * (DESKS - 1) + [True]
    assert StepEvent.objects.filter(kind=EventKind.CHASED).count() == 1


def test_the_same_promise_to_a_patient_with_nothing_open_is_one_in_one_journey() -> None:
    patient = builders.patient()
    made = at_once(lambda: make_promise(patient, Promise("x", NOW + timedelta(hours=1)), now=NOW).pk)
    assert len(set(made)) == 1
    assert Journey.objects.count() == 1


def test_a_silent_patient_is_planned_once_and_closed_once() -> None:
    task = builders.task(plan_from=None)
    for day in (5, 8):
        builders.attempt(
            task,
            channel=Channel.PHONE,
            status=AttemptStatus.FAILED,
            outcome="no_answer",
            send_at=datetime(2026, 3, day, 8, tzinfo=UTC),
        )
    at_once(lambda: replan(task, now=NOW).pk)
    assert Attempt.objects.filter(status=AttemptStatus.PLANNED).count() == 1
    at_once(lambda: close_as_lost(task.step.journey, words="too far", now=NOW))
    assert Reply.objects.count() == 1
    assert Attempt.objects.filter(status=AttemptStatus.PLANNED).count() == 0
