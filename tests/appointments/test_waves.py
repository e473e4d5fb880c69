"""Who fits a freed time, in which order they are asked, and how long a wave waits."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appointments.waves import FreeTime, Wish, fitting_start, next_to_ask, wave_waits
from patients.windows import Hours, Interval, WeeklyWindow

NOW = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)  # Monday, 10:00 in Jerusalem
ZONE = "Asia/Jerusalem"
START = datetime(2026, 3, 11, 7, 0, tzinfo=UTC)  # Wednesday, 09:00 there
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
AN_HOUR = FreeTime(1, ZONE, tuple(START + 10 * MINUTE * n for n in range(6)), START + 60 * MINUTE)


def wish(key: int = 1, **fields: Any) -> Wish:
    return Wish(**{"key": key, "minutes": 30, "since": NOW - DAY, **fields})


def comes(since: datetime) -> Hours:
    """On that weekday, from that time on."""
    local = since.astimezone(ZoneInfo(ZONE))
    return Hours.of(ZONE, [WeeklyWindow(local.weekday(), local.time(), time(20))], {})


@pytest.mark.parametrize(
    ("what", "said", "start"),
    [
        ("whoever wants nothing special", {}, 0),
        ("who waits for this doctor", {"practitioner": 1}, 0),
        ("who waits for another doctor", {"practitioner": 2}, None),
        ("a visit as long as the free time", {"minutes": 60}, 0),
        ("a visit that is longer", {"minutes": 70}, None),
        ("who comes from this day on", {"earliest": date(2026, 3, 11)}, 0),
        ("who comes from the next day on", {"earliest": date(2026, 3, 12)}, None),
        ("who comes until this day", {"latest": date(2026, 3, 11)}, 0),
        ("who comes until the day before", {"latest": date(2026, 3, 10)}, None),
        ("who has a visit the next day", {"has": START + DAY}, 0),
        ("who has one later on the same day: no gain", {"has": START + 300 * MINUTE}, None),
        ("who has an earlier one", {"has": START - DAY}, None),
        ("who is elsewhere at nine", {"busy": (Interval(START, START + 20 * MINUTE),)}, 20),
        ("who can come from then on", {"comes": comes(START)}, 0),
        ("who can come a little later", {"comes": comes(START + 10 * MINUTE)}, 10),
        ("who can only come when it is too late", {"comes": comes(START + 40 * MINUTE)}, None),
        ("who is elsewhere all the time", {"busy": (Interval(START, START + 60 * MINUTE),)}, None),
    ],
)
def test_who_fits(what: str, said: dict[str, Any], start: int | None) -> None:
    expected = None if start is None else START + start * MINUTE
    assert fitting_start(wish(**said), AN_HOUR, now=NOW) == expected, what


@pytest.mark.parametrize(("hours", "start"), [(2, 0), (1.9, 10), (1, None)])
def test_nothing_nearer_than_two_hours_is_offered(hours: float, start: int | None) -> None:
    now = START - timedelta(hours=hours)
    expected = None if start is None else START + start * MINUTE
    assert fitting_start(wish(), AN_HOUR, now=now) == expected


def test_the_urgent_are_asked_first_then_who_waits_longest() -> None:
    wishes = [
        wish(1, since=NOW - DAY),
        wish(2, since=NOW - 3 * DAY),
        wish(3, since=NOW, is_urgent=True),
        wish(4, since=NOW - 3 * DAY),
        wish(5, minutes=90),
    ]
    assert [each.key for each, _start in next_to_ask(wishes, [AN_HOUR], now=NOW)] == [3, 2, 4, 1]


def test_a_time_booked_in_the_middle_leaves_two_stretches_and_the_first_that_fits_is_offered() -> None:
    early = FreeTime(1, ZONE, (START, START + 10 * MINUTE), START + 20 * MINUTE)
    late = FreeTime(1, ZONE, (START + 40 * MINUTE, START + 50 * MINUTE), START + 90 * MINUTE)
    found = next_to_ask([wish(1), wish(2, minutes=10)], [early, late], now=NOW)
    assert [(each.key, start) for each, start in found] == [(1, START + 40 * MINUTE), (2, START)]


@pytest.mark.parametrize(("hours", "minutes"), [(72, 30), (24, 30), (23, 15), (6, 15), (5, 10), (2, 10)])
def test_the_nearer_the_time_the_shorter_a_wave_waits(hours: int, minutes: int) -> None:
    assert wave_waits(timedelta(hours=hours)) == minutes * MINUTE


@pytest.mark.parametrize(
    ("what", "minutes", "start"),
    [
        ("what fits into the freed time begins in it", 20, 20),
        ("a longer one takes what was free beside it, as little as it can", 40, 0),
        ("one as long as all of it", 60, 0),
        ("one longer than all of it", 70, None),
    ],
)
def test_a_freed_time_is_joined_with_what_is_free_beside_it(
    what: str, minutes: int, start: int | None
) -> None:
    freed = Interval(START + 20 * MINUTE, START + 40 * MINUTE)
    around = replace(AN_HOUR, freed=freed)
    expected = None if start is None else START + start * MINUTE
    assert fitting_start(wish(minutes=minutes), around, now=NOW) == expected, what


def test_what_was_free_before_is_not_offered_by_itself() -> None:
    freed = Interval(START + 20 * MINUTE, START + 40 * MINUTE)
    elsewhere = wish(minutes=20, busy=(freed,))
    assert fitting_start(elsewhere, replace(AN_HOUR, freed=freed), now=NOW) is None
