"""When people were reached: weekday by part of the day by channel, as it happened, with how many tries each rests on.

Hours are those of the patient's own clock, as in planning; where it is not known, of the clinic's.
We chose whom to call when, so a good hour may be the hour of good patients; the screen says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, When
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, TruncTime

from outreach.channels.phone import CallOutcome
from outreach.learned import HOUR_BANDS
from outreach.models import WAITED_FOR, Attempt, Reply
from outreach.queries import CARRIED_OUT, REACHED
from patients.models import Channel, Clinic, ContactWindow

LOOKED_BACK = timedelta(weeks=12)
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
    """All channels together, then each that was used; in one query for each time zone that patients are in."""
    found: dict[tuple[str, int, int], Cell] = {}
    for weekday, hour, channel, tries, reached in _counted(clinic, only, now=now):
        band = next(nth for nth, (_start, end) in enumerate(BANDS) if hour < end)
        for name in ("", channel):
            key = (name, weekday - 1, band)
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


def _counted(clinic: Clinic, only: str, *, now: datetime) -> Iterable[tuple[Any, ...]]:
    tries = _tries(clinic, now=now)
    for named in tries.order_by().values_list("patient__time_zone", flat=True).distinct():
        zone = ZoneInfo(named or clinic.time_zone)
        theirs = _on_the_clock(tries.filter(patient__time_zone=named), zone)
        if only in (AGREED, OTHERS):
            theirs = _in_her_hours(theirs, zone).filter(agreed=only == AGREED)
        counts = {"tries": Count("pk"), "reached": Count("pk", filter=Q(answered=True))}
        rows = theirs.values("weekday", "hour", "channel").annotate(**counts).order_by()
        yield from rows.values_list("weekday", "hour", "channel", "tries", "reached")


def _on_the_clock(tries: QuerySet[Any], zone: ZoneInfo) -> QuerySet[Any]:
    answered = Case(
        When(channel=Channel.PHONE, then=Q(outcome__in=[*REACHED])),
        default=Exists(Reply.objects.filter(attempt=OuterRef("pk"))),
    )
    found: QuerySet[Any] = tries.annotate(
        weekday=ExtractIsoWeekDay("called_at", tzinfo=zone),
        hour=ExtractHour("called_at", tzinfo=zone),
        answered=answered,
    )
    return found


def _tries(clinic: Clinic, *, now: datetime) -> QuerySet[Any]:
    """Calls that were made and messages that left; what rang elsewhere was no try, a machine's call is neither."""
    made = Attempt.objects.filter(
        clinic=clinic, called_at__gte=now - LOOKED_BACK, called_at__lt=now, status__in=CARRIED_OUT
    )
    return (
        made.exclude(channel=Channel.VOICE)
        .exclude(outcome=CallOutcome.WRONG_NUMBER)
        .exclude(~Q(channel=Channel.PHONE), sent_at__isnull=True)
        .exclude(task__message_key__in=WAITED_FOR)
    )


def _in_her_hours(tries: QuerySet[Any], zone: ZoneInfo) -> QuerySet[Any]:
    """With whether each lay in hours that the patient had told us before, on that clock."""
    windows = ContactWindow.objects.filter(
        card__patient=OuterRef("patient"),
        card__told_at__lte=OuterRef("called_at"),
        weekday=OuterRef("weekday") - 1,
        start__lte=OuterRef("clock"),
        end__gt=OuterRef("clock"),
    )
    on_the_clock = tries.annotate(clock=TruncTime("called_at", tzinfo=zone))
    found: QuerySet[Any] = on_the_clock.annotate(agreed=Exists(windows))
    return found
