from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st

from patients.windows import (
    ALWAYS,
    Hours,
    Interval,
    WeeklyWindow,
    intersect,
    is_open,
    next_open,
    open_intervals,
    reading,
)
from tests.clocks import MACHINES, ZONES, machine_in

MINUTE = timedelta(minutes=1)


def at_minute(minute: int) -> time:
    return time.max if minute == 24 * 60 else time(*divmod(minute, 60))


def windows_between(first: int, last: int, days: list[int]) -> st.SearchStrategy[list[WeeklyWindow]]:
    """One stretch between two minutes of the day, on all of these weekdays."""
    ends = st.lists(st.integers(first, last), min_size=2, max_size=2, unique=True).map(sorted)
    return ends.map(lambda pair: [WeeklyWindow(day, at_minute(pair[0]), at_minute(pair[1])) for day in days])


@st.composite
def moments_and_hours(draw: st.DrawFn, how_many: int = 2) -> tuple[datetime, list[Hours]]:
    """An instant near a day of 23 or 25 hours, and hours that nearly all have windows there."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    day = draw(st.sampled_from(ZONES[zone]))
    seconds = draw(st.one_of(st.integers(-4 * 3600, 4 * 3600), st.integers(-24 * 3600, 36 * 3600)))
    now = datetime.combine(day, time(2), ZoneInfo(zone)).astimezone(UTC) + timedelta(seconds=seconds)
    near = [day + timedelta(days=n) for n in range(-1, 3)]
    weekdays = [on.weekday() for on in near]
    night, any_time = windows_between(0, 200, weekdays), windows_between(0, 24 * 60, weekdays)
    several = st.lists(st.one_of(night, any_time), max_size=3).map(
        lambda lists: [w for each in lists for w in each]
    )
    shuts = st.one_of(st.none(), st.integers(0, 24 * 60).map(at_minute))
    hours = st.builds(
        Hours.of,
        st.one_of(st.just(zone), st.sampled_from(sorted(ZONES))),
        st.one_of(night, any_time, several, st.just(list(ALWAYS))),
        st.one_of(st.just({}), st.dictionaries(st.sampled_from(near), shuts, max_size=1)),
    )
    return now, draw(st.lists(hours, min_size=1, max_size=how_many))


def slow_open_minutes(hours: Hours, first: datetime, count: int) -> set[int]:
    """Minute by minute, looking only at what the local clock shows: from the first to the last that fits."""
    spans: dict[tuple[date, WeeklyWindow], list[int]] = {}
    closed = dict(hours.closed)
    for n in range(-120, count + 120):
        shown = (first + n * MINUTE).astimezone(ZoneInfo(hours.zone))
        on, at = shown.date(), shown.time()
        shuts = closed.get(on, time.max)
        for window in hours.windows:
            if window.weekday == on.weekday() and shuts and window.start <= at < min(window.end, shuts):
                spans.setdefault((on, window), []).append(n)
    return {n for span in spans.values() for n in range(span[0], span[-1] + 1) if 0 <= n < count}


@settings(max_examples=50)
@given(moments_and_hours(how_many=1))
def test_open_intervals_agree_with_trying_every_minute(given_: tuple[datetime, list[Hours]]) -> None:
    now, (hours, *_) = given_
    first = now.replace(second=0)
    found = open_intervals(hours, first, first + 600 * MINUTE)
    minutes = {
        n for each in found for n in range((each.start - first) // MINUTE, (each.end - first) // MINUTE)
    }
    assert minutes == slow_open_minutes(hours, first, 600)


@given(moments_and_hours(), st.integers(0, 300))
def test_next_open_agrees_with_trying_every_minute(
    given_: tuple[datetime, list[Hours]], lasting: int
) -> None:
    now, hours = given_
    floor = now.replace(second=0)
    count, within = 20 * 60 + lasting, timedelta(hours=20) - (now - floor)
    common = set.intersection(*(slow_open_minutes(each, floor, count) for each in hours))
    # The current minute has begun, so it takes one more to have `lasting` left.
    begun = 1 if now != floor else 0
    fits = (
        n for n in range(20 * 60) if all(n + k in common for k in range(max(1, lasting + (begun and not n))))
    )
    expected = next(fits, None)
    found = next_open(now, *hours, within=within, lasting=lasting * MINUTE)
    assert found == (None if expected is None else max(now, floor + expected * MINUTE))


@given(moments_and_hours(how_many=3), st.integers(0, 300))
def test_next_open_is_inside_every_window_and_never_in_the_past(
    given_: tuple[datetime, list[Hours]], lasting: int
) -> None:
    now, hours = given_
    found = next_open(now, *hours, lasting=lasting * MINUTE)
    if found is not None:
        assert found >= now
        assert found.tzinfo is UTC
        assert is_open(found, *hours)
        if lasting:
            assert is_open(found + lasting * MINUTE - timedelta.resolution, *hours)


@given(moments_and_hours(how_many=1), st.integers(0, 72), st.integers(0, 72))
def test_open_intervals_are_disjoint_and_the_same_however_they_are_asked_for(
    given_: tuple[datetime, list[Hours]], first: int, second: int
) -> None:
    now, (hours, *_) = given_
    middle, end = now + timedelta(hours=first), now + timedelta(hours=first + second)
    whole = open_intervals(hours, now, end)
    edges = [edge for each in whole for edge in (each.start, each.end)]
    assert edges == sorted(set(edges))
    parts = [open_intervals(hours, now, middle), open_intervals(hours, middle, end)]
    total = sum((each.end - each.start for part in parts for each in part), timedelta())
    assert total == sum((each.end - each.start for each in whole), timedelta())
    assert [intersect(whole, [Interval(now, middle)]), intersect(whole, [Interval(middle, end)])] == parts


@settings(max_examples=30)
@given(
    moments_and_hours(),
    st.sampled_from(MACHINES),
)
def test_hours_do_not_depend_on_the_zone_of_the_machine(
    given_: tuple[datetime, list[Hours]], machine: str
) -> None:
    now, hours = given_
    end = now + timedelta(days=4)
    with machine_in("UTC"):
        at_home = [next_open(now, *hours), *(open_intervals(each, now, end) for each in hours)]
    with machine_in(machine):
        assert [next_open(now, *hours), *(open_intervals(each, now, end) for each in hours)] == at_home


@given(
    st.sampled_from(sorted(ZONES)).flatmap(
        lambda zone: st.tuples(st.just(zone), st.sampled_from(ZONES[zone]), st.integers(-2000, 2000))
    ),
    st.integers(0, 200),
)
def test_reading_never_runs_backwards(where: tuple[str, date, int], later: int) -> None:
    zone, day, minutes = where
    at = datetime.combine(day, time(12), UTC) + minutes * MINUTE
    assert reading(at, zone) <= reading(at + later * MINUTE, zone)
