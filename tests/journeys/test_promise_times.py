"""Chips of the promise form: inside the opening hours, by the clinic's clock, no time twice."""

from datetime import UTC, date, datetime, time

import pytest

from journeys.promise_times import Chip, choices, fits, next_fit
from patients.windows import Hours, WeeklyWindow
from tests.clocks import JERUSALEM, local

# Sunday to Thursday 8 to 18; the eve of Friday 3 April is short, Sunday 5 April is shut.
OPENING = Hours.of(
    JERUSALEM,
    [WeeklyWindow(day, time(8), time(18)) for day in (6, 0, 1, 2, 3)],
    {date(2026, 4, 2): time(11), date(2026, 4, 5): None},
)
HOUR, CLOSING, NOON = Chip.IN_AN_HOUR, Chip.BY_CLOSING, Chip.NEXT_NOON


@pytest.mark.parametrize(
    ("now", "offered"),
    [
        pytest.param(
            "2026-03-09 10:02",
            [(HOUR, "2026-03-09 11:05"), (CLOSING, "2026-03-09 18:00"), (NOON, "2026-03-10 12:00")],
            id="an ordinary morning, to the next five minutes",
        ),
        pytest.param(
            "2026-03-09 17:30",
            [(HOUR, "2026-03-10 08:30"), (CLOSING, "2026-03-09 18:00"), (NOON, "2026-03-10 12:00")],
            id="half an hour before closing the hour ends tomorrow",
        ),
        pytest.param(
            "2026-03-09 17:50",
            [(HOUR, "2026-03-10 08:50"), (NOON, "2026-03-10 12:00")],
            id="ten minutes are no promise for today",
        ),
        pytest.param(
            "2026-03-09 21:00",
            [(HOUR, "2026-03-10 09:00"), (NOON, "2026-03-10 12:00")],
            id="at night",
        ),
        pytest.param(
            "2026-03-26 17:00",  # Thursday; the night to Friday loses an hour
            [(HOUR, "2026-03-26 18:00"), (NOON, "2026-03-29 12:00")],
            id="over a weekend in which the clocks change; closing is the same time as the hour",
        ),
        pytest.param(
            "2026-04-01 09:00",
            [(HOUR, "2026-04-01 10:00"), (CLOSING, "2026-04-01 18:00"), (NOON, "2026-04-02 11:00")],
            id="a short day: noon is after its closing",
        ),
        pytest.param(
            "2026-04-02 10:30",
            [(HOUR, "2026-04-06 08:30"), (CLOSING, "2026-04-02 11:00"), (NOON, "2026-04-06 12:00")],
            id="a holiday after the weekend",
        ),
    ],
)
def test_what_can_be_promised(now: str, offered: list[tuple[Chip, str]]) -> None:
    found = [(choice.chip, choice.at.astimezone(UTC)) for choice in choices(local(now), OPENING)]
    assert found == [(chip, local(at)) for chip, at in offered]
    assert all(fits(at, OPENING) for _chip, at in found)


def test_a_clinic_without_hours_promises_in_an_hour() -> None:
    now = datetime(2026, 3, 9, 8, tzinfo=UTC)
    never = Hours.of(JERUSALEM, [], {})
    assert [(choice.chip, choice.at) for choice in choices(now, never)] == [(HOUR, now.replace(hour=9))]


@pytest.mark.parametrize(
    ("at", "inside", "opens"),
    [
        ("2026-03-09 18:00", True, "2026-03-10 08:00"),
        ("2026-03-09 18:01", False, "2026-03-10 08:00"),
        ("2026-03-13 12:00", False, "2026-03-15 08:00"),
        ("2026-03-10 08:00", True, "2026-03-10 08:00"),
    ],
)
def test_a_picked_time_is_inside_the_hours(at: str, inside: bool, opens: str) -> None:
    assert fits(local(at), OPENING) is inside
    assert next_fit(local(at), OPENING) == local(opens)
