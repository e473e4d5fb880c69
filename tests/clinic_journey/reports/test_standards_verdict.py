"""On which day a case counts, and for what."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic_journey.reports.standards_verdict import Case, due_in_hours, judged
from journeys.deadlines import Limit, Unit
from patients.windows import ALWAYS, Hours, WeeklyWindow
from tests.conftest import NOW

HOUR = timedelta(hours=1)
ZONE = "Asia/Jerusalem"
OPEN = Hours.of(ZONE, [WeeklyWindow(day, time(8), time(18)) for day in (6, 0, 1, 2, 3)], {})
FOUR_HOURS = Limit(4, Unit.WORKING_HOURS)


def at(hours: float) -> datetime:
    return NOW + HOUR * hours


@pytest.mark.parametrize(
    ("done", "withdrawn", "due", "met", "counts"),
    [
        (-3, None, -2, True, -3),  # in time: when it was done
        (-2, None, -2, True, -2),  # the last moment is in time
        (-1, None, -2, False, -2),  # too late: when its time ran out
        (None, None, -2, False, -2),
        (None, None, 1, None, None),  # it may still go either way
        (1, None, -2, False, -2),  # what comes after now is not known yet
        (None, -3, -2, None, None),  # not needed any more, in time
        (None, -1, -2, False, -2),  # its time had run out before
        (-3, None, None, True, -3),  # no deadline of its own, and done
        (None, None, None, None, None),
    ],
)
def test_a_case_counts_once_and_on_one_day(
    done: float | None, withdrawn: float | None, due: float | None, met: bool | None, counts: float | None
) -> None:
    case = Case(
        1,
        2,
        at(-5),
        None if done is None else at(done),
        None if withdrawn is None else at(withdrawn),
    )
    verdict = judged(case, None if due is None else at(due), now=NOW)
    assert (verdict.met, verdict.at) == (met, None if counts is None else at(counts))


def test_a_verdict_stays_as_it_is_when_time_goes_on() -> None:
    case = Case(1, 2, at(-5), at(-1))
    assert judged(case, at(-2), now=at(-1.5)) == judged(case, at(-2), now=at(40))


def hers(start: int, end: int) -> Hours:
    return Hours.of(ZONE, [WeeklyWindow(day, time(start), time(end)) for day in range(7)], {})


@pytest.mark.parametrize(
    ("hours", "due"),
    [
        (Hours.of(ZONE, ALWAYS, {}), "2026-03-09T14:00"),  # Monday at 10:00, the clinic open until 18
        (hers(16, 20), "2026-03-10T18:00"),  # two hours today, two tomorrow
        (hers(17, 18), "2026-03-11T18:00"),  # an hour a day: two days at most
        (hers(20, 22), "2026-03-11T18:00"),  # never while the clinic is open
    ],
    ids=["any hour", "evenings", "one hour", "never"],
)
def test_hours_are_counted_in_hers_and_for_two_days_at_most(hours: Hours, due: str) -> None:
    found = due_in_hours(NOW, FOUR_HOURS, OPEN, hours)
    assert f"{found.astimezone(ZoneInfo(ZONE)):%Y-%m-%dT%H:%M}" == due
