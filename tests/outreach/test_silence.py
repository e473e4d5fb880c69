"""Why a patient is silent is read off what we did: the first cause that fits, and only what could be otherwise."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from outreach.silence import (
    Cause,
    Cell,
    DayKind,
    DayPart,
    Evidence,
    Mark,
    Past,
    cause,
    causes,
    cell_of,
    evidence,
    grid,
    marked,
    tried,
    untried,
)

ZONE, WEEKEND = "Asia/Jerusalem", frozenset({4, 5})
M, A, E = DayPart.MORNING, DayPart.AFTERNOON, DayPart.EVENING
DAY, END = DayKind.WEEKDAY, DayKind.WEEKEND
EVERYTHING = grid(["phone", "sms"])
MORNING_CALL = Cell("phone", M, DAY)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def called(at: str, outcome: str = "no_answer", *, channel: str = "phone", point: int = 1) -> Past:
    return Past(channel, point, local(at), outcome)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-09T09:59+00:00", Cell("phone", M, DAY)),  # 11:59 in Jerusalem
        ("2026-03-09T10:00+00:00", Cell("phone", A, DAY)),
        ("2026-03-09T13:59+00:00", Cell("phone", A, DAY)),
        ("2026-03-09T14:00+00:00", Cell("phone", E, DAY)),
        ("2026-03-12T21:59+00:00", Cell("phone", E, DAY)),  # a minute to midnight, Thursday
        ("2026-03-12T22:30+00:00", Cell("phone", M, END)),  # half past midnight, Friday
        ("2026-03-27T08:59+00:00", Cell("phone", M, END)),  # the day of 23 hours: 11:59 already
        ("2026-10-25T09:59+00:00", Cell("phone", M, DAY)),  # the day of 25 hours: 11:59 still
    ],
)
def test_cell_is_read_off_the_patients_clock(at: str, expected: Cell) -> None:
    assert cell_of(datetime.fromisoformat(at), "phone", ZONE, WEEKEND) == expected


@given(
    st.datetimes(
        datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        datetime(2027, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")]),
    )
)
def test_cell_does_not_depend_on_the_zone_an_instant_is_written_in(at: datetime) -> None:
    assert cell_of(at, "sms", ZONE, WEEKEND) == cell_of(at.astimezone(UTC), "sms", ZONE, WEEKEND)


def test_grid_has_a_cell_for_each_channel_part_and_kind() -> None:
    assert len(EVERYTHING) == len(set(EVERYTHING)) == 12


def test_untried_keeps_the_order_of_what_can_be_reached() -> None:
    assert untried([EVERYTHING[0]], EVERYTHING) == EVERYTHING[1:]


def test_only_what_rang_without_an_answer_counts_as_tried() -> None:
    attempts = [
        called("2026-03-10T17:00", "sent", channel="sms"),
        called("2026-03-09T10:00"),
        called("2026-03-09T10:00", "wrong_number"),
        called("2026-03-09T10:00", "refused", channel="sms"),
        called("2026-03-09T10:00", "call_at"),
    ]
    assert tried(attempts, zone=ZONE, weekend=WEEKEND) == [MORNING_CALL, Cell("sms", E, DAY)]


def test_the_screen_shows_each_channel_with_its_tries_and_what_is_open() -> None:
    rows = marked(["sms"], [MORNING_CALL, MORNING_CALL], [Cell("sms", E, END), MORNING_CALL])
    assert [[mark.cell for mark in row] for row in rows] == [grid(["sms"]), grid(["phone"])]
    assert [mark for row in rows for mark in row if mark.tries or mark.reachable] == [
        Mark(Cell("sms", E, END), 0, reachable=True),
        Mark(MORNING_CALL, 2, reachable=True),
    ]


@pytest.mark.parametrize(
    ("cells", "reachable", "expected"),
    [
        ([], EVERYTHING, None),
        ([MORNING_CALL], EVERYTHING, None),  # once says nothing yet
        ([MORNING_CALL, Cell("phone", A, END)], EVERYTHING, Cause.ONE_CHANNEL),
        ([MORNING_CALL, Cell("sms", M, END)], EVERYTHING, Cause.ONE_DAY_PART),
        ([MORNING_CALL, Cell("sms", A, DAY)], EVERYTHING, Cause.ONE_DAY_KIND),
        ([MORNING_CALL, Cell("sms", A, END)], EVERYTHING, None),  # all three ruled out, more to try
        (EVERYTHING, EVERYTHING, Cause.EXHAUSTED),
        # what cannot be otherwise is no cause: she has a landline, and is free on mornings alone
        ([MORNING_CALL] * 2, grid(["phone"]), Cause.ONE_DAY_PART),
        ([MORNING_CALL] * 2, [MORNING_CALL, Cell("phone", M, END)], Cause.ONE_DAY_KIND),
        ([MORNING_CALL] * 2, [MORNING_CALL], Cause.EXHAUSTED),
    ],
)
def test_cause_is_the_first_that_fits(
    cells: list[Cell], reachable: list[Cell], expected: Cause | None
) -> None:
    assert cause(Evidence(cells, reachable)) == expected


def test_all_causes_not_ruled_out_are_listed_in_the_order_to_act_on_them() -> None:
    assert causes(Evidence([MORNING_CALL] * 2, EVERYTHING)) == [
        Cause.ONE_CHANNEL,
        Cause.ONE_DAY_PART,
        Cause.ONE_DAY_KIND,
    ]


@pytest.mark.parametrize(
    ("attempts", "asked", "expected"),
    [
        # the teacher: two weekday mornings by telephone
        ([called("2026-03-09T10:00"), called("2026-03-10T10:00")], "", Cause.ONE_CHANNEL),
        # called and written to at all hours, but not on the channel the patient asked for
        (
            [called("2026-03-09T10:00"), called("2026-03-13T17:00", "sent", channel="email", point=2)],
            "sms",
            Cause.ONE_CHANNEL,
        ),
        ([called("2026-03-09T10:00", "wrong_number")], "", Cause.NUMBER_BAD),
        ([called("2026-03-08T10:00"), called("2026-03-09T10:00", "bad_address")], "", Cause.NUMBER_BAD),
        # one of two numbers still rings
        (
            [called("2026-03-09T10:00", "wrong_number")]
            + [called(f"2026-03-{day}T10:00", point=2) for day in (10, 11)],
            "",
            Cause.ONE_CHANNEL,
        ),
        # an answer ends the silence; what came before it does not count
        (
            [called("2026-03-09T10:00"), called("2026-03-10T10:00"), called("2026-03-11T10:00", "call_at")],
            "",
            None,
        ),
        (
            [called("2026-03-09T10:00", "wrong_number"), called("2026-03-10T10:00", "call_at", point=2)],
            "",
            None,
        ),
    ],
)
def test_cause_is_found_in_what_was_done_since_the_last_answer(
    attempts: list[Past], asked: str, expected: Cause | None
) -> None:
    reachable = grid(["phone", "sms", "email"])
    assert cause(evidence(attempts, reachable, zone=ZONE, weekend=WEEKEND, asked=asked)) == expected
    backwards = evidence(attempts[::-1], reachable, zone=ZONE, weekend=WEEKEND, asked=asked)
    assert cause(backwards) == expected


cells = st.lists(st.sampled_from(EVERYTHING), max_size=8)


@given(cells, st.lists(st.sampled_from(EVERYTHING), min_size=1, unique=True))
def test_causes_are_disjoint_from_what_was_varied(used: list[Cell], reachable: list[Cell]) -> None:
    found = causes(Evidence(used, reachable))
    varied = {
        Cause.ONE_CHANNEL: any(a.channel != b.channel for a, b in pairwise(used)),
        Cause.ONE_DAY_PART: any(a.day_part != b.day_part for a, b in pairwise(used)),
        Cause.ONE_DAY_KIND: any(a.day_kind != b.day_kind for a, b in pairwise(used)),
    }
    assert not [each for each in found if varied.get(each)]
    assert Cause.EXHAUSTED not in found or set(reachable) <= set(used)
    # while one of the three holds there is something else to try
    assert Cause.EXHAUSTED not in found or found == [Cause.EXHAUSTED]
