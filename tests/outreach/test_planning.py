"""Whom to contact when: table tests, and properties that hold for any card, any past and any moment."""

import os
import time as clock
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from outreach.planning import OTHER, GiveUp, Option, Past, Plan, Reason, Rules, Why, next_attempt
from outreach.silence import cell_of, tried
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


MORNINGS = hours(*[(day, 9, 12) for day in (6, 0, 1, 2, 3, 4)])
WEEKDAY_MORNINGS = hours(*[(day, 9, 12) for day in (6, 0, 1, 2, 3)])


def local(text_: str) -> datetime:
    return datetime.fromisoformat(text_).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def unanswered(at: str, channel: str = "phone", outcome: str = "no_answer", *, point: int = 1) -> Past:
    return Past(channel, point, local(at), outcome)


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


@pytest.mark.parametrize(
    ("options", "third"),
    [
        # all day is open to us: later the same day
        ([call()], ("phone", "2026-03-11T12:00")),
        # a text may go out: another channel has its turn, and another part of the day
        ([call(), text()], ("sms", "2026-03-11T12:00")),
        # only mornings are open: another kind of day
        ([call(MORNINGS)], ("phone", "2026-03-13T09:00")),
        # only weekday mornings are open: another channel, though at the same hours
        ([call(WEEKDAY_MORNINGS), text(WEEKDAY_MORNINGS)], ("sms", "2026-03-11T10:00")),
        # and where nothing else is left at all, once more
        ([call(WEEKDAY_MORNINGS)], ("phone", "2026-03-11T10:00")),
    ],
    ids=["part", "channel", "kind", "only channel", "again"],
)
def test_the_teacher_is_not_called_a_third_weekday_morning(
    options: list[Option], third: tuple[str, str]
) -> None:
    past = [unanswered("2026-03-09T10:00"), unanswered("2026-03-10T10:00")]
    answer = planned(plan(options, past, now=local("2026-03-11T10:00")))
    assert (answer.channel, answer.send_at) == (third[0], local(third[1]))
    assert (Why.AGAIN in answer.why) == (options == [call(WEEKDAY_MORNINGS)])


def test_after_two_silent_calls_another_channel_has_its_turn() -> None:
    past = [unanswered("2026-03-09T10:00"), unanswered("2026-03-09T13:00")]
    answer = planned(plan([call(), text()], past, now=local("2026-03-10T10:00")))
    assert (answer.channel, answer.why[0]) == ("sms", Why.NEXT_CHANNEL)


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
    past = [Past("phone", 1, MONDAY - timedelta(days=n), "other") for n in range(1, 5)]  # Thursday to Sunday
    assert planned(plan([text()], past)).send_at == local("2026-03-12T09:00")


def test_a_deadline_never_widens_a_window() -> None:
    answer = next_attempt(
        [call(hours((3, 16, 18)))], [], rules=RULES, not_before=MONDAY, deadline=MONDAY + timedelta(hours=2)
    )
    assert (planned(answer).send_at, Why.PAST_DEADLINE in planned(answer).why) == (
        local("2026-03-12T16:00"),
        True,
    )


def test_a_deadline_is_kept_by_another_channel_than_the_asked_one() -> None:
    options = [call(hours((3, 16, 18))), text(hours((0, 12, 13)))]
    answer = next_attempt(options, [], rules=RULES, not_before=MONDAY, deadline=MONDAY + timedelta(hours=5))
    assert (planned(answer).channel, planned(answer).why) == ("sms", ())


def test_what_the_channel_refused_goes_another_way_at_once() -> None:
    past = [unanswered("2026-03-09T09:59", "sms", "refused", point=1)]
    answer = planned(plan([text(point=1, preference=0), call(point=1, preference=1)], past, now=MONDAY))
    assert (answer.channel, answer.contact_point, answer.send_at) == ("phone", 1, MONDAY)


def test_never_twice_running_in_the_same_part_of_the_day_while_another_is_open() -> None:
    past = [unanswered("2026-03-12T17:00")]  # Thursday evening
    everyday = Hours.of(ZONE, [WeeklyWindow(day, time(9), time(19)) for day in range(7)], {})
    option = Option("phone", 1, (everyday,), 0)
    assert planned(plan([option], past, now=local("2026-03-13T17:00"))).send_at == local("2026-03-14T09:00")


def test_an_unanswered_call_is_followed_by_a_pause() -> None:
    answer = planned(plan([call()], [unanswered("2026-03-09T09:30")], now=local("2026-03-09T09:45")))
    assert (answer.send_at, Why.SPACED in answer.why) == (local("2026-03-09T12:30"), True)


def test_what_is_untried_comes_before_the_asked_channel_and_before_the_deadline() -> None:
    options = [call(WEEKDAY_MORNINGS), text(hours((3, 16, 18)))]
    past = [unanswered("2026-03-08T10:00")]
    deadline = MONDAY + timedelta(days=1)
    answer = planned(next_attempt(options, past, rules=RULES, not_before=MONDAY, deadline=deadline))
    assert (answer.channel, answer.send_at) == ("sms", local("2026-03-12T16:00"))


ALL_WEEKDAY_CELLS = [
    unanswered("2026-03-08T10:00"),
    unanswered("2026-03-08T13:00"),
    unanswered("2026-03-09T10:00"),
    unanswered("2026-03-09T17:00"),
]


@pytest.mark.parametrize(
    ("options", "past", "expected"),
    [
        # of what was tried before, what was tried least; the evening was the last
        (
            [call(hours(*[(day, 9, 19) for day in (6, 0, 1, 2, 3)]))],
            ALL_WEEKDAY_CELLS,
            "phone 2026-03-10T12:00",
        ),
        # not the last cell again, though it is the turn of its channel
        (
            [call(WEEKDAY_MORNINGS), text(WEEKDAY_MORNINGS)],
            [unanswered("2026-03-08T10:00", "sms", point=2), unanswered("2026-03-09T10:00")],
            "sms 2026-03-10T09:00",
        ),
        ([call(WEEKDAY_MORNINGS)], [unanswered("2026-03-09T10:00")], "phone 2026-03-10T09:00"),
    ],
    ids=["least tried", "not the last", "nothing else"],
)
def test_when_all_was_tried_the_next_is_the_least_tried_and_not_the_last(
    options: list[Option], past: list[Past], expected: str
) -> None:
    answer = planned(plan(options, past, now=local("2026-03-10T09:00"), max_attempts=9, weekly_cap=9))
    at = answer.send_at.astimezone(ZoneInfo(ZONE))
    assert (f"{answer.channel} {at:%Y-%m-%dT%H:%M}", Why.AGAIN in answer.why) == (expected, True)


def test_a_cell_that_holidays_hide_for_a_week_is_worth_the_wait() -> None:
    closed = {date(2026, 3, 13): None}  # the only Friday of the coming week
    mornings = Hours.of(ZONE, MORNINGS.windows, closed)
    answer = planned(plan([call(mornings)], [unanswered("2026-03-09T10:00")], now=local("2026-03-10T10:00")))
    assert (answer.send_at, Why.UNTRIED in answer.why) == (local("2026-03-20T09:00"), True)


def test_a_contact_planned_for_another_reason_counts_to_the_cap_of_its_day() -> None:
    past = [Past("sms", 2, local(f"2026-03-10T{hour}:00"), "other") for hour in (11, 15)]
    tuesday_or_friday = hours((1, 9, 12), (4, 9, 12))
    assert planned(plan([text(tuesday_or_friday)], past)).send_at == local("2026-03-13T09:00")


def test_an_opening_beyond_a_week_is_still_found() -> None:
    shut = {date(2026, 3, 9) + timedelta(days=n): None for n in range(20)}
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


Situation = tuple[list[Option], list[Past], Rules, datetime]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    zone = draw(st.sampled_from(ZONES))
    now = draw(moment)
    channels = draw(st.lists(st.sampled_from(["phone", "sms"]), min_size=1, max_size=3))
    cards = [draw(st.lists(window, min_size=1, max_size=6)) for _channel in channels]
    options = [
        Option(channel, point, (hours(*card, zone=zone),), point)
        for point, (channel, card) in enumerate(zip(channels, cards, strict=True))
    ]
    hours_ago = st.integers(1, 300).map(lambda n: timedelta(hours=n))
    past = [
        Past(option.channel, option.contact_point, now - draw(hours_ago), draw(outcome))
        for option in draw(st.lists(st.sampled_from(options), max_size=3))
    ]
    return options, sorted(past, key=lambda attempt: attempt.at), Rules(zone), now


@settings(max_examples=150)
@given(situations())
def test_a_plan_is_inside_every_window_never_past_and_never_to_a_bad_address(situation: Situation) -> None:
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


@settings(max_examples=100)
@given(situations())
def test_nothing_is_tried_again_while_something_untried_is_open(situation: Situation) -> None:
    options, past, rules, now = situation
    past = [attempt for attempt in past if attempt.outcome in ("no_answer", "sent")]
    rules = replace(rules, daily_cap=99, weekly_cap=99, spacing=timedelta(0))
    answer = next_attempt(options, past, rules=rules, not_before=now, deadline=now + timedelta(hours=9))
    assert isinstance(answer, Plan)
    used = tried(past, zone=rules.zone, weekend=rules.weekend)
    cell = cell_of(answer.send_at, answer.channel, rules.zone, rules.weekend)
    assert (Why.AGAIN in answer.why) == (cell in used)
    if cell in used:
        # windows begin on the hour, so every cell that is open at all is open at some full hour
        hour = now.replace(minute=0, second=0, microsecond=0)
        coming = [hour + timedelta(hours=n) for n in range(1, 9 * 24)]
        open_cells = {
            cell_of(at, option.channel, rules.zone, rules.weekend)
            for option in options
            for at in coming
            if is_open(at, *option.hours)
        }
        assert open_cells <= set(used)
        assert cell != used[-1] or open_cells <= {cell}


@settings(max_examples=100)
@given(situations())
def test_the_caps_are_kept(situation: Situation) -> None:
    options, past, rules, now = situation
    answer = next_attempt(options, past, rules=rules, not_before=now, deadline=now + timedelta(days=3))
    if isinstance(answer, GiveUp):
        return
    zone = ZoneInfo(rules.zone)
    on = answer.send_at.astimezone(zone).date()
    counted = [a.at.astimezone(zone).date() for a in past if a.outcome != "wrong_number"]
    assert counted.count(on) < rules.daily_cap
    assert sum(timedelta(0) <= on - day < timedelta(days=7) for day in counted) < rules.weekly_cap


@settings(max_examples=40)
@given(situations(), st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles"]))
def test_a_plan_does_not_depend_on_the_machines_zone(situation: Situation, machine: str) -> None:
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


def by_machine(*open_at: Hours) -> Option:
    return Option("voice", 1, (*open_at, CLINIC), 5)


@pytest.mark.parametrize(
    ("rung", "expected"),
    [
        ([], "2026-03-09T10:00"),
        (["2026-03-09T09:00"], "2026-03-10T09:00"),  # one a day, whatever it was about
        (
            ["2026-03-05T09:00", "2026-03-06T09:00", "2026-03-08T09:00"],
            "2026-03-12T09:00",
        ),  # three in any week
    ],
)
def test_a_machine_rings_once_a_day_and_three_times_a_week(rung: list[str], expected: str) -> None:
    past = [unanswered(at, "voice", OTHER) for at in rung]
    answer = planned(plan([by_machine(ANY)], past))
    assert answer.send_at == local(expected)
    assert bool(answer.moved) == bool(rung)


def test_people_and_messages_go_on_that_day() -> None:
    past = [unanswered("2026-03-09T09:00", "voice", OTHER)]
    answer = planned(plan([text(ANY), by_machine(ANY)], past))
    assert (answer.channel, answer.send_at) == ("sms", MONDAY)
