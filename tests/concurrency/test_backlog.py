"""Everything was down for eight hours and starts with all that is overdue: nobody is flooded, nobody forgotten.

What leaves is read from the channel's own ledger, and judged by a plain clock that knows nothing of the product's.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from journeys.models import Step, StepStatus
from outreach.actions import open_tasks, plan_attempts
from outreach.anew import plan_missed
from outreach.dispatch import dispatch, recover
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from patients.actions import CardAnswers, save_card
from patients.models import Channel, Patient
from tests import builders
from tests.concurrency import crashing
from tests.concurrency.figures import Figures
from tests.concurrency.trials import size
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

DOWN_FOR = timedelta(hours=8)  # from Monday 10:00 in Jerusalem until 18:00
UP_AGAIN = NOW + DOWN_FOR
EACH = 5  # messages to one patient
A_DAY = 2  # by the rules of the country
OPEN, SHUT = time(9), time(20)  # messages to patients, Sunday to Thursday
ASKED = {
    "at any hour": (OPEN, SHUT),
    "in the evening": (time(17), time(19)),
    "in the morning": (time(9), time(11)),
}
JERUSALEM = ZoneInfo("Asia/Jerusalem")


def overdue(how_many: int) -> dict[int, str]:
    """The patients with the hours that they asked for. The steps fell due one by one; some were planned in time."""
    clinic, chance = builders.clinic(), random.Random(8)
    builders.opened(clinic)
    patients = {}
    for n in range(how_many // EACH):
        who = builders.patient(clinic, phone=f"+97250{n:07}")
        patients[who.pk] = list(ASKED)[n % 3]
        windows = tuple((day, *ASKED[patients[who.pk]]) for day in range(7))
        save_card(who, CardAnswers(Channel.SMS, windows), now=NOW, by=None)
    seconds, planned = int(DOWN_FOR.total_seconds()), Counter[int]()
    for pk in chance.sample(list(patients) * EACH, how_many // EACH * EACH):
        fell_due = NOW + timedelta(seconds=chance.randrange(seconds))
        journey = builders.journey(Patient.objects.get(pk=pk))
        step = builders.step(
            journey, message_key="next_step", contact_from=fell_due, due_at=fell_due + timedelta(days=4)
        )
        if chance.random() < 0.1 and patients[pk] == "at any hour" and planned[pk] < A_DAY:
            planned[pk] += 1
            Step.objects.filter(pk=step.pk).update(contact_from=None)
            task = builders.task(step, plan_from=None, deadline_at=step.due_at)
            builders.attempt(task, send_at=fell_due, expires_at=fell_due + timedelta(hours=4))
    with connection.cursor() as cursor:  # as a database does by itself that has been written to for hours
        cursor.execute("ANALYZE")
    return patients


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Path]:
    ledger = tmp_path / "ledger"
    ledger.touch()
    builders.messages_loaded()
    with crashing.channel(ledger, honours=False):
        yield ledger


def tick(ledger: Path, *, now: datetime) -> list[str]:
    """All that the clockwork does with messages; the references that left, in their order."""
    before = len(ledger.read_text().split())
    recover(now=now)
    plan_missed(now=now)
    open_tasks(now=now, lasts=timedelta(hours=1))
    plan_attempts(now=now, lasts=timedelta(hours=1))
    dispatch(now=now, lasts=timedelta(hours=1))
    return ledger.read_text().split()[before:]


def test_a_backlog_keeps_the_hours_and_the_caps_and_forgets_nobody(ledger: Path, figures: Figures) -> None:
    figures.watch(ledger, "knows no key", "everything down for eight hours")
    patients = overdue(size(200, 100_000))
    due = {pk: at for pk, at in Step.objects.values_list("pk", "contact_from") if at}
    due |= dict(Attempt.objects.values_list("task__step", "send_at"))
    left: dict[str, datetime] = {}
    first: list[str] = []
    for minutes in (0, 5, 60, 119, *range(13 * 60, 27 * 60, 120)):
        at = UP_AGAIN + timedelta(minutes=minutes)
        gone = tick(ledger, now=at)
        first = first or gone
        left |= dict.fromkeys(gone, at)
    made = {str(each.reference): each for each in Attempt.objects.select_related("task__step")}
    a_day: Counter[tuple[int, date]] = Counter()
    for reference, at in left.items():
        attempt, there = made[reference], at.astimezone(JERUSALEM)
        opens, shuts = ASKED[patients[attempt.patient_id]]
        assert opens <= there.time() < shuts
        a_day[attempt.patient_id, there.date()] += 1
    assert max(a_day.values()) == A_DAY
    assert len(ledger.read_text().split()) == len(left)
    oldest_first(first, made, due)
    nothing_is_forgotten(left, made, now=UP_AGAIN + timedelta(minutes=25 * 60))


def oldest_first(first: list[str], made: dict[str, Attempt], due: dict[int, datetime]) -> None:
    """What was planned in time leaves first; of what was never planned each patient's oldest, the patients by that.

    One patient's second waits until the first is done, however old it is. What had its moment while all was down is
    planned anew with the rest.
    """
    planned_before = {each.task_id for each in made.values() if each.send_at < UP_AGAIN}
    turns: dict[int, Attempt] = {}
    for reference in first:
        turns.setdefault(made[reference].patient_id, made[reference])
    is_in_time = [each.send_at < UP_AGAIN for each in turns.values()]
    assert is_in_time == sorted(is_in_time, reverse=True)
    in_time = [each.send_at for each in turns.values() if each.send_at < UP_AGAIN]
    others = [due[each.task.step_id] for each in turns.values() if each.task_id not in planned_before]
    assert in_time == sorted(in_time) != []
    assert others == sorted(others) != []


def nothing_is_forgotten(left: dict[str, datetime], made: dict[str, Attempt], *, now: datetime) -> None:
    """Each left once, or is planned for a moment to come, or a person has it."""
    contacted = Counter(made[reference].task_id for reference in left)
    for task in OutreachTask.objects.select_related("step").prefetch_related("attempts"):
        coming = [each for each in task.attempts.all() if each.status == AttemptStatus.PLANNED]
        if contacted[task.pk]:
            assert (contacted[task.pk], task.status, coming) == (1, TaskStatus.DONE, [])
        elif task.status == TaskStatus.OPEN:
            assert [each.send_at > now for each in coming] == [True] or (task.plan_from or now) > now
        else:
            assert Step.objects.filter(about=task.step, status=StepStatus.ACTIVE).exists()
    assert OutreachTask.objects.count() == Step.objects.filter(message_key="next_step").count()
