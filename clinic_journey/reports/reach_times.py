"""When people were reached: weekday by part of the day by channel, as it happened, with how many tries each rests on.

Read from days that each night writes (numbers_days), so it costs the same when the clinic is older. We chose whom to
call when, so a good hour may be the hour of good patients; the screen says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from clinic_journey.reports.numbers_days import days_of
from clinic_journey.reports.reach_events import Kind
from outreach.learned import HOUR_BANDS
from patients.models import Channel, Clinic

FEW = 10  # tries; with fewer a share says nothing
BANDS = ((0, 8), *HOUR_BANDS)
AGREED, OTHERS = "agreed", "others"
LEVELS = 5


@dataclass(frozen=True)
class Cell:
    """One part of one weekday."""

    tries: int = 0
    reached: int = 0

    @property
    def is_few(self) -> bool:
        return 0 < self.tries < FEW

    @property
    def percent(self) -> int | None:
        return round(100 * self.reached / self.tries) if self.tries else None

    @property
    def level(self) -> int:
        """How strongly the cell is coloured; a half is as much as anybody reaches."""
        return min(LEVELS - 1, 2 * LEVELS * self.reached // (self.tries or 1))

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(self.tries + other.tries, self.reached + other.reached)


@dataclass(frozen=True)
class Picture:
    """One channel, or all of them: a row for each weekday, Monday being 0, and a cell for each band."""

    channel: str
    bands: tuple[tuple[int, int], ...]
    rows: list[tuple[int, list[Cell]]]

    @property
    def tries(self) -> int:
        return sum(cell.tries for _weekday, cells in self.rows for cell in cells)


def pictures(clinic: Clinic, only: str, *, first_weekday: int, now: datetime) -> list[Picture]:
    """All channels together, then each that was used."""
    found: dict[tuple[str, int, int], Cell] = {}
    for (_on, value), (tries, reached) in days_of(clinic, "reach", now=now).items():
        kind = Kind.of(value)
        if not tries or (only and kind.is_agreed != (only == AGREED)):
            continue
        band = next(nth for nth, (_start, end) in enumerate(BANDS) if kind.hour < end)
        for name in ("", kind.channel):
            key = (name, kind.weekday, band)
            found[key] = found.get(key, Cell()) + Cell(tries, reached)
    used = {name for name, _weekday, _band in found}
    is_early = any(band == 0 for _name, _weekday, band in found)
    bands = range(0 if is_early else 1, len(BANDS))
    week = [(first_weekday + n) % 7 for n in range(7)]
    names = ["", *(channel for channel in Channel.values if channel in used)]
    return [_picture(name, found, week, bands) for name in names]


def _picture(
    name: str, found: dict[tuple[str, int, int], Cell], week: Iterable[int], bands: range
) -> Picture:
    rows = [(day, [found.get((name, day, band), Cell()) for band in bands]) for day in week]
    return Picture(name, tuple(BANDS[band] for band in bands), rows)
