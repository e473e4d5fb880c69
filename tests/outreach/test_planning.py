"""Whom to contact when: table tests, and properties that hold for any card, any past and any moment."""

import os
import time as clock
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from outreach.planning import GiveUp, Option, Past, Plan, Reason, Rules, Why, next_attempt
from outreach.silence import DayPart, cell_of
from patients.windows import ALWAYS, Hours, WeeklyWindow, is_open

ZONE = "Asia/Jerusalem"
RULES = Rules(ZONE, weekend=frozenset({4, 5}))
MONDAY = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)  # 10:00 in Jerusalem
FAR = MONDAY + timedelta(days=14)


def hours(*windows: tuple[int, int, int], zone: str = ZONE) -> Hours:
    return Hours.of(zone, [WeeklyWindow(day, time(start), time(end)) for day, start, end in windows], {})


CLINIC = hours(*[(day, 9, 19) for day in (6, 0, 1, 2, 3)], (4, 9, 13))
ANY = Hours.of(ZONE, ALWAYS, {})


def call(*open_at: Hours, point: int = 1, preference: int = 0) -> Option:
    return Option("phone", point, (*open_at, CLINIC), preference, preference == 0)


def text(*open_at: Hours, point: int = 2, preference: int = 1) -> Option:
    return Option("sms", point, (*open_at, CLINIC), preference, preference == 0)


def local(text_: str) -> datetime:
    return datetime.fromisoformat(text_).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def plan(
    options: list[Option], past: list[Past] | None = None, *, now: datetime = MONDAY, **rules: int
) -> Plan | GiveUp:
    chosen = Rules(ZONE, frozenset({4, 5}), **rules) if rules else RULES  # type: ignore[arg-type]
    return next_attempt(options, past or [], rules=chosen, not_before=now, deadline=FAR)


def planned(answer: Plan | GiveUp) -> Plan:
    assert isinstance(answer, Plan)
    return answer


def test_what_is_open_now_is_planned_now_on_the_channel_she_asked_for() -> None:
    answer = planned(plan([text(preference=1), call()]))
    assert (answer.channel, answer.send_at, answer.why) == ("phone", MONDAY, (Why.ASKED,))


def test_a_plan_waits_for_the_agreed_window_and_expires_with_it() -> None:
    answer = planned(plan([call(hours((0, 16, 18)))]))
    assert (answer.send_at, answer.expires_at) == (local("2026-03-09T16:00"), local("2026-03-09T18:00"))


def test_the_teacher_is_not_called_a_third_morning() -> None:
    past = [
        Past("phone", 1, local("2026-03-09T10:00"), "no_answer"),
        Past("phone", 1, local("2026-03-10T10:00"), "no_answer"),
    ]
    answer = planned(plan([call()], past, now=local("2026-03-11T10:00")))
    assert cell_of(answer.send_at, "phone", ZONE, frozenset({4, 5})).day_part == DayPart.AFTERNOON
    assert Why.UNTRIED in answer.why


def test_after_two_silent_calls_another_channel_has_its_turn() -> None:
    past = [
        Past("phone", 1, local("2026-03-09T10:00"), "no_answer"),
        Past("phone", 1, local("2026-03-09T13:00"), "no_answer"),
    ]
    answer = planned(plan([call(), text()], past, now=local("2026-03-10T10:00")))
    assert (answer.channel, answer.why[0]) == ("sms", Why.NEXT_CHANNEL)


def test_only_mornings_open_means_another_kind_of_day_next() -> None:
    mornings = hours((0, 9, 11), (1, 9, 11), (4, 9, 11))
    past = [Past("phone", 1, local("2026-03-09T10:00"), "no_answer")]
    answer = planned(plan([call(mornings)], past, now=local("2026-03-09T12:00")))
    assert answer.send_at == local("2026-03-13T09:00")  # Friday, the weekend there


def test_a_wrong_number_is_never_planned_again() -> None:
    past = [Past("phone", 1, MONDAY - timedelta(days=1), "wrong_number")]
    assert planned(plan([call(), text()], past)).channel == "sms"
    assert plan([call()], past) == GiveUp(Reason.NO_ADDRESS)


@pytest.mark.parametrize(
    ("options", "past", "reason"),
    [
        ([], [], Reason.NO_ADDRESS),
        ([call(hours((5, 2, 3)))], [], Reason.NO_OPEN_TIME),  # Saturday at two in the morning
        (
            [call()],
            [Past("phone", 1, MONDAY - timedelta(days=n + 1), "no_answer") for n in range(4)],
            Reason.ATTEMPTS_USED,
        ),
    ],
)
def test_what_cannot_be_planned_is_given_up_with_a_reason(
    options: list[Option], past: list[Past], reason: Reason
) -> None:
    assert plan(options, past) == GiveUp(reason)


def test_the_daily_cap_moves_a_contact_to_the_next_day() -> None:
    past = [Past("sms", 2, MONDAY - timedelta(hours=n), "other") for n in (1, 2)]
    answer = planned(plan([text()], past))
    assert (answer.send_at, Why.SPACED in answer.why) == (local("2026-03-10T09:00"), True)


def test_the_weekly_cap_holds_over_all_channels() -> None:
    past = [Past("phone", 1, MONDAY - timedelta(days=n), "other") for n in range(1, 5)]
    assert planned(plan([text()], past)).send_at >= MONDAY + timedelta(days=1)


def test_a_deadline_never_widens_a_window() -> None:
    answer = next_attempt(
        [call(hours((3, 16, 18)))], [], rules=RULES, not_before=MONDAY, deadline=MONDAY + timedelta(hours=2)
    )
    assert (planned(answer).send_at, Why.PAST_DEADLINE in planned(answer).why) == (
        local("2026-03-12T16:00"),
        True,
    )


def test_an_opening_beyond_a_week_is_still_found() -> None:
    shut = {datetime(2026, 3, 9).date() + timedelta(days=n): None for n in range(20)}  # noqa: DTZ001 - a date
    answer = planned(plan([Option("phone", 1, (ANY, Hours.of(ZONE, CLINIC.windows, shut)), 0)]))
    assert answer.send_at == local("2026-03-29T09:00")


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Asia/Jerusalem", "2026-03-26T23:00+00:00", "2026-03-27T09:00"),  # the night of 23 hours
        ("Asia/Jerusalem", "2026-10-24T22:30+00:00", "2026-10-25T09:00"),  # the night of 25
        ("America/New_York", "2026-03-08T06:30+00:00", "2026-03-08T09:00"),
        ("Europe/Kyiv", "2026-10-25T00:30+00:00", "2026-10-25T09:00"),
        ("Asia/Gaza", "2026-03-27T23:30+00:00", "2026-03-28T09:00"),
        ("Asia/Tashkent", "2026-03-27T23:30+00:00", "2026-03-28T09:00"),
    ],
)
def test_windows_are_the_local_clocks_on_changing_days(zone: str, now: str, expected: str) -> None:
    every_day = hours(*[(day, 9, 19) for day in range(7)], zone=zone)
    option = Option("sms", 1, (every_day,), 0)
    answer = next_attempt(
        [option], [], rules=Rules(zone), not_before=datetime.fromisoformat(now), deadline=FAR
    )
    wanted = datetime.fromisoformat(expected).replace(tzinfo=ZoneInfo(zone))
    assert planned(answer).send_at == wanted


ZONES = ("Asia/Jerusalem", "Asia/Gaza", "Europe/Kyiv", "America/New_York", "Asia/Tashkent", "UTC")
window = st.tuples(st.integers(0, 6), st.integers(0, 22), st.integers(1, 23)).filter(lambda w: w[1] < w[2])
moment = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
outcome = st.sampled_from(["no_answer", "sent", "wrong_number", "other"])


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Option], list[Past], Rules, datetime]:
    zone = draw(st.sampled_from(ZONES))
    now = draw(moment)
    options = [
        Option(channel, point, (hours(*draw(st.lists(window, min_size=1, max_size=6)), zone=zone),), point)
        for point, channel in enumerate(
            draw(st.lists(st.sampled_from(["phone", "sms"]), min_size=1, max_size=3))
        )
    ]
    past = [
        Past(
            option.channel,
            option.contact_point,
            now - timedelta(hours=draw(st.integers(1, 300))),
            draw(outcome),
        )
        for option in draw(st.lists(st.sampled_from(options), max_size=3))
    ]
    return options, sorted(past, key=lambda attempt: attempt.at), Rules(zone), now


@settings(max_examples=150, deadline=None)
@given(situations())
def test_a_plan_is_inside_every_window_never_past_and_never_to_a_bad_address(
    situation: tuple[list[Option], list[Past], Rules, datetime],
) -> None:
    options, past, rules, now = situation
    answer = next_attempt(options, past, rules=rules, not_before=now, deadline=now + timedelta(days=3))
    if isinstance(answer, GiveUp):
        return
    option = next(
        o for o in options if (o.channel, o.contact_point) == (answer.channel, answer.contact_point)
    )
    assert answer.send_at >= now
    assert is_open(answer.send_at, *option.hours)
    assert is_open(answer.expires_at - timedelta(seconds=1), *option.hours)
    assert answer.send_at < answer.expires_at
    assert not any(a.outcome == "wrong_number" and a.contact_point == answer.contact_point for a in past)


@settings(max_examples=100, deadline=None)
@given(situations())
def test_the_caps_are_kept(situation: tuple[list[Option], list[Past], Rules, datetime]) -> None:
    options, past, rules, now = situation
    answer = next_attempt(options, past, rules=rules, not_before=now, deadline=now + timedelta(days=3))
    if isinstance(answer, GiveUp):
        return
    zone = ZoneInfo(rules.zone)
    on = answer.send_at.astimezone(zone).date()
    counted = [a.at.astimezone(zone).date() for a in past if a.outcome != "wrong_number"]
    assert counted.count(on) < rules.daily_cap
    assert sum(timedelta(0) <= on - day < timedelta(days=7) for day in counted) < rules.weekly_cap


@settings(max_examples=40, deadline=None)
@given(situations(), st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles"]))
def test_a_plan_does_not_depend_on_the_machines_zone(
    situation: tuple[list[Option], list[Past], Rules, datetime], machine: str
) -> None:
    options, past, rules, now = situation
    here = next_attempt(options, past, rules=rules, not_before=now, deadline=FAR)
    before = os.environ.get("TZ")
    os.environ["TZ"] = machine
    clock.tzset()
    try:
        assert next_attempt(options[::-1], past, rules=rules, not_before=now, deadline=FAR) == here
    finally:
        os.environ.pop("TZ") if before is None else os.environ.__setitem__("TZ", before)
        clock.tzset()
