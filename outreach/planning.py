"""When and how to contact a patient next: inside every window, in a way not yet tried, or not at all.

What the patient said comes first; law and quiet hours are part of each option's hours. A deadline never
widens a window: when nothing is open before it, the plan says so. Pure: no Django, no clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import reduce
from itertools import pairwise
from zoneinfo import ZoneInfo

from outreach.silence import BAD_ADDRESS, Cell, cell_of
from patients.windows import DAY, Hours, Interval, intersect, next_open, open_intervals, starts_at

HORIZON_DAYS = 60
VARIETY_DAYS = 8  # a week and a day: long enough to meet every part of every kind of day
PART_STARTS = (
    time(0),
    time(12),
    time(16),
)  # where a long window is cut, so that each part is a choice of its own
TRIES_AS_ASKED = (
    2  # unanswered on the channel she asked for; a channel she did not ask for is tried once in turn
)
LATEST = timedelta(hours=4)  # a plan is stale after that even if the window is still open
SHORTEST = timedelta(minutes=1)
NEVER_AGAIN = BAD_ADDRESS | {"opted_out", "asked_to_stop"}
OTHER = "other"


@dataclass(frozen=True)
class Option:
    """One address on one channel. `hours`: the patient's, the clinic's, the law's; all must be open."""

    channel: str
    contact_point: int
    hours: tuple[Hours, ...]
    preference: int  # the lowest is tried first
    asked: bool = False  # the channel the patient asked for


@dataclass(frozen=True)
class Past:
    """An attempt that was made; `outcome` as it ended."""

    channel: str
    contact_point: int
    at: datetime
    outcome: str


class Why(StrEnum):
    """Why this way and this moment; the words for screens live elsewhere."""

    ASKED = "asked"  # the patient asked for this channel
    NEXT_CHANNEL = "next_channel"  # what she asked for was tried, or cannot be used
    UNTRIED = "untried"  # this part of day, kind of day or channel has not been tried yet
    AGAIN = "again"  # everything reachable was tried
    PAST_DEADLINE = "past_deadline"  # nothing is open before the deadline
    SPACED = "spaced"  # moved on by the caps: not too often


@dataclass(frozen=True)
class Plan:
    channel: str
    contact_point: int
    send_at: datetime
    expires_at: datetime  # the window closes then, or the plan is stale
    why: tuple[Why, ...]


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
    spacing: timedelta = timedelta(hours=3)


@dataclass(frozen=True)
class _Candidate:
    option: Option
    span: Interval
    cell: Cell


def next_attempt(
    options: Sequence[Option], past: Sequence[Past], *, rules: Rules, not_before: datetime, deadline: datetime
) -> Plan | GiveUp:
    """The next contact, or why there is none; `not_before` is now or later.

    `past` are the attempts of this task, and with the outcome OTHER the patient's other contacts, which only
    the caps count.
    """
    own = [attempt for attempt in past if attempt.outcome != OTHER]
    if len(own) >= rules.max_attempts:
        return GiveUp(Reason.ATTEMPTS_USED)
    bad = {attempt.contact_point for attempt in past if attempt.outcome in NEVER_AGAIN}
    usable = sorted(
        (option for option in options if option.contact_point not in bad),
        key=lambda option: (option.preference, option.channel, option.contact_point),
    )
    if not usable:
        return GiveUp(Reason.NO_ADDRESS)
    allowed_from = earliest_by_caps(past, rules=rules, start=not_before)
    candidates = list(_candidates(usable, rules=rules, start=allowed_from))
    if not candidates:
        return _far_ahead(usable, start=allowed_from, deadline=deadline)
    chosen = _best(candidates, own, usable, rules=rules, deadline=deadline)
    return _plan(chosen, own, rules=rules, deadline=deadline, spaced=allowed_from > not_before)


def earliest_by_caps(past: Sequence[Past], *, rules: Rules, start: datetime) -> datetime:
    """The first moment from `start` at which one more contact keeps the spacing and the caps."""
    made = sorted(attempt.at for attempt in past if attempt.outcome not in BAD_ADDRESS)
    own = [at.at for at in past if at.outcome not in BAD_ADDRESS | {OTHER}]
    if own:
        start = max(start, max(own) + rules.spacing)
    zone = ZoneInfo(rules.zone)
    by_day: dict[date, int] = {}
    for at in made:
        on = at.astimezone(zone).date()
        by_day[on] = by_day.get(on, 0) + 1
    for _day in range(HORIZON_DAYS):
        on = start.astimezone(zone).date()
        week = sum(count for day, count in by_day.items() if timedelta(0) <= on - day < 7 * DAY)
        if by_day.get(on, 0) < rules.daily_cap and week < rules.weekly_cap:
            return start
        start = starts_at(rules.zone, on + DAY, time.min)
    return start


def _candidates(options: Sequence[Option], *, rules: Rules, start: datetime) -> Iterator[_Candidate]:
    """Every open stretch of the coming week, cut where the part of the day changes."""
    until = start + VARIETY_DAYS * DAY
    cuts = [Interval(a, b) for a, b in _parts(rules.zone, start, until)]
    for option in options:
        open_now = [open_intervals(hours, start, until) for hours in option.hours]
        shared = reduce(intersect, open_now, [Interval(start, until)])
        for span in (each for cut in cuts for each in intersect(shared, [cut])):
            if span.end - span.start >= SHORTEST:
                yield _Candidate(option, span, cell_of(span.start, option.channel, rules.zone, rules.weekend))


def _parts(zone: str, start: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    first = start.astimezone(ZoneInfo(zone)).date()
    starts = [
        starts_at(zone, first + DAY * n, clock) for n in range(VARIETY_DAYS + 2) for clock in PART_STARTS
    ]
    for a, b in pairwise(starts):
        if b > start and a < until:
            yield max(a, start), min(b, until)


def _best(
    candidates: Sequence[_Candidate],
    own: Sequence[Past],
    usable: Sequence[Option],
    *,
    rules: Rules,
    deadline: datetime,
) -> _Candidate:
    """Untried before tried, before the deadline rather than after, the asked channel, then the earliest."""
    tried = [cell_of(attempt.at, attempt.channel, rules.zone, rules.weekend) for attempt in own]
    counts: Mapping[Cell, int] = {cell: tried.count(cell) for cell in tried}
    last = tried[-1] if tried else None
    turn = _turn_of(own, usable)

    def rank(candidate: _Candidate) -> tuple[object, ...]:
        return (
            candidate.cell in counts,
            candidate.cell == last,
            candidate.span.start >= deadline,
            turn.index(candidate.option.channel),
            counts.get(candidate.cell, 0),
            candidate.option.preference,
            candidate.span.start,
            candidate.option.contact_point,
        )

    return min(candidates, key=rank)


def _turn_of(own: Sequence[Past], usable: Sequence[Option]) -> list[str]:
    """Channels in the order of their turn: the asked one first, until it was silent twice; then it waits."""
    channels = list(dict.fromkeys(option.channel for option in usable))
    asked = {option.channel for option in usable if option.asked}
    turns = {channel: TRIES_AS_ASKED if channel in asked else 1 for channel in channels}
    silent = {channel: sum(attempt.channel == channel for attempt in own) for channel in channels}
    return sorted(channels, key=lambda channel: (silent[channel] // turns[channel], channels.index(channel)))


def _plan(
    chosen: _Candidate,
    own: Sequence[Past],
    *,
    rules: Rules,
    deadline: datetime,
    spaced: bool,
) -> Plan:
    tried = {cell_of(attempt.at, attempt.channel, rules.zone, rules.weekend) for attempt in own}
    why = [Why.ASKED] if chosen.option.asked else []
    if own and own[-1].channel != chosen.option.channel:
        why.append(Why.NEXT_CHANNEL)
    if own:
        why.append(Why.AGAIN if chosen.cell in tried else Why.UNTRIED)
    if spaced:
        why.append(Why.SPACED)
    if chosen.span.start >= deadline:
        why.append(Why.PAST_DEADLINE)
    expires_at = min(chosen.span.end, chosen.span.start + LATEST)
    return Plan(chosen.option.channel, chosen.option.contact_point, chosen.span.start, expires_at, tuple(why))


def _far_ahead(usable: Sequence[Option], *, start: datetime, deadline: datetime) -> Plan | GiveUp:
    """Nothing is open for a week: the first opening within two months, or none at all."""
    within = HORIZON_DAYS * DAY
    opens = [
        (at, option.preference, option)
        for option in usable
        if (at := next_open(start, *option.hours, within=within, lasting=SHORTEST)) is not None
    ]
    if not opens:
        return GiveUp(Reason.NO_OPEN_TIME)
    at, _preference, option = min(opens, key=lambda found: (found[0], found[1], found[2].contact_point))
    until = at + LATEST
    spans = reduce(
        intersect, [open_intervals(hours, at, until) for hours in option.hours], [Interval(at, until)]
    )
    late = (Why.PAST_DEADLINE,) if at >= deadline else ()
    return Plan(option.channel, option.contact_point, at, spans[0].end, late)
