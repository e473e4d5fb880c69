"""The chase ledger by step and week, the promise ledger by team."""

from datetime import date, timedelta

import pytest

from journeys.actions import complete_step
from journeys.chases import Promise, make_promise
from journeys.ledgers import (
    ChaseCount,
    PromiseCount,
    broken_promises,
    chases_by_week,
    chases_visible_to,
    promises_by_team,
    promises_visible_to,
)
from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind, StepStatus
from journeys.watch import watch_steps
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_chases_are_counted_by_the_clinics_weeks_and_the_step_at_fault() -> None:
    clinic = builders.clinic()
    journey = builders.journey(builders.patient(clinic))
    review = builders.step(journey, kind=StepKind.REVIEW)
    tell = builders.step(journey, kind=StepKind.TELL)
    midnight = NOW - HOUR * 10  # Monday 9 March, 00:00 in Jerusalem: Sunday in UTC
    for step, at in ((review, NOW), (review, midnight), (tell, NOW), (review, midnight - HOUR)):
        StepEvent.objects.create(step=step, clinic=step.clinic, kind=EventKind.CHASED, at=at)
    elsewhere = builders.step()
    StepEvent.objects.create(step=elsewhere, clinic=elsewhere.clinic, kind=EventKind.CHASED, at=NOW)
    found = chases_by_week(clinic, since=NOW - DAY * 30, until=NOW + HOUR)
    assert found == [
        ChaseCount(date(2026, 3, 9), "review", 2),
        ChaseCount(date(2026, 3, 9), "tell", 1),
        ChaseCount(date(2026, 3, 2), "review", 1),
    ]


def test_promises_are_kept_in_time_kept_late_or_open() -> None:
    clinic = builders.clinic()
    rina = builders.user("receptionist", at=clinic, first_name="Rina", last_name="Katz")
    patient = builders.patient(clinic)
    builders.step(builders.journey(patient))

    def promised(words: str, *, owner: object = rina, due: int = 1) -> Step:
        new = Promise(words, NOW + HOUR * due, OwnerRole.RECEPTIONIST, owner)  # type: ignore[arg-type]
        return make_promise(patient, new, now=NOW)

    complete_step(promised("in time"), "kept", now=NOW + HOUR)
    complete_step(promised("late"), "kept", now=NOW + HOUR * 2)
    promised("open and late")
    promised("of the desk", owner=None)
    promised("not due yet", due=9)
    complete_step(promised("kept early", due=9), "kept", now=NOW)
    Step.objects.filter(pk=promised("not needed any more").pk).update(status=StepStatus.CANCELLED)
    now = NOW + HOUR * 3
    watch_steps(now=now)  # the broken ones go to the manager, and count for whose they were
    assert {step.title for step in broken_promises(promises_visible_to(rina), now=now)} == {
        "late",
        "open and late",
        "of the desk",
    }
    found = promises_by_team(clinic, since=NOW - DAY, now=now)
    assert found == [PromiseCount("receptionist", kept=2, broken=3)]


def test_ledgers_show_only_the_own_clinics() -> None:
    clinic = builders.clinic()
    mine, other = builders.step(builders.journey(builders.patient(clinic))), builders.step()
    for step in (mine, other):
        StepEvent.objects.create(step=step, clinic=step.clinic, kind=EventKind.CHASED, at=NOW)
        builders.step(step.journey, kind=StepKind.PROMISE)
    manager = builders.user("manager", at=clinic)
    assert [event.step for event in chases_visible_to(manager)] == [mine]
    assert [step.journey for step in promises_visible_to(manager)] == [mine.journey]
