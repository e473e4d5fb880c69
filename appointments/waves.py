"""Who fits a freed time, who is asked first, and how long a wave waits before the next (surfaces.md 4.4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from patients.windows import Hours, Interval, open_intervals

WAVE = 5  # one of about nine offers is accepted, so two waves fill a time more often than not
NEAREST = timedelta(hours=2)  # nothing nearer is offered
# The nearer the time, the less a wave waits: the last pair holds for everything nearer still.
WAITS = (
    (timedelta(days=1), timedelta(minutes=30)),
    (timedelta(hours=6), timedelta(minutes=15)),
    (timedelta(0), timedelta(minutes=10)),
)


@dataclass(frozen=True)
class Wish:
    """What one who waits would take. `has` is the visit she keeps; `busy` her other visits.

    `comes`: when she can come; empty: she has not said.
    """

    key: int
    minutes: int
    since: datetime
    practitioner: int | None = None
    is_urgent: bool = False
    earliest: date | None = None
    latest: date | None = None
    has: datetime | None = None
    busy: tuple[Interval, ...] = field(default=())
    comes: Hours | None = None


@dataclass(frozen=True)
class FreeTime:
    """Free cells without a gap. `freed` is the stretch of them that is being offered; empty: all.

    What was free beside it before makes room for a longer visit, but is not offered by itself.
    """

    practitioner: int
    zone: str
    starts: tuple[datetime, ...]
    end: datetime
    freed: Interval | None = None


def fitting_start(wish: Wish, free: FreeTime, *, now: datetime) -> datetime | None:
    """The start that suits her and needs the least of what was free before, the first of such; None if none does."""
    if wish.practitioner not in (None, free.practitioner):
        return None
    suiting = [start for start in free.starts if _suits(wish, free, start, now=now)]
    lasting = timedelta(minutes=wish.minutes)
    return min(
        suiting, key=lambda start: (_outside(free, Interval(start, start + lasting)), start), default=None
    )


def _outside(free: FreeTime, visit: Interval) -> timedelta:
    if free.freed is None:
        return timedelta(0)
    before, after = free.freed.start - visit.start, visit.end - free.freed.end
    return max(before, timedelta(0)) + max(after, timedelta(0))


def _suits(wish: Wish, free: FreeTime, start: datetime, *, now: datetime) -> bool:
    visit = Interval(start, start + timedelta(minutes=wish.minutes))
    if visit.end > free.end or start < now + NEAREST:
        return False
    if free.freed and not (visit.start < free.freed.end and free.freed.start < visit.end):
        return False
    on = start.astimezone(ZoneInfo(free.zone)).date()
    if (wish.earliest and on < wish.earliest) or (wish.latest and on > wish.latest):
        return False
    if wish.comes and open_intervals(wish.comes, visit.start, visit.end) != [visit]:
        return False
    # Sooner is an earlier day: nobody changes plans for an hour.
    if wish.has and on >= wish.has.astimezone(ZoneInfo(free.zone)).date():
        return False
    return not any(visit.start < other.end and other.start < visit.end for other in wish.busy)


def next_to_ask(
    wishes: Iterable[Wish], free: Sequence[FreeTime], *, now: datetime
) -> list[tuple[Wish, datetime]]:
    """All whom the free time suits, in the order in which they are asked: the urgent, then who waits longest."""
    found = []
    for wish in wishes:
        starts = [start for stretch in free if (start := fitting_start(wish, stretch, now=now))]
        if starts:
            found.append((wish, min(starts)))
    return sorted(found, key=lambda each: (not each[0].is_urgent, each[0].since, each[0].key))


def wave_waits(ahead: timedelta) -> timedelta:
    """How long a wave waits for a yes, in minutes in which messages may leave, if the time is so far ahead."""
    return next(wait for from_ahead, wait in WAITS if ahead >= from_ahead or from_ahead == timedelta(0))
