from datetime import UTC, datetime

import pytest

from outreach.silence import Cause, Cell, DayKind, DayPart, cause, cell_of, grid, untried

WEEKEND = frozenset({4, 5})
M, A, E = DayPart.MORNING, DayPart.AFTERNOON, DayPart.EVENING
DAY, END = DayKind.WEEKDAY, DayKind.WEEKEND
EVERYTHING = grid(["phone", "sms"])


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-09T09:59+00:00", Cell("phone", M, DAY)),  # 11:59 in Jerusalem
        ("2026-03-09T10:00+00:00", Cell("phone", A, DAY)),
        ("2026-03-09T14:00+00:00", Cell("phone", E, DAY)),
        ("2026-03-12T22:30+00:00", Cell("phone", M, END)),  # half past midnight, Friday
    ],
)
def test_cell_is_read_off_the_patients_clock(at: str, expected: Cell) -> None:
    assert cell_of(datetime.fromisoformat(at).astimezone(UTC), "phone", "Asia/Jerusalem", WEEKEND) == expected


def test_grid_has_a_cell_for_each_channel_part_and_kind() -> None:
    assert len(EVERYTHING) == len(set(EVERYTHING)) == 12


def test_untried_keeps_the_order_of_what_can_be_reached() -> None:
    assert untried([EVERYTHING[0]], EVERYTHING) == EVERYTHING[1:]


@pytest.mark.parametrize(
    ("tried", "reachable", "outcomes", "expected"),
    [
        ([], EVERYTHING, [], None),
        ([Cell("phone", M, DAY)], EVERYTHING, ["no_answer"], None),
        ([Cell("phone", M, DAY)], EVERYTHING, ["wrong_number"], Cause.NUMBER_BAD),
        ([Cell("phone", M, DAY), Cell("phone", A, DAY)], EVERYTHING, [], Cause.ONE_CHANNEL),
        ([Cell("phone", M, DAY), Cell("sms", M, DAY)], EVERYTHING, [], Cause.ONE_DAY_PART),
        ([Cell("phone", M, DAY), Cell("phone", M, END)], grid(["phone"]), [], Cause.ONE_DAY_PART),
        ([Cell("phone", M, DAY), Cell("sms", A, DAY)], EVERYTHING, [], Cause.ONE_DAY_KIND),
        ([Cell("phone", M, DAY), Cell("sms", A, END)], EVERYTHING, [], None),
        (EVERYTHING, EVERYTHING, [], Cause.EXHAUSTED),
        ([Cell("phone", M, DAY)] * 2, [Cell("phone", M, DAY)], [], Cause.EXHAUSTED),
    ],
)
def test_cause_is_the_first_that_fits(
    tried: list[Cell], reachable: list[Cell], outcomes: list[str], expected: Cause | None
) -> None:
    assert cause(tried, reachable=reachable, outcomes=outcomes) == expected
