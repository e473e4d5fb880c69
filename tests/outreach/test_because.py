"""Which rule moved a contact: tables over the patient's, the clinic's and the country's hours, and the caps."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from outreach.because import Because, moved_by, shut_by
from outreach.planning import Option, Past, Plan, Rules, next_attempt
from patients.windows import ALWAYS, Hours, WeeklyWindow

ZONE = "Asia/Jerusalem"
ANY = Hours.of(ZONE, ALWAYS, {})
WEEK = [WeeklyWindow(day, time(9), time(20)) for day in (6, 0, 1, 2, 3)] + [
    WeeklyWindow(4, time(9), time(13))
]
PASSOVER = {date(2026, 4, 1): time(13), date(2026, 4, 2): None}
CLINIC = Hours.of(ZONE, WEEK, PASSOVER)
LAW = Hours.of(ZONE, [WeeklyWindow(day, time(8), time(21)) for day in range(7)], {})
EVENINGS = Hours.of(ZONE, [WeeklyWindow(day, time(17), time(19)) for day in range(7)], {})
RULES = Rules(ZONE, weekend=frozenset({4, 5}))
W, C, L, DAY, EVE = (
    Because.WINDOW,
    Because.CLINIC_HOURS,
    Because.LAW_HOURS,
    Because.REST_DAY,
    Because.REST_EVE,
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


@pytest.mark.parametrize(
    ("at", "own", "rules"),
    [
        ("2026-03-09T10:00", ANY, []),
        ("2026-03-09T10:00", EVENINGS, [W]),
        ("2026-03-09T20:30", ANY, [C]),
        ("2026-03-09T22:00", EVENINGS, [W, C, L]),
        ("2026-03-13T14:00", ANY, [C]),  # Friday after one: late, not a day of rest
        ("2026-03-14T10:00", ANY, [DAY]),  # Saturday
        ("2026-04-01T14:00", ANY, [EVE]),
        ("2026-04-01T08:30", ANY, [C]),  # the morning of an eve is only early
        ("2026-04-02T10:00", ANY, [DAY]),
    ],
)
def test_a_shut_hour_is_named_by_whose_hours_are_shut(at: str, own: Hours, rules: list[Because]) -> None:
    assert list(shut_by((own, CLINIC, LAW), local(at))) == rules


@pytest.mark.parametrize(
    ("asked", "planned", "full", "rules"),
    [
        ("2026-03-09T10:00", "2026-03-09T10:00", {}, ()),
        ("2026-03-09T21:30", "2026-03-10T09:00", {}, (C, L)),
        ("2026-03-12T20:30", "2026-03-15T09:00", {}, (C, DAY)),  # Thursday evening to Sunday
        ("2026-03-31T20:30", "2026-04-05T09:00", {}, (C, DAY)),  # over Passover
        ("2026-04-01T15:00", "2026-04-05T09:00", {}, (DAY, EVE)),
        ("2026-03-09T10:00", "2026-03-10T09:00", {date(2026, 3, 9): Because.DAY_CAP}, (Because.DAY_CAP,)),
    ],
)
def test_a_contact_that_was_moved_says_by_what(
    asked: str, planned: str, full: dict[date, Because], rules: tuple[Because, ...]
) -> None:
    found = moved_by((ANY, CLINIC, LAW), full, ZONE, asked=local(asked), planned=local(planned))
    assert found == rules


def plan_of(past: list[Past], now: str, **rules: object) -> Plan:
    option = Option("sms", 1, (ANY, CLINIC, LAW), 0, asked=True)
    chosen = replace(RULES, **rules)  # type: ignore[arg-type]
    answer = next_attempt(
        [option], past, rules=chosen, not_before=local(now), deadline=local(now) + timedelta(days=30)
    )
    assert isinstance(answer, Plan)
    return answer


def other(at: str) -> Past:
    return Past("sms", 1, local(at), "other")


@pytest.mark.parametrize(
    ("past", "now", "rules"),
    [
        ([], "2026-03-09T10:00", ()),
        ([], "2026-03-09T20:30", (C,)),
        ([Past("sms", 1, local("2026-03-09T09:30"), "sent")], "2026-03-09T10:00", (Because.SPACING,)),
        ([other("2026-03-09T09:00"), other("2026-03-09T09:10")], "2026-03-09T10:00", (Because.DAY_CAP,)),
        (
            [other(f"2026-03-0{day}T09:00") for day in (3, 4, 5, 8)],
            "2026-03-09T10:00",
            (Because.WEEK_CAP,),
        ),
    ],
    ids=["not moved", "late", "too soon", "day", "week"],
)
def test_the_plan_itself_says_what_moved_it(past: list[Past], now: str, rules: tuple[Because, ...]) -> None:
    assert plan_of(past, now).moved == rules


@given(minutes=st.integers(0, 60 * 24 * 40))
def test_what_was_not_moved_names_no_rule_and_what_was_moved_names_one(minutes: int) -> None:
    asked = local("2026-03-09T10:00") + timedelta(minutes=minutes)
    answer = plan_of([], asked.isoformat()[:16])
    assert bool(answer.moved) == (answer.send_at > asked)
