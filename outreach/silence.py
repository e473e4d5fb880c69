"""Which ways of reaching a silent patient have been tried: channel by part of day by kind of day.

Silence has causes that are ours (S4): always one channel, always the same hours, always the same kind of day.
The grid shows them; nobody is "lost" before the other cells were tried. Pure: no Django, no clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

NOON, AFTERNOON_ENDS = 12, 16  # local hours that part the day (surfaces.md 4.6)
ENOUGH = 2  # unanswered attempts of one kind before that kind is called the cause


class DayPart(StrEnum):
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class DayKind(StrEnum):
    WEEKDAY = "weekday"
    WEEKEND = "weekend"


class Cause(StrEnum):
    """Why a patient is silent, as far as what we did can tell; the first that fits."""

    NUMBER_BAD = "number_bad"
    ONE_CHANNEL = "one_channel"
    ONE_DAY_PART = "one_day_part"
    ONE_DAY_KIND = "one_day_kind"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, order=True)
class Cell:
    """One way to try: a channel at a part of the day on a kind of day."""

    channel: str
    day_part: DayPart
    day_kind: DayKind


BAD_ADDRESS = frozenset({"wrong_number", "bad_address", "no_such_address"})


def part_of(hour: int) -> DayPart:
    if hour < NOON:
        return DayPart.MORNING
    return DayPart.AFTERNOON if hour < AFTERNOON_ENDS else DayPart.EVENING


def cell_of(at: datetime, channel: str, zone: str, weekend: frozenset[int]) -> Cell:
    """The cell an instant falls into, by the patient's clock; `weekend` lists weekdays, Monday being 0."""
    local = at.astimezone(ZoneInfo(zone))
    kind = DayKind.WEEKEND if local.weekday() in weekend else DayKind.WEEKDAY
    return Cell(channel, part_of(local.hour), kind)


def grid(channels: Iterable[str]) -> list[Cell]:
    """Every cell of some channels, in the order a screen shows them."""
    return [Cell(channel, part, kind) for channel in channels for kind in DayKind for part in DayPart]


def untried(cells: Iterable[Cell], reachable: Iterable[Cell]) -> list[Cell]:
    """What of `reachable` is not among the cells tried; the order of `reachable` stays."""
    tried = set(cells)
    return [cell for cell in dict.fromkeys(reachable) if cell not in tried]


def cause(tried: Sequence[Cell], *, reachable: Sequence[Cell], outcomes: Iterable[str] = ()) -> Cause | None:
    """The first cause that fits what was tried without an answer; None while there is too little to say.

    `reachable` are the cells the patient's card, the clinic and the law leave open.
    """
    if any(outcome in BAD_ADDRESS for outcome in outcomes):
        return Cause.NUMBER_BAD
    if len(tried) < ENOUGH:
        return None
    left = untried(tried, reachable)
    if _same(cell.channel for cell in tried) and any(cell.channel != tried[0].channel for cell in left):
        return Cause.ONE_CHANNEL
    if _same(cell.day_part for cell in tried) and any(cell.day_part != tried[0].day_part for cell in left):
        return Cause.ONE_DAY_PART
    if _same(cell.day_kind for cell in tried) and any(cell.day_kind != tried[0].day_kind for cell in left):
        return Cause.ONE_DAY_KIND
    return None if left else Cause.EXHAUSTED


def _same(values: Iterable[str]) -> bool:
    return len(set(values)) == 1
