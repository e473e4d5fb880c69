from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest

from patients.windows import (
    ALWAYS,
    Hours,
    Interval,
    WeeklyWindow,
    day_intervals,
    intersect,
    is_open,
    next_open,
    open_intervals,
    open_together,
    reading,
    runs_of_days,
)
from tests.clocks import JERUSALEM, JUMPS, ZONES, local, utc

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
WORKDAYS = (SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
MINUTE = timedelta(minutes=1)
# Sunday to Thursday with a lunch break, Friday half a day, Saturday shut.
CLINIC = Hours.of(
    JERUSALEM,
    [WeeklyWindow(day, time(9), time(13)) for day in (*WORKDAYS, FRIDAY)]
    + [WeeklyWindow(day, time(14), time(18)) for day in WORKDAYS],
    # Passover 2026: the eve shuts at noon (Wednesday 1 April), the feast all day.
    {date(2026, 4, 1): time(12), date(2026, 4, 2): None},
)


def hhmm(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


def on_every_day(start: str, end: str, zone: str = JERUSALEM) -> Hours:
    return Hours.of(zone, [WeeklyWindow(day, hhmm(start), hhmm(end)) for day in range(7)], {})


# --- Local days ---


@pytest.mark.parametrize(
    ("zone", "on", "window", "expected"),
    [
        # 27 March 2026, Friday: 23 hours, 02:00 to 03:00 does not exist.
        (JERUSALEM, "2026-03-27", "00:00 24:00", "2026-03-26T22:00 2026-03-27T21:00"),
        (JERUSALEM, "2026-03-27", "02:30 08:00", "2026-03-27T00:00 2026-03-27T05:00"),
        (JERUSALEM, "2026-03-27", "01:00 02:30", "2026-03-26T23:00 2026-03-27T00:00"),
        (JERUSALEM, "2026-03-27", "01:00 02:00", "2026-03-26T23:00 2026-03-27T00:00"),
        (JERUSALEM, "2026-03-27", "03:00 04:00", "2026-03-27T00:00 2026-03-27T01:00"),
        (JERUSALEM, "2026-03-27", "02:15 02:45", None),
        (JERUSALEM, "2026-03-27", "02:00 03:00", None),
        # 25 October 2026, Sunday: 25 hours, 01:00 to 02:00 happens twice.
        (JERUSALEM, "2026-10-25", "00:00 24:00", "2026-10-24T21:00 2026-10-25T22:00"),
        (JERUSALEM, "2026-10-25", "01:30 08:00", "2026-10-24T22:30 2026-10-25T06:00"),
        (JERUSALEM, "2026-10-25", "00:00 01:30", "2026-10-24T21:00 2026-10-24T23:30"),
        (JERUSALEM, "2026-10-25", "01:00 02:00", "2026-10-24T22:00 2026-10-25T00:00"),
        (JERUSALEM, "2026-10-25", "00:00 01:00", "2026-10-24T21:00 2026-10-24T22:00"),
        (JERUSALEM, "2026-10-25", "02:00 03:00", "2026-10-25T00:00 2026-10-25T01:00"),
        # An ordinary day in winter time, and one in summer time.
        (JERUSALEM, "2026-03-09", "09:00 18:00", "2026-03-09T07:00 2026-03-09T16:00"),
        (JERUSALEM, "2026-07-06", "09:00 18:00", "2026-07-06T06:00 2026-07-06T15:00"),
        # Gaza changes on Saturdays.
        ("Asia/Gaza", "2026-03-28", "00:00 24:00", "2026-03-27T22:00 2026-03-28T21:00"),
        ("Asia/Gaza", "2026-03-28", "02:30 04:00", "2026-03-28T00:00 2026-03-28T01:00"),
        ("Asia/Gaza", "2026-10-24", "00:00 24:00", "2026-10-23T21:00 2026-10-24T22:00"),
        ("Asia/Gaza", "2026-10-24", "01:30 01:45", "2026-10-23T22:30 2026-10-23T23:45"),
        ("Europe/Kyiv", "2026-03-29", "03:30 05:00", "2026-03-29T01:00 2026-03-29T02:00"),
        ("Europe/Kyiv", "2026-10-25", "03:30 05:00", "2026-10-25T00:30 2026-10-25T03:00"),
        ("Europe/Kyiv", "2026-10-25", "00:00 03:30", "2026-10-24T21:00 2026-10-25T01:30"),
        ("America/New_York", "2026-03-08", "02:30 09:00", "2026-03-08T07:00 2026-03-08T13:00"),
        ("America/New_York", "2026-11-01", "00:00 01:30", "2026-11-01T04:00 2026-11-01T06:30"),
        ("America/New_York", "2026-11-01", "01:30 09:00", "2026-11-01T05:30 2026-11-01T14:00"),
        # Midnight itself does not exist in Beirut; in Havana the evening ends before its hour repeats.
        ("Asia/Beirut", "2026-03-29", "00:00 08:00", "2026-03-28T22:00 2026-03-29T05:00"),
        ("Asia/Beirut", "2026-03-28", "20:00 24:00", "2026-03-28T18:00 2026-03-28T22:00"),
        ("Asia/Beirut", "2026-10-24", "20:00 24:00", "2026-10-24T17:00 2026-10-24T22:00"),
        ("America/Havana", "2026-10-31", "20:00 24:00", "2026-11-01T00:00 2026-11-01T04:00"),
        ("America/Havana", "2026-11-01", "00:00 01:00", "2026-11-01T04:00 2026-11-01T06:00"),
        # A date that never was: Samoa moved over the date line.
        ("Pacific/Apia", "2011-12-30", "00:00 24:00", None),
        ("Asia/Kolkata", "2026-03-29", "00:00 24:00", "2026-03-28T18:30 2026-03-29T18:30"),
    ],
)
def test_day_intervals_converts_each_boundary(zone: str, on: str, window: str, expected: str | None) -> None:
    start, end = window.split()
    day = date.fromisoformat(on)
    found = day_intervals(Hours.of(zone, [WeeklyWindow(day.weekday(), hhmm(start), hhmm(end))], {}), day)
    assert found == ([Interval(*map(utc, expected.split()))] if expected else [])


@pytest.mark.parametrize("zone", ZONES)
def test_day_intervals_of_always_is_the_whole_day(zone: str) -> None:
    hours = Hours.of(zone, ALWAYS, {})
    lengths = {
        on: sum((each.end - each.start for each in day_intervals(hours, on)), timedelta())
        for on in (date(2026, 1, 1) + timedelta(days=n) for n in range(365))
    }
    odd = {on for on, length in lengths.items() if length != timedelta(hours=24)}
    assert odd == (set(JUMPS.get(zone, ())))
    assert sum(lengths.values(), timedelta()) == timedelta(days=365)


@pytest.mark.parametrize(("zone", "on"), [(zone, on) for zone, days in ZONES.items() for on in days])
def test_day_intervals_agrees_with_every_minute_of_an_odd_day(zone: str, on: date) -> None:
    noon = datetime.combine(on, time(12), UTC)
    every_minute = [noon + n * MINUTE for n in range(-30 * 60, 30 * 60)]
    shown = [(at, its) for at in every_minute if (its := at.astimezone(ZoneInfo(zone))).date() == on]
    for start, end in combinations([*(time(n // 2, n % 2 * 30) for n in range(10)), time.max], 2):
        inside = [at for at, its in shown if start <= its.time() < end]
        expected = [Interval(inside[0], inside[-1] + MINUTE)] if inside else []
        assert day_intervals(Hours.of(zone, [WeeklyWindow(on.weekday(), start, end)], {}), on) == expected


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2026-03-30", ["09:00 13:00", "14:00 18:00"]),  # Monday with its lunch break
        ("2026-03-27", ["09:00 13:00"]),  # Friday, half a day, and the day of 23 hours
        ("2026-03-28", []),  # Saturday
        ("2026-04-01", ["09:00 12:00"]),  # the eve of a holiday
        ("2026-04-02", []),  # the holiday
        ("2026-04-03", ["09:00 13:00"]),
    ],
)
def test_day_intervals_knows_breaks_half_days_holidays_and_eves(on: str, expected: list[str]) -> None:
    found = day_intervals(CLINIC, date.fromisoformat(on))
    assert found == [Interval(*(local(f"{on}T{text}") for text in each.split())) for each in expected]


@pytest.mark.parametrize(
    ("shuts", "expected"),
    [
        (time(18), ["09:00 13:00", "14:00 18:00"]),
        (time(23), ["09:00 13:00", "14:00 18:00"]),
        (time(16), ["09:00 13:00", "14:00 16:00"]),
        (time(14), ["09:00 13:00"]),
        (time(9), []),
        (time.min, []),
    ],
)
def test_day_intervals_of_an_eve_end_when_it_shuts(shuts: time, expected: list[str]) -> None:
    hours = Hours.of(JERUSALEM, CLINIC.windows, {date(2026, 3, 30): shuts})
    assert day_intervals(hours, date(2026, 3, 30)) == [
        Interval(*(local(f"2026-03-30T{text}") for text in each.split())) for each in expected
    ]


def test_day_intervals_of_an_eve_that_shuts_within_a_repeated_hour_open_nothing_after_it() -> None:
    hours = Hours.of(
        JERUSALEM, [WeeklyWindow(SUNDAY, time(1, 45), time(8))], {date(2026, 10, 25): time(1, 30)}
    )
    assert day_intervals(hours, date(2026, 10, 25)) == []


def test_day_intervals_merges_windows_that_touch_or_overlap() -> None:
    windows = [(14, 18), (9, 12), (11, 14), (9, 10), (20, 21)]
    hours = Hours.of(JERUSALEM, [WeeklyWindow(MONDAY, time(a), time(b)) for a, b in windows], {})
    assert day_intervals(hours, date(2026, 3, 30)) == [
        Interval(local("2026-03-30T09:00"), local("2026-03-30T18:00")),
        Interval(local("2026-03-30T20:00"), local("2026-03-30T21:00")),
    ]


@pytest.mark.parametrize(("weekday", "start", "end"), [(0, 9, 9), (0, 22, 6), (7, 9, 10), (-1, 9, 10)])
def test_weekly_window_that_is_none_is_refused(weekday: int, start: int, end: int) -> None:
    with pytest.raises(ValueError, match="is no window"):
        WeeklyWindow(weekday, time(start), time(end))


def test_hours_of_the_same_content_are_equal_and_hash_alike() -> None:
    windows = list(CLINIC.windows)
    closed = dict(reversed(CLINIC.closed))
    again = Hours.of(JERUSALEM, [*reversed(windows), windows[0]], closed)
    assert again == CLINIC
    assert hash(again) == hash(CLINIC)


def test_reading_stands_still_while_the_clock_repeats_an_hour() -> None:
    shown = [reading(utc("2026-10-24T21:30") + timedelta(minutes=30 * n), JERUSALEM) for n in range(7)]
    texts = [each.strftime("%H:%M") for each in shown]
    assert texts == ["00:30", "01:00", "01:30", "02:00", "02:00", "02:00", "02:30"]


# --- Stretches ---


def test_open_intervals_are_one_over_midnight() -> None:
    evening_and_night = [
        WeeklyWindow(THURSDAY, time(20), time.max),
        WeeklyWindow(FRIDAY, time.min, time(6)),
    ]
    hours = Hours.of(JERUSALEM, evening_and_night, {})
    found = open_intervals(hours, local("2026-03-26T00:00"), local("2026-03-28T00:00"))
    assert found == [Interval(utc("2026-03-26T18:00"), utc("2026-03-27T03:00"))]  # 9 hours, not 10


def test_open_intervals_are_clipped_to_what_is_asked() -> None:
    found = open_intervals(CLINIC, local("2026-03-30T10:00"), local("2026-03-30T14:30"))
    assert found == [
        Interval(local("2026-03-30T10:00"), local("2026-03-30T13:00")),
        Interval(local("2026-03-30T14:00"), local("2026-03-30T14:30")),
    ]


@pytest.mark.parametrize("end", ["2026-03-30T10:00", "2026-03-30T09:30", "2026-03-20T10:00"])
def test_open_intervals_of_no_time_are_none(end: str) -> None:
    assert open_intervals(CLINIC, local("2026-03-30T10:00"), local(end)) == []


def test_open_intervals_take_local_times_as_the_instants_they_are() -> None:
    zone = ZoneInfo(JERUSALEM)
    start, end = datetime(2026, 3, 27, 0, tzinfo=zone), datetime(2026, 3, 27, 12, tzinfo=zone)
    found = open_intervals(on_every_day("00:00", "24:00"), start, end)
    assert found == [Interval(utc("2026-03-26T22:00"), utc("2026-03-27T09:00"))]
    assert found[0].end.tzinfo is UTC


def test_instant_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 27, 12)  # noqa: DTZ001 - this is what must be refused
    with pytest.raises(ValueError, match="has no zone"):
        next_open(naive, CLINIC)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([], [(1, 5)], []),
        ([(1, 5)], [(5, 9)], []),
        ([(1, 5)], [(1, 5)], [(1, 5)]),
        ([(1, 5), (6, 9)], [(4, 7)], [(4, 5), (6, 7)]),
        ([(0, 20)], [(1, 2), (3, 4), (19, 22)], [(1, 2), (3, 4), (19, 20)]),
        ([(1, 3), (5, 7)], [(3, 5), (7, 9)], []),
    ],
)
def test_intersect_is_what_lies_in_both(
    first: list[tuple[int, int]], second: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    def intervals(pairs: list[tuple[int, int]]) -> list[Interval]:
        return [
            Interval(utc("2026-03-27T00:00") + a * MINUTE, utc("2026-03-27T00:00") + b * MINUTE)
            for a, b in pairs
        ]

    assert intersect(intervals(first), intervals(second)) == intervals(expected)
    assert intersect(intervals(second), intervals(first)) == intervals(expected)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-30T08:59:59", False),
        ("2026-03-30T09:00", True),
        ("2026-03-30T12:59:59", True),
        ("2026-03-30T13:00", False),
        ("2026-03-28T10:00", False),
        ("2026-04-01T11:59", True),
        ("2026-04-01T12:00", False),
    ],
)
def test_is_open_from_the_start_and_not_at_the_end(at: str, *, expected: bool) -> None:
    assert is_open(local(at), CLINIC) is expected
    assert is_open(local(at), CLINIC, on_every_day("00:00", "24:00")) is expected
    assert is_open(local(at), CLINIC, Hours.of(JERUSALEM, [], {})) is False


# --- The first moment inside all of them ---

EVENINGS = on_every_day("16:00", "20:00")


@pytest.mark.parametrize(
    ("now", "others", "lasting", "expected"),
    [
        ("2026-03-30T10:00", (), 0, "2026-03-30T10:00"),  # open: at once
        ("2026-03-30T13:00", (), 0, "2026-03-30T14:00"),  # lunch
        ("2026-03-30T18:00", (), 0, "2026-03-31T09:00"),  # closing time is shut
        ("2026-03-27T13:00", (), 0, "2026-03-29T09:00"),  # Friday afternoon: Sunday
        ("2026-04-01T12:00", (), 0, "2026-04-03T09:00"),  # over the eve and the feast
        ("2026-03-30T10:00", (EVENINGS,), 0, "2026-03-30T16:00"),
        ("2026-03-26T18:00", (EVENINGS,), 0, "2026-03-29T16:00"),  # Friday has no evening
        ("2026-03-30T17:00", (), 60, "2026-03-30T17:00"),
        ("2026-03-30T17:01", (), 60, "2026-03-31T09:00"),  # not enough is left today
        ("2026-03-30T12:30", (), 60, "2026-03-30T14:00"),  # nor before lunch
        ("2026-03-30T10:00", (), 241, None),  # no stretch is that long
        ("2026-03-30T10:00", (on_every_day("20:00", "23:00"),), 0, None),
        ("2026-03-30T10:00", (Hours.of(JERUSALEM, [], {}),), 0, None),
        # The patient is in New York, seven hours behind, and six between the two changes of clocks in March.
        ("2026-03-30T10:00", (on_every_day("09:00", "11:00", "America/New_York"),), 0, "2026-03-30T16:00"),
        ("2026-03-16T10:00", (on_every_day("09:00", "11:00", "America/New_York"),), 0, "2026-03-16T15:00"),
    ],
)
def test_next_open_is_the_earliest_moment_inside_all(
    now: str, others: tuple[Hours, ...], lasting: int, expected: str | None
) -> None:
    found = next_open(local(now), CLINIC, *others, lasting=lasting * MINUTE)
    assert found == (local(expected) if expected else None)


def test_open_together_is_what_is_open_in_all_and_is_worked_out_once() -> None:
    hers, ours = on_every_day("09:00", "12:00"), on_every_day("08:00", "10:00", "Europe/London")
    start, end = utc("2026-03-09 00:00"), utc("2026-03-11 00:00")
    found = open_together((hers, ours), start, end)
    assert list(found) == intersect(open_intervals(hers, start, end), open_intervals(ours, start, end))
    assert open_together((on_every_day("09:00", "12:00"), ours), start, end) is found


def test_next_open_spans_midnight_when_it_must_last() -> None:
    always = on_every_day("00:00", "24:00")
    now = local("2026-03-30T23:59")
    assert next_open(now, always, lasting=timedelta(days=3)) == now


def test_next_open_without_any_hours_is_now() -> None:
    assert next_open(utc("2026-03-30T10:00"), lasting=MINUTE) == utc("2026-03-30T10:00")


def test_next_open_looks_no_further_than_it_is_told() -> None:
    now, opens = local("2026-03-30T18:00"), local("2026-03-31T09:00")
    assert next_open(now, CLINIC, within=timedelta(hours=15)) is None
    assert next_open(now, CLINIC, within=timedelta(hours=15), lasting=MINUTE) is None
    assert next_open(now, CLINIC, within=timedelta(hours=15) + MINUTE) == opens


def test_next_open_finds_the_last_day_of_its_horizon() -> None:
    shut = {date(2026, 3, 30) + timedelta(days=n): None for n in range(59)}
    hours = Hours.of(JERUSALEM, [WeeklyWindow(day, time(9), time(10)) for day in range(7)], shut)
    assert next_open(local("2026-03-30T08:00"), hours) == local("2026-05-28T09:00")
    assert next_open(local("2026-03-29T08:00"), Hours.of(JERUSALEM, hours.windows[:1], shut)) is None


@pytest.mark.parametrize(
    ("days", "runs"),
    [
        ((), []),
        ((TUESDAY,), [(TUESDAY, TUESDAY)]),
        (WORKDAYS, [(SUNDAY, THURSDAY)]),
        ((MONDAY, TUESDAY, THURSDAY), [(MONDAY, TUESDAY), (THURSDAY, THURSDAY)]),
        ((SATURDAY, SUNDAY), [(SATURDAY, SUNDAY)]),
        (range(7), [(MONDAY, SUNDAY)]),
    ],
)
def test_days_that_follow_one_another_are_told_as_one(
    days: tuple[int, ...], runs: list[tuple[int, int]]
) -> None:
    assert runs_of_days(days) == runs


@pytest.mark.parametrize("number", range(8))
def test_runs_tell_every_day_once_and_no_other(number: int) -> None:
    for days in combinations(range(7), number):
        told = []
        for first, last in runs_of_days(days):
            told += [(first + n) % 7 for n in range((last - first) % 7 + 1)]
        assert sorted(told) == list(days)
