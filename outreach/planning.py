"""When and how to contact a patient next: inside every window, in a way not yet tried, or not at all.

What the patient said comes first; law and quiet hours are part of each option's hours. A deadline never
widens a window: when nothing is open before it, the plan says so.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from outreach.because import Because, in_order, moved_by
from outreach.silence import BAD_ADDRESS, NOT_SENT, PART_STARTS, Cell, Past, cell_of, tried
from patients.windows import ALWAYS, DAY, Hours, Interval, intersect, open_intervals, open_together, starts_at

__all__ = [
    "OTHER",
    "GiveUp",
    "Option",
    "Past",
    "Plan",
    "Reason",
    "Rules",
    "Why",
    "next_attempt",
    "reachable_cells",
]

SOON = 8 * DAY  # a week and a day: nearly every card shows all its parts of all kinds of day in it
HORIZON = 60 * DAY
TRIES_AS_ASKED = 2  # in vain on the channel the patient asked for; any other is tried once in its turn
LATEST = timedelta(hours=4)  # a plan is stale after that even if the window is still open
SHORTEST = timedelta(minutes=1)
NEVER_AGAIN = BAD_ADDRESS | {"opted_out", "asked_to_stop"}
NOT_THIS_WAY = frozenset({"refused", "unfit"})  # not on this channel to this address; another may do
NOBODY_DISTURBED = BAD_ADDRESS | NOT_SENT
OTHER = "other"
BY_MACHINE = "voice"  # what rings without a person, of which there may be fewer (standards.md 4.1)


@dataclass(frozen=True)
class Option:
    """One address on one channel. `hours`: the patient's, the clinic's, the law's; all must be open."""

    channel: str
    contact_point: int
    hours: tuple[Hours, ...]
    preference: int  # the lowest is tried first
    asked: bool = False  # the channel the patient asked for


class Why(StrEnum):
    """Why this way and this moment; the words for screens live elsewhere."""

    ASKED = "asked"  # the patient asked for this channel
    NEXT_CHANNEL = "next_channel"  # another channel than the last time
    UNTRIED = "untried"  # this part of day, kind of day or channel has not been tried yet
    AGAIN = "again"  # everything reachable was tried
    PAST_DEADLINE = "past_deadline"  # nothing is open before the deadline
    SPACED = "spaced"  # moved on by the caps: not too often
    LEARNED = "learned"  # in the hours in which she mostly answers, where she told us none


@dataclass(frozen=True)
class Plan:
    channel: str
    contact_point: int
    send_at: datetime
    expires_at: datetime  # the window or the part of day closes then, or the plan is stale
    why: tuple[Why, ...]
    learned: tuple[int, int] | None = None  # those hours, where they decided
    moved: tuple[Because, ...] = ()  # what moved it from the moment at which it was asked for


class Reason(StrEnum):
    NO_ADDRESS = "no_address"
    NO_OPEN_TIME = "no_open_time"
    ATTEMPTS_USED = "attempts_used"


@dataclass(frozen=True)
class GiveUp:
    reason: Reason


@dataclass(frozen=True)
class Rules:
    """The patient's clock and weekend, and how often at most (standards.md 4.1: caps over all channels)."""

    zone: str
    weekend: frozenset[int] = frozenset({5, 6})
    max_attempts: int = 4
    daily_cap: int = 2
    weekly_cap: int = 4
    automated_calls_a_day: int = 1
    automated_calls_a_week: int = 3
    spacing: timedelta = timedelta(hours=3)
    learned: tuple[int, int] | None = (
        None  # the hours in which she mostly answers; None where she told us hers
    )


@dataclass(frozen=True)
class _Candidate:
    option: Option
    span: Interval
    cell: Cell
    is_learned: bool = False  # wholly inside the hours in which she mostly answers


def next_attempt(
    options: Sequence[Option], past: Sequence[Past], *, rules: Rules, not_before: datetime, deadline: datetime
) -> Plan | GiveUp:
    """The next contact, or why there is none; `not_before` is now or later.

    `past` are the attempts of this task, and with the outcome OTHER the patient's other contacts, which only
    the caps count.
    """
    own = sorted((each for each in past if each.outcome != OTHER), key=lambda each: each.at)
    usable = _usable(options, own)
    if not usable:
        return GiveUp(Reason.NO_ADDRESS)
    if len(own) >= rules.max_attempts:
        return GiveUp(Reason.ATTEMPTS_USED)
    disturbed = [each.at for each in own if each.outcome not in NOBODY_DISTURBED]
    start = max([not_before, *(at + rules.spacing for at in disturbed)])
    full = full_days(past, rules, since=not_before - SOON)
    machine = full_days_of_machine(past, rules, since=not_before - SOON)
    rank = _Rank(own, usable, rules, deadline)
    found: list[_Candidate] = []
    for within in (SOON, HORIZON):
        found = list(_candidates(usable, Interval(start, start + within), full, rules, machine))
        if any(candidate.cell not in rank.tried for candidate in found):
            break
    if not found:
        return GiveUp(Reason.NO_OPEN_TIME)
    spaced = start > not_before or not_before.astimezone(ZoneInfo(rules.zone)).date() in full
    plan = _plan(min(found, key=rank), rank, learned=rules.learned, spaced=spaced)
    hours = next(option.hours for option in usable if _is_way_of(option, plan))
    shut = machine | full if plan.channel == BY_MACHINE else full
    moved = moved_by(hours, shut, rules.zone, asked=not_before, planned=plan.send_at)
    return replace(plan, moved=in_order({*moved, *([Because.SPACING] if start > not_before else [])}))


def _is_way_of(option: Option, plan: Plan) -> bool:
    return (option.channel, option.contact_point) == (plan.channel, plan.contact_point)


def _usable(options: Sequence[Option], own: Sequence[Past]) -> list[Option]:
    bad = {each.contact_point for each in own if each.outcome in NEVER_AGAIN}
    unfit = {(each.channel, each.contact_point) for each in own if each.outcome in NOT_THIS_WAY}
    return sorted(
        (
            option
            for option in options
            if option.contact_point not in bad and (option.channel, option.contact_point) not in unfit
        ),
        key=lambda option: (option.preference, option.channel, option.contact_point),
    )


def full_days(past: Sequence[Past], rules: Rules, *, since: datetime) -> dict[date, Because]:
    """The patient's local days on which one more contact breaks a cap; the weekly one is for any seven days."""
    counted = [each.at for each in past if each.at >= since and each.outcome not in NOBODY_DISTURBED]
    made = Counter(at.astimezone(ZoneInfo(rules.zone)).date() for at in counted)
    near = {on + DAY * n for on in made for n in range(-6, 7)}

    def most_in_a_week(on: date) -> int:
        return max(sum(made[on + DAY * (first + n)] for n in range(7)) for first in range(-6, 1))

    return {on: Because.WEEK_CAP for on in near if most_in_a_week(on) >= rules.weekly_cap} | {
        on: Because.DAY_CAP for on in near if made[on] >= rules.daily_cap
    }


def full_days_of_machine(past: Sequence[Past], rules: Rules, *, since: datetime) -> dict[date, Because]:
    """The same for automated calls alone."""
    rung = [each for each in past if each.channel == BY_MACHINE]
    caps = replace(rules, daily_cap=rules.automated_calls_a_day, weekly_cap=rules.automated_calls_a_week)
    return full_days(rung, caps, since=since) if rung else {}


def _candidates(
    options: Sequence[Option],
    within: Interval,
    full: dict[date, Because],
    rules: Rules,
    machine: dict[date, Because],
) -> Iterator[_Candidate]:
    """Every open stretch, cut where the part of the day changes, so that each part is a choice of its own.

    On the days in `full` nobody is contacted, on those in `machine` nobody is called by one.
    """
    parts = _parts_but_for(full, within, rules)
    parts_of_machine = _parts_but_for(machine | full, within, rules) if machine else parts
    for option in options:
        free = parts_of_machine if option.channel == BY_MACHINE else parts
        for span in intersect(open_together(option.hours, within.start, within.end), free):
            if span.end - span.start >= SHORTEST:
                cell = cell_of(span.start, option.channel, rules.zone, rules.weekend)
                yield _Candidate(option, span, cell, _is_learned(span.start, rules))


def _parts_but_for(full: dict[date, Because], within: Interval, rules: Rules) -> list[Interval]:
    days = Hours.of(rules.zone, ALWAYS, dict.fromkeys(full))
    return intersect(open_intervals(days, within.start, within.end), _parts(rules, within))


def _is_learned(at: datetime, rules: Rules) -> bool:
    if rules.learned is None:
        return False
    start, end = rules.learned
    return start <= at.astimezone(ZoneInfo(rules.zone)).hour < end


def reachable_cells(options: Sequence[Option], *, rules: Rules, start: datetime) -> list[Cell]:
    """Every way that is open within a week and a day, what the patient asked for first; caps aside."""
    within = Interval(start, start + SOON)
    candidates = sorted(
        _candidates(options, within, {}, rules, {}),
        key=lambda each: (each.option.preference, each.span.start),
    )
    return list(dict.fromkeys(candidate.cell for candidate in candidates))


def _parts(rules: Rules, within: Interval) -> list[Interval]:
    """The parts of each day, and apart from them the hours in which she mostly answers."""
    zone = rules.zone
    first = within.start.astimezone(ZoneInfo(zone)).date()
    days = range((within.end - within.start) // DAY + 2)
    learned = {time(hour) for hour in rules.learned or () if hour in range(24)}
    clocks = sorted({*PART_STARTS.values(), *learned})
    starts = [starts_at(zone, first + DAY * n, clock) for n in days for clock in clocks]
    return [Interval(start, end) for start, end in pairwise(starts)]


class _Rank:
    """Smaller is better: untried before tried, before the deadline, the channel whose turn it is, the earliest.

    What she told us decides what is open at all and which channel comes first; what we learned, only after that.
    """

    def __init__(
        self, own: Sequence[Past], usable: Sequence[Option], rules: Rules, deadline: datetime
    ) -> None:
        self.deadline = deadline
        self.last_channel = own[-1].channel if own else ""
        cells = tried(own, zone=rules.zone, weekend=rules.weekend)
        self.tried = Counter(cells)
        self.last = cells[-1] if cells else None
        self.turn = _turn_of([cell.channel for cell in cells], usable)

    def __call__(self, candidate: _Candidate) -> tuple[object, ...]:
        cell, option = candidate.cell, candidate.option
        return (
            cell in self.tried,
            cell == self.last,
            candidate.span.start >= self.deadline,
            self.turn.index(option.channel),
            not candidate.is_learned,
            self.last is not None and cell.day_part == self.last.day_part,
            self.tried[cell],
            option.preference,
            candidate.span.start,
            option.contact_point,
        )


def _turn_of(used: Sequence[str], usable: Sequence[Option]) -> list[str]:
    """Channels in the order of their turn: the asked one first, until it was silent twice; then it waits."""
    channels = list(dict.fromkeys(option.channel for option in usable))
    asked = {option.channel for option in usable if option.asked}
    rounds = {each: used.count(each) // (TRIES_AS_ASKED if each in asked else 1) for each in channels}
    return sorted(channels, key=lambda channel: (rounds[channel], channels.index(channel)))


def _plan(chosen: _Candidate, rank: _Rank, *, learned: tuple[int, int] | None, spaced: bool) -> Plan:
    option, start, end = chosen.option, chosen.span.start, chosen.span.end
    again = chosen.cell in rank.tried
    reasons = {
        Why.ASKED: option.asked,
        Why.NEXT_CHANNEL: rank.last_channel not in ("", option.channel),
        Why.UNTRIED: bool(rank.last_channel) and not again,
        Why.AGAIN: again,
        Why.SPACED: spaced,
        Why.PAST_DEADLINE: start >= rank.deadline,
        Why.LEARNED: chosen.is_learned,
    }
    why = tuple(reason for reason, holds in reasons.items() if holds)
    band = learned if chosen.is_learned else None
    return Plan(option.channel, option.contact_point, start, min(end, start + LATEST), why, band)
