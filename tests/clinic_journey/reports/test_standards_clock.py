"""The week laid out once gives the very deadlines that are reckoned one by one."""

from datetime import date, datetime, time, timedelta

from hypothesis import given, settings, strategies as st

from clinic_journey.reports.standards_clock import WorkingClock
from journeys.deadlines import Limit, Unit, due_at
from patients.windows import Hours, WeeklyWindow
from tests.conftest import NOW

ZONE = "Asia/Jerusalem"
START, END = NOW - timedelta(days=20), NOW + timedelta(days=40)  # over 27 March, a day of 23 hours
OPEN = Hours.of(
    ZONE,
    [
        WeeklyWindow(day, start, end)
        for day in (6, 0, 1, 2, 3)
        for start, end in ((time(8), time(13)), (time(14), time(19)))
    ]
    + [WeeklyWindow(4, time(8), time(12))],
    {date(2026, 3, 18): None, date(2026, 3, 19): time(10)},
)
CLOCK = WorkingClock(OPEN, START, END)
moments = st.integers(-19 * 86400, 23 * 86400).map(lambda seconds: NOW + timedelta(seconds=seconds))
limits = st.one_of(
    st.builds(Limit, st.integers(1, 80), st.just(Unit.WORKING_HOURS)),
    st.builds(
        Limit, st.integers(1, 15), st.sampled_from([Unit.WORKING_DAYS, Unit.DAYS, Unit.HOURS, Unit.MINUTES])
    ),
    st.just(Limit(1, Unit.SAME_DAY)),
)


@settings(max_examples=400)
@given(moments, limits)
def test_the_laid_out_week_gives_the_same_deadlines(start: datetime, limit: Limit) -> None:
    assert CLOCK.due_at(start, limit) == due_at(start, limit, OPEN)


@settings(max_examples=400)
@given(moments, limits, st.timedeltas(timedelta(), timedelta(days=5)))
def test_what_is_surely_in_time_is_in_time(start: datetime, limit: Limit, lasted: timedelta) -> None:
    done = start + lasted
    if CLOCK.is_surely_in_time(start, done, limit):
        assert done <= due_at(start, limit, OPEN)


def test_at_closing_time_it_is_still_in_time() -> None:
    start = datetime(2026, 3, 9, 15, tzinfo=NOW.tzinfo)  # 17:00, open until 19:00
    due = CLOCK.due_at(start, Limit(2, Unit.WORKING_HOURS))
    assert (
        due
        == datetime(2026, 3, 9, 17, tzinfo=NOW.tzinfo)
        == due_at(start, Limit(2, Unit.WORKING_HOURS), OPEN)
    )


def test_where_the_laid_out_week_ends_it_is_reckoned_as_ever() -> None:
    start = END - timedelta(hours=1)
    limit = Limit(40, Unit.WORKING_HOURS)
    assert CLOCK.due_at(start, limit) == due_at(start, limit, OPEN)
