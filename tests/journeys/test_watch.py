from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from journeys import actions
from journeys.actions import NewJourney
from journeys.claims import Alarm, Rows, claim_due, insert_for
from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind, StepStatus
from journeys.watch import describe_plan, watch_steps
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=10)


def test_an_overdue_step_stalls_once_and_stays_active() -> None:
    step = builders.step(due_at=NOW)
    assert watch_steps(now=NOW) == 1
    assert watch_steps(now=LATER) == 0
    step.refresh_from_db()
    assert (step.status, step.stalled_at) == (StepStatus.ACTIVE, NOW)
    assert StepEvent.objects.filter(kind=EventKind.STALLED).count() == 1


@pytest.mark.parametrize("status", [StepStatus.ON_HOLD, StepStatus.CANCELLED])
def test_only_active_steps_stall(status: StepStatus) -> None:
    builders.step(due_at=NOW, status=status)
    assert watch_steps(now=LATER) == 0


def test_a_step_that_is_not_due_is_left_alone() -> None:
    builders.step(due_at=NOW + timedelta(seconds=1))
    assert watch_steps(now=NOW) == 0


def test_batches_take_everything_that_is_due() -> None:
    journey = builders.journey()
    for _n in range(7):
        builders.step(journey, due_at=NOW)
    assert watch_steps(now=NOW, limit=3) == 7


def test_a_late_review_goes_to_the_manager_and_the_patient_is_told_before_asking() -> None:
    call_command("load_catalogue")
    journey = actions.start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.AWAIT_RESULT), "received", now=NOW)
    review = journey.steps.get(kind=StepKind.REVIEW)
    assert review.due_at is not None
    watch_steps(now=review.due_at)
    review.refresh_from_db()
    promise = journey.steps.get(kind=StepKind.PROMISE)
    assert (review.owner_role, review.stalled_at) == (OwnerRole.MANAGER, review.due_at)
    assert (promise.about, promise.message_key, promise.contact_from) == (review, "apology", review.due_at)
    assert promise.due_at == datetime(2026, 3, 10, 10, 0, tzinfo=UTC)  # four working hours on, at noon
    actions.complete_step(review, "no_treatment", now=LATER)
    promise.refresh_from_db()
    assert promise.outcome == "kept"


def test_the_claim_walks_the_partial_index() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A table of no rows is scanned, whatever its index, and what was rolled back in it is counted as rows.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("ANALYZE journeys_step")
    assert "step_due" in describe_plan(now=NOW)


def test_insert_for_leaves_what_a_unique_constraint_already_holds() -> None:
    step = builders.step()
    table, source = StepEvent._meta.db_table, Step._meta.db_table
    columns = {"id": "s.id", "step_id": "s.id", "kind": "'noted'", "at": "%(now)s", "detail": "''"}
    rows = Rows(table, columns, source, unless="(id)")
    assert insert_for(rows, ids=[step.pk], now=NOW) == 1
    assert insert_for(rows, ids=[step.pk], now=NOW) == 0
    assert insert_for(rows, ids=[], now=NOW) == 0


def test_claim_returns_the_oldest_first_up_to_the_limit() -> None:
    journey = builders.journey()
    steps = [builders.step(journey, due_at=NOW - timedelta(hours=n)) for n in range(3)]
    alarm = Alarm(Step, "due_at", "status = 'active' AND stalled_at IS NULL", {"stalled_at": "%(now)s"})
    assert {row[0] for row in claim_due(alarm, now=NOW, limit=2)} == {steps[2].pk, steps[1].pk}


def test_what_rang_at_one_instant_is_taken_in_turn_wherever_it_lies() -> None:
    journey = builders.journey()
    steps = [builders.step(journey, due_at=NOW) for _n in range(4)]
    for due_at in (NOW - timedelta(hours=1), NOW):  # written anew: the first lies behind the others
        Step.objects.filter(pk=steps[0].pk).update(due_at=due_at)
    active = "status = 'active' AND stalled_at IS NULL"
    alarm = Alarm(Step, "due_at", active, {"stalled_at": "%(now)s"}, in_turn=True)
    assert {row[0] for row in claim_due(alarm, now=NOW, limit=2)} == {steps[0].pk, steps[1].pk}


def test_rows_are_inserted_in_the_order_of_the_keys_given() -> None:
    journey = builders.journey()
    ids = [builders.step(journey).pk for _n in range(50)]
    mixed = [*ids[1::2], *reversed(ids[::2])]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # so that the two are joined in the order of the steps
            cursor.execute("SET LOCAL enable_nestloop = off")
            cursor.execute("SET LOCAL enable_hashjoin = off")
    columns = {"step_id": "s.id", "kind": "'noted'", "at": "%(now)s", "detail": "''"}
    insert_for(Rows(StepEvent._meta.db_table, columns, Step._meta.db_table), ids=mixed, now=NOW)
    noted = StepEvent.objects.filter(kind="noted").order_by("pk")
    assert list(noted.values_list("step_id", flat=True)) == mixed
