from datetime import date, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from appointments.slots import FreeCell, WeeklyRule, cells, fitting_runs
from patients.windows import ends_at, starts_at
from tests.clocks import JERUSALEM, MACHINES, ZONES, machine_in, utc

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
LONG_AGO = date(2020, 1, 1)


def rule(
    weekday: int, start: str, end: str, valid_from: date = LONG_AGO, until: date | None = None
) -> WeeklyRule:
    ends = time.max if end == "24:00" else time.fromisoformat(end)
    return WeeklyRule(weekday, time.fromisoformat(start), ends, valid_from, until)


def starts(
    rules: list[WeeklyRule],
    days: str,
    minutes: int,
    *,
    zone: str = JERUSALEM,
    closed: dict[date, time | None],
) -> list[str]:
    """The local starts of the cells from the first to the last of these days."""
    first, last = days.split()
    found = cells(rules, zone, closed, date.fromisoformat(first), date.fromisoformat(last), minutes)
    return [f"{each.start.astimezone(ZoneInfo(zone)):%d %H:%M}" for each in found]


# --- Cells ---


@pytest.mark.parametrize(
    ("rules", "days", "minutes", "expected"),
    [
        ([rule(MONDAY, "09:00", "10:00")], "2026-03-30 2026-03-30", 20, ["30 09:00", "30 09:20", "30 09:40"]),
        (
            [rule(MONDAY, "09:00", "10:00")],
            "2026-03-29 2026-04-06",
            30,
            ["30 09:00", "30 09:30", "06 09:00", "06 09:30"],
        ),
        (
            [rule(MONDAY, "09:00", "10:00")],
            "2026-03-30 2026-03-30",
            25,
            ["30 09:00", "30 09:25"],
        ),  # 10 are left
        ([rule(MONDAY, "09:00", "10:00")], "2026-03-30 2026-03-30", 61, []),
        ([rule(MONDAY, "23:00", "24:00")], "2026-03-30 2026-03-30", 30, ["30 23:00", "30 23:30"]),
        ([rule(MONDAY, "09:00", "10:00")], "2026-03-31 2026-03-30", 30, []),
        # A lunch break is two rules; touching rules stay two, each with its own grid.
        (
            [rule(MONDAY, "14:00", "15:00"), rule(MONDAY, "12:00", "13:00")],
            "2026-03-30 2026-03-30",
            30,
            ["30 12:00", "30 12:30", "30 14:00", "30 14:30"],
        ),
        (
            [rule(MONDAY, "12:00", "12:50"), rule(MONDAY, "12:50", "14:00")],
            "2026-03-30 2026-03-30",
            30,
            ["30 12:00", "30 12:50", "30 13:20"],
        ),
        # Where rules overlap, the first keeps the time.
        (
            [rule(MONDAY, "09:45", "11:00"), rule(MONDAY, "09:00", "10:00")],
            "2026-03-30 2026-03-30",
            30,
            ["30 09:00", "30 09:30", "30 10:15"],
        ),
        # 27 March 2026: 02:00 to 03:00 does not exist.
        ([rule(FRIDAY, "01:30", "03:30")], "2026-03-27 2026-03-27", 30, ["27 01:30", "27 03:00"]),
        ([rule(FRIDAY, "02:30", "04:00")], "2026-03-27 2026-03-27", 30, ["27 03:00", "27 03:30"]),
        ([rule(FRIDAY, "02:00", "03:00")], "2026-03-27 2026-03-27", 30, []),
        ([rule(FRIDAY, "01:30", "04:00")], "2026-03-27 2026-03-27", 45, ["27 01:30", "27 03:15"]),
        # 25 October 2026: 01:00 to 02:00 happens twice.
        (
            [rule(SUNDAY, "00:30", "02:30")],
            "2026-10-25 2026-10-25",
            30,
            ["25 00:30", "25 01:00", "25 01:30", "25 01:00", "25 01:30", "25 02:00"],
        ),
    ],
)
def test_cells_cut_each_rule_from_its_start(
    rules: list[WeeklyRule], days: str, minutes: int, expected: list[str]
) -> None:
    assert starts(rules, days, minutes, closed={}) == expected


def test_cells_leave_out_closed_days_and_what_an_eve_cuts_off() -> None:
    rules = [rule(day, "10:00", "12:00") for day in range(7)]
    closed = {date(2026, 4, 1): time(11, 30), date(2026, 4, 2): None}
    assert starts(rules, "2026-03-31 2026-04-03", 60, closed=closed) == [
        "31 10:00",
        "31 11:00",
        "01 10:00",
        "03 10:00",
        "03 11:00",
    ]


def test_cells_exist_only_while_their_rule_is_valid() -> None:
    rules = [
        rule(MONDAY, "09:00", "10:00", date(2026, 3, 16), date(2026, 3, 23)),
        rule(MONDAY, "15:00", "16:00", date(2026, 3, 30)),
    ]
    assert starts(rules, "2026-03-01 2026-04-07", 60, closed={}) == [
        "16 09:00",
        "23 09:00",
        "30 15:00",
        "06 15:00",
    ]


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        (JERUSALEM, "2026-03-27", 23),
        (JERUSALEM, "2026-10-25", 25),
        ("Asia/Gaza", "2026-03-28", 23),
        ("Asia/Gaza", "2026-10-24", 25),
        ("Europe/Kyiv", "2026-03-29", 23),
        ("Europe/Kyiv", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Asia/Kolkata", "2026-03-29", 24),
        ("UTC", "2026-10-25", 24),
    ],
)
def test_cells_of_a_whole_day_follow_its_length(zone: str, day: str, expected: int) -> None:
    rules = [rule(weekday, "00:00", "24:00") for weekday in range(7)]
    assert len(starts(rules, f"{day} {day}", 60, zone=zone, closed={})) == expected


@pytest.mark.parametrize("minutes", [0, -10])
def test_cells_of_no_length_are_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match="minutes is none"):
        cells([], JERUSALEM, {}, date(2026, 3, 30), date(2026, 3, 30), minutes)


# --- Runs of free cells ---


def free(*spans: str) -> list[FreeCell]:
    """Cells on 30 March, "09:00-09:10" each; the key is the place in the list."""
    pairs = [span.split("-") for span in spans]
    return [FreeCell(n, utc(f"2026-03-30T{a}"), utc(f"2026-03-30T{b}")) for n, (a, b) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("spans", "minutes", "expected"),
    [
        ([], 30, []),
        (["09:00-09:10"], 10, [(0,)]),
        (["09:00-09:10"], 20, []),
        (["09:00-09:10", "09:10-09:20", "09:20-09:30"], 20, [(0, 1), (1, 2)]),
        (["09:20-09:30", "09:00-09:10", "09:10-09:20"], 20, [(1, 2), (2, 0)]),  # in any order
        (["09:00-09:10", "09:20-09:30"], 20, []),  # a gap
        (["09:00-09:10", "09:10-09:20"], 15, []),  # not covered exactly
        (["09:00-09:20", "09:20-09:30", "09:30-09:50"], 30, [(0, 1), (1, 2)]),  # cells of different length
        (["09:00-09:10", "09:10-09:20"], 0, []),
    ],
)
def test_fitting_runs_cover_the_visit_exactly(
    spans: list[str], minutes: int, expected: list[tuple[int, ...]]
) -> None:
    assert [tuple(cell.key for cell in run) for run in fitting_runs(free(*spans), minutes)] == expected


# --- Properties ---

lengths = st.sampled_from([5, 10, 15, 20, 30, 45, 60, 7])


@st.composite
def calendars(draw: st.DrawFn) -> tuple[list[WeeklyRule], str, dict[date, time | None], date]:
    """Up to four rules around a day of 23 or 25 hours, which may overlap, and closed days."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    day = draw(st.sampled_from(ZONES[zone]))
    near = [day + timedelta(days=n) for n in range(-1, 2)]
    minutes = st.one_of(st.integers(0, 5 * 12), st.integers(0, 24 * 12 - 1)).map(
        lambda n: time(*divmod(5 * n, 60))
    )
    rules = []
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted(draw(st.lists(minutes, min_size=2, max_size=2, unique=True)))
        weekday = draw(st.sampled_from(near)).weekday()
        until = draw(st.sampled_from([None, *near]))
        rules.append(WeeklyRule(weekday, start, end, draw(st.sampled_from([LONG_AGO, *near])), until))
    closed = draw(st.dictionaries(st.sampled_from(near), st.one_of(st.none(), minutes), max_size=2))
    return rules, zone, closed, day


@given(calendars(), lengths)
def test_cells_never_overlap_and_lie_within_their_rules(
    calendar: tuple[list[WeeklyRule], str, dict[date, time | None], date], minutes: int
) -> None:
    rules, zone, closed, day = calendar
    found = cells(rules, zone, closed, day - timedelta(days=1), day + timedelta(days=1), minutes)
    assert all(one.end <= other.start for one, other in pairwise(found))
    for cell in found:
        assert cell.end - cell.start == timedelta(minutes=minutes)
        on = cell.start.astimezone(ZoneInfo(zone)).date()
        shuts = closed.get(on, time.max)
        assert shuts is not None
        assert any(
            starts_at(zone, on, each.start) <= cell.start
            and cell.end <= ends_at(zone, on, min(each.end, shuts))
            for each in rules
            if each.weekday == on.weekday() and each.holds_on(on)
        )


@settings(max_examples=30)
@given(calendars(), lengths, st.sampled_from(MACHINES))
def test_cells_do_not_depend_on_the_zone_of_the_machine(
    calendar: tuple[list[WeeklyRule], str, dict[date, time | None], date], minutes: int, machine: str
) -> None:
    rules, zone, closed, day = calendar
    span = (day - timedelta(days=1), day + timedelta(days=1))
    with machine_in("UTC"):
        at_home = cells(rules, zone, closed, *span, minutes)
    with machine_in(machine):
        assert cells(rules, zone, closed, *span, minutes) == at_home


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([10, 20])), max_size=20),
    st.integers(1, 8),
    st.randoms(),
)
def test_fitting_runs_are_all_runs_that_last_exactly_as_long(
    gaps_and_lengths: list[tuple[int, int]], tens: int, random: Random
) -> None:
    at, made = utc("2026-03-30T09:00"), []
    for key, (gap, length) in enumerate(gaps_and_lengths):
        start = at + timedelta(minutes=10 * max(0, gap - 2))
        at = start + timedelta(minutes=length)
        made.append(FreeCell(key, start, at))
    shuffled = random.sample(made, len(made))
    visit = timedelta(minutes=10 * tens)
    # Every slice whose ends lie as far apart as the visit lasts, and whose cells add up to it: no gaps.
    slices = [made[a:b] for a in range(len(made)) for b in range(a + 1, len(made) + 1)]
    expected = [
        tuple(each)
        for each in slices
        if each[-1].end - each[0].start == visit == sum((c.end - c.start for c in each), timedelta())
    ]
    assert fitting_runs(shuffled, 10 * tens) == expected
