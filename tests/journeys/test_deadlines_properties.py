from datetime import UTC, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings, strategies as st

from journeys.deadlines import Limit, Unit, due_at
from patients.windows import ALWAYS, Hours, WeeklyWindow, ends_at, is_open, open_intervals
from tests.clocks import MACHINES, ZONES, machine_in, utc

MICROSECOND = timedelta.resolution
# Beirut's clock is put back from midnight to 23:00. A month after both 30 and 31 January is 28 February.
NIGHT_AND_DAY = Hours.of("Asia/Beirut", ALWAYS, {})
EARLY = Hours.of("UTC", [WeeklyWindow(day, time(6), time(7, 30)) for day in range(7)], {})
LARGEST = {Unit.MINUTES: 3000, Unit.HOURS: 72, Unit.MONTHS: 14, Unit.WORKING_HOURS: 60}
amounts = st.sampled_from(Unit).flatmap(
    lambda unit: st.tuples(st.just(unit), st.integers(1, LARGEST.get(unit, 10)))
)


def windows(days: list[int], minutes: list[int]) -> list[WeeklyWindow]:
    """Morning and afternoon on each of these days, or one long stretch."""
    clocks = [time.max if minute == 24 * 60 else time(*divmod(minute, 60)) for minute in minutes]
    pairs = list(zip(clocks[::2], clocks[1::2], strict=True))
    return [WeeklyWindow(day, start, end) for day in days for start, end in pairs]


def even(minutes: list[int]) -> list[int]:
    return sorted(minutes)[: len(minutes) // 2 * 2]


@st.composite
def clinics(draw: st.DrawFn) -> tuple[datetime, Hours]:
    """A moment near a day of 23 or 25 hours, and a clinic with its own week and closed days."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    day = draw(st.sampled_from(ZONES[zone]))
    start = datetime.combine(day, time(2), UTC) + timedelta(seconds=draw(st.integers(-4 * 86400, 2 * 86400)))
    days = st.lists(st.integers(0, 6), min_size=1, unique=True)
    minutes = st.lists(st.integers(0, 24 * 60), min_size=2, max_size=5, unique=True).map(even)
    # Some days have hours of their own.
    usual = st.lists(st.builds(windows, days, minutes), min_size=1, max_size=2).map(
        lambda parts: list(chain.from_iterable(parts))
    )
    shuts = st.one_of(st.none(), st.integers(0, 24 * 60 - 1).map(lambda minute: time(*divmod(minute, 60))))
    near = [day + timedelta(days=n) for n in range(-4, 8)]
    closed = draw(st.dictionaries(st.sampled_from(near), shuts, max_size=4))
    return start, Hours.of(zone, draw(st.one_of(usual, st.just(list(ALWAYS)))), closed)


@given(clinics(), amounts, st.one_of(st.integers(0, 3 * 3600), st.integers(0, 10 * 86400)))
@example((utc("2026-10-24T20:55"), NIGHT_AND_DAY), (Unit.WORKING_DAYS, 1), 900)
@example((utc("2026-01-30T08:00"), EARLY), (Unit.MONTHS, 1), 86400 - 3600)
def test_due_at_of_what_starts_later_is_not_earlier(
    clinic: tuple[datetime, Hours], limit: tuple[Unit, int], later: int
) -> None:
    start, opening = clinic
    unit, amount = limit
    due = due_at(start, Limit(amount, unit), opening)
    assert due <= due_at(start + timedelta(seconds=later), Limit(amount, unit), opening)
    assert due > start


@given(clinics(), amounts)
def test_due_at_of_a_larger_limit_is_not_sooner(
    clinic: tuple[datetime, Hours], limit: tuple[Unit, int]
) -> None:
    start, opening = clinic
    unit, amount = limit
    dues = [due_at(start, Limit(amount + more, unit), opening) for more in range(3)]
    assert dues == sorted(dues)


@given(clinics(), amounts.filter(lambda limit: limit[0] not in {Unit.MINUTES, Unit.HOURS}))
def test_due_at_is_never_while_the_clinic_is_shut(
    clinic: tuple[datetime, Hours], limit: tuple[Unit, int]
) -> None:
    start, opening = clinic
    unit, amount = limit
    due = due_at(start, Limit(amount, unit), opening)
    # At closing time is still in time.
    assert is_open(due, opening) or is_open(due - MICROSECOND, opening)


@given(clinics(), st.integers(1, 60))
def test_due_at_in_working_hours_leaves_exactly_that_much_opening_time(
    clinic: tuple[datetime, Hours], amount: int
) -> None:
    start, opening = clinic
    due = due_at(start, Limit(amount, Unit.WORKING_HOURS), opening)
    open_time = sum((each.end - each.start for each in open_intervals(opening, start, due)), timedelta())
    assert open_time == timedelta(hours=amount)


@given(clinics())
def test_due_at_same_day_leaves_an_hour_and_ends_when_the_day_closes(clinic: tuple[datetime, Hours]) -> None:
    start, opening = clinic
    due = due_at(start, Limit(1, Unit.SAME_DAY), opening)
    assert due >= due_at(start, Limit(1, Unit.WORKING_HOURS), opening)
    on = (due - MICROSECOND).astimezone(ZoneInfo(opening.zone)).date()
    midnight = ends_at(opening.zone, on, time.max)
    assert open_intervals(opening, due, midnight) == []


@settings(max_examples=30)
@given(clinics(), amounts, st.sampled_from(MACHINES))
def test_due_at_does_not_depend_on_the_zone_of_the_machine(
    clinic: tuple[datetime, Hours], limit: tuple[Unit, int], machine: str
) -> None:
    start, opening = clinic
    unit, amount = limit
    with machine_in("UTC"):
        at_home = due_at(start, Limit(amount, unit), opening)
    with machine_in(machine):
        assert due_at(start, Limit(amount, unit), opening) == at_home
