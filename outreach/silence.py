"""What has been tried with a patient who does not answer: channel by part of day by kind of day.

Silence has causes that are ours (S4): always one channel, always the same hours, always the same kind of day.
The grid shows what was tried; nobody is "lost" before these causes are ruled out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

ENOUGH = 2  # one unanswered attempt says nothing yet
BAD_ADDRESS = frozenset({"wrong_number", "bad_address", "no_such_address"})
ANSWERED = frozenset(
    {"spoken", "booked", "confirmed", "call_at", "prefers_message", "declined", "asked_to_stop", "opted_out"}
) | {"needs_doctor", "not_now"}
NOT_SENT = frozenset(
    {"unreachable", "login", "busy", "refused", "unfit", "stopped"}
)  # the channel did not take it
NO_SILENCE = ANSWERED | NOT_SENT  # what ended so says nothing about a patient who does not answer


class DayPart(StrEnum):
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class DayKind(StrEnum):
    WEEKDAY = "weekday"
    WEEKEND = "weekend"


PART_STARTS = {DayPart.MORNING: time(0), DayPart.AFTERNOON: time(12), DayPart.EVENING: time(16)}


@dataclass(frozen=True, order=True)
class Cell:
    """One way to try: a channel at a part of the day on a kind of day."""

    channel: str
    day_part: DayPart
    day_kind: DayKind


@dataclass(frozen=True)
class Past:
    """An attempt that was made; `outcome` as it ended."""

    channel: str
    contact_point: int
    at: datetime
    outcome: str


def part_of(clock: time) -> DayPart:
    return next(part for part, start in reversed(PART_STARTS.items()) if clock >= start)


def cell_of(at: datetime, channel: str, zone: str, weekend: frozenset[int]) -> Cell:
    """The cell an instant falls into, by the patient's clock; `weekend` lists weekdays, Monday being 0."""
    local = at.astimezone(ZoneInfo(zone))
    kind = DayKind.WEEKEND if local.weekday() in weekend else DayKind.WEEKDAY
    return Cell(channel, part_of(local.time()), kind)


def tried(attempts: Iterable[Past], *, zone: str, weekend: frozenset[int]) -> list[Cell]:
    """The cells in which nobody answered, oldest first. What never reached the patient's phone tried nothing."""
    silent = sorted(
        (attempt for attempt in attempts if attempt.outcome not in BAD_ADDRESS | NO_SILENCE),
        key=lambda attempt: attempt.at,
    )
    return [cell_of(attempt.at, attempt.channel, zone, weekend) for attempt in silent]


def grid(channels: Iterable[str]) -> list[Cell]:
    """Every cell of some channels, in the order a screen shows them."""
    return [Cell(channel, part, kind) for channel in channels for kind in DayKind for part in DayPart]


@dataclass(frozen=True)
class Mark:
    """One cell of the grid on the screen: how often it was tried in vain, and whether it can be tried at all."""

    cell: Cell
    tries: int
    reachable: bool


def marked(channels: Iterable[str], tried: Sequence[Cell], reachable: Iterable[Cell]) -> list[list[Mark]]:
    """The grid for the screen, a row for each channel; what was tried is shown even where it is shut now."""
    can = set(reachable)
    rows = dict.fromkeys([*channels, *(cell.channel for cell in tried)])
    return [[Mark(cell, tried.count(cell), cell in can) for cell in grid([channel])] for channel in rows]


def untried(cells: Iterable[Cell], reachable: Iterable[Cell]) -> list[Cell]:
    """What of `reachable` is not among the cells tried; the order of `reachable` stays."""
    known = set(cells)
    return [cell for cell in dict.fromkeys(reachable) if cell not in known]


class Cause(StrEnum):
    """Why a patient is silent, as far as what we did can tell."""

    NUMBER_BAD = "number_bad"
    ONE_CHANNEL = "one_channel"
    ONE_DAY_PART = "one_day_part"
    ONE_DAY_KIND = "one_day_kind"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True)
class Evidence:
    """What is known about a silence. `reachable`: what the patient's card, the clinic and the law leave open."""

    tried: Sequence[Cell]
    reachable: Sequence[Cell]
    asked: str = ""  # the channel the patient told us
    number_bad: bool = False

    def always_same(self, of: Callable[[Cell], str]) -> bool:
        """Whether every attempt was alike in this, though it could have been otherwise."""
        used = {of(cell) for cell in self.tried}
        return len(used) == 1 and any(of(cell) not in used for cell in self.reachable)

    def asked_in_vain(self) -> bool:
        """The patient named a channel, and it was never tried."""
        used = {cell.channel for cell in self.tried}
        return self.asked not in used and any(cell.channel == self.asked for cell in self.reachable)


# In the order in which they are looked for (surfaces.md 4.6). A new cause is one more name and one more line.
SIGNS: tuple[tuple[Cause, Callable[[Evidence], bool]], ...] = (
    (Cause.NUMBER_BAD, lambda seen: seen.number_bad),
    (Cause.ONE_CHANNEL, lambda seen: seen.asked_in_vain() or seen.always_same(lambda cell: cell.channel)),
    (Cause.ONE_DAY_PART, lambda seen: seen.always_same(lambda cell: cell.day_part)),
    (Cause.ONE_DAY_KIND, lambda seen: seen.always_same(lambda cell: cell.day_kind)),
    (Cause.EXHAUSTED, lambda seen: not untried(seen.tried, seen.reachable)),
)


def evidence(
    attempts: Sequence[Past],
    reachable: Sequence[Cell],
    *,
    zone: str,
    weekend: frozenset[int],
    asked: str = "",
) -> Evidence:
    """What the attempts show since the patient last answered. A number is bad when every one tried is."""
    answers = [attempt.at for attempt in attempts if attempt.outcome in ANSWERED]
    since = [attempt for attempt in attempts if not answers or attempt.at > max(answers)]
    bad = {attempt.contact_point for attempt in since if attempt.outcome in BAD_ADDRESS}
    number_bad = bool(bad) and bad == {attempt.contact_point for attempt in since}
    return Evidence(tried(since, zone=zone, weekend=weekend), reachable, asked, number_bad)


def causes(seen: Evidence) -> list[Cause]:
    """All causes not yet ruled out, the first to act on first; none while there is too little to say."""
    return [cause for cause, fits in SIGNS if (seen.number_bad or len(seen.tried) >= ENOUGH) and fits(seen)]


def cause(seen: Evidence) -> Cause | None:
    return next(iter(causes(seen)), None)
