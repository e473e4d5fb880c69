"""Opening hours and contact windows as stretches of real time, and the first moment inside all of them.

Hours are said in local time (weekday, from, to, a zone) and compared in UTC: each boundary of each day is
converted by itself, so a day of 23 or 25 hours needs no special case. Where the local clock jumps:

- a boundary that does not exist (the clock skips it) is the first moment after the gap;
- a boundary that happens twice is the first one for a start and the second one for an end, so a window never
  loses its repeated hour. A window that ends exactly where the repeated hour begins has none of that hour in
  it, and ends when the clock first gets there.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache, reduce
from typing import Self
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEK = 7  # days
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Interval:
    """Half-open: `start` belongs to it, `end` does not."""

    start: datetime
    end: datetime


@dataclass(frozen=True, order=True)
class WeeklyWindow:
    """One stretch of one weekday (Monday is 0). `time.max` as the end is midnight at the end of that day."""

    weekday: int
    start: time
    end: time

    def __post_init__(self) -> None:
        if self.weekday not in range(7) or self.start >= self.end:
            raise ValueError(f"{self} is no window: a window that crosses midnight is two, one for each day.")


ALWAYS = tuple(WeeklyWindow(weekday, time.min, time.max) for weekday in range(7))


@dataclass(frozen=True, eq=False)
class Hours:
    """Weekly windows in a zone, several a day if there is a break, and the dates that differ.

    A closed date with None is shut all day; with a time it shuts then (the eve of a holiday). The same hours are the
    same object, so what was worked out for one patient holds for all who share them, and costs no comparison.
    """

    zone: str
    windows: tuple[WeeklyWindow, ...]
    closed: tuple[tuple[date, time | None], ...] = ()

    @classmethod
    def of(cls, zone: str, windows: Iterable[WeeklyWindow], closed: Mapping[date, time | None]) -> Self:
        by_date = sorted(closed.items(), key=lambda item: item[0])
        return cls._same(zone, tuple(sorted(set(windows))), tuple(by_date))

    @classmethod
    @lru_cache(maxsize=8192)
    def _same(
        cls,
        zone: str,
        windows: tuple[WeeklyWindow, ...],
        closed: tuple[tuple[date, time | None], ...],
    ) -> Self:
        return cls(zone, windows, closed)

    @cached_property
    def by_weekday(self) -> tuple[tuple[WeeklyWindow, ...], ...]:
        return tuple(tuple(w for w in sorted(self.windows) if w.weekday == weekday) for weekday in range(7))

    @cached_property
    def shut_from(self) -> dict[date, time]:
        return {on: time.min if shuts is None else shuts for on, shuts in self.closed}


def _turn(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """When the clock jumped: the first whole second after `low` that has the offset of `high`."""
    low = low.replace(microsecond=0)
    offset = high.astimezone(zone).utcoffset()
    seconds = range((high - low) // SECOND + 1)
    return low + SECOND * bisect_left(
        seconds, x=True, key=lambda n: (low + SECOND * n).astimezone(zone).utcoffset() == offset
    )


def _in_utc(local: datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """The instant, and whether the clock ever shows that time (else: the first moment after the gap)."""
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return at, True
    after = local.replace(fold=0).astimezone(UTC)  # the offset before the gap lands after it, and vice versa
    return _turn(local.replace(fold=1).astimezone(UTC), after, zone), False


# Both caches are shared by everybody in a zone: 09:00 next Monday is one entry for all patients.
@lru_cache(maxsize=16384)
def starts_at(zone: str, on: date, clock: time) -> datetime:
    """The first moment at which the clock shows this time; after a gap that skips it, if one does."""
    local = datetime.combine(on, clock, ZoneInfo(zone))
    return _in_utc(local, ZoneInfo(zone))[0]


@lru_cache(maxsize=16384)
def ends_at(zone: str, on: date, clock: time) -> datetime:
    """The moment after which the clock shows no earlier time of that day any more."""
    # Asked for the last moment before the end, which also makes `time.max` mean midnight.
    last = datetime.combine(on, clock, ZoneInfo(zone))
    if clock != time.max:
        last -= timedelta.resolution
    at, exists = _in_utc(last.replace(fold=1), ZoneInfo(zone))
    return at + timedelta.resolution if exists else at


def reading(at: datetime, zone: str) -> datetime:
    """The local clock (naive) at an instant, never running backwards.

    While an hour repeats it stands at what the clock showed when it was put back, so that whoever comes later
    is never dated earlier.
    """
    local = at.astimezone(ZoneInfo(zone))
    if local.fold:
        first = local.replace(fold=0)
        local = _turn(first.astimezone(UTC), at, ZoneInfo(zone)) + (first.utcoffset() or timedelta())
    return local.replace(tzinfo=None, fold=0)


def as_instant(at: datetime) -> datetime:
    """Arithmetic on a datetime in a local zone is wall-clock arithmetic; here it never is."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no zone: an instant is aware.")
    return at.astimezone(UTC)


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Neighbours that touch or overlap become one; what is empty goes. Takes them sorted by start."""
    merged: list[Interval] = []
    for interval in intervals:
        if interval.start >= interval.end:
            continue
        if merged and interval.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, interval.end))
        else:
            merged.append(interval)
    return merged


def day_intervals(hours: Hours, on: date) -> list[Interval]:
    """The open stretches of one local date."""
    shut = hours.shut_from.get(on, time.max)
    return _merged(
        Interval(starts_at(hours.zone, on, window.start), ends_at(hours.zone, on, min(window.end, shut)))
        for window in hours.by_weekday[on.weekday()]
        if window.start < shut
    )


def open_intervals(hours: Hours, start: datetime, end: datetime) -> list[Interval]:
    """The open stretches within [start, end): clipped, sorted, disjoint; over midnight they are one."""
    return list(_open(hours, as_instant(start), as_instant(end)))


# One entry for all who share these hours in this tick; old ones make room.
@lru_cache(maxsize=8192)
def _open(hours: Hours, start: datetime, end: datetime) -> tuple[Interval, ...]:
    first = start.astimezone(ZoneInfo(hours.zone)).date()
    last = end.astimezone(ZoneInfo(hours.zone)).date()
    days = (day_intervals(hours, first + DAY * n) for n in range((last - first).days + 1))
    return tuple(
        _merged(Interval(max(each.start, start), min(each.end, end)) for day in days for each in day)
    )


@lru_cache(maxsize=8192)
def open_together(hours: tuple[Hours, ...], start: datetime, end: datetime) -> tuple[Interval, ...]:
    """The stretches within [start, end) that are open in all of these hours; worked out once for all who share them."""
    common = [Interval(as_instant(start), as_instant(end))]
    for each in hours:
        common = intersect(common, open_intervals(each, start, end))
    return tuple(common)


def intersect(first: Sequence[Interval], second: Sequence[Interval]) -> list[Interval]:
    """What lies in both; each must be sorted and disjoint, and so is the answer."""
    common: list[Interval] = []
    ours, theirs = iter(first), iter(second)
    one, other = next(ours, None), next(theirs, None)
    while one and other:
        start, end = max(one.start, other.start), min(one.end, other.end)
        if start < end:
            common.append(Interval(start, end))
        if one.end <= other.end:
            one = next(ours, None)
        else:
            other = next(theirs, None)
    return common


def is_open(at: datetime, *hours: Hours) -> bool:
    return bool(open_together(hours, at, at + timedelta.resolution))


def next_open(
    now: datetime, *hours: Hours, within: timedelta = timedelta(days=60), lasting: timedelta = timedelta(0)
) -> datetime | None:
    """The earliest moment from `now` on that is inside all hours, with at least `lasting` of them left.

    None if there is none before `now + within`: the windows have nothing in common.
    """
    start = as_instant(now)
    horizon, ahead = start + within, DAY
    while start < horizon:
        until = min(start + ahead, horizon)
        found = [open_intervals(each, start, until + lasting) for each in hours]
        for interval in reduce(intersect, found, [Interval(start, until + lasting)]):
            if interval.end - interval.start >= lasting and interval.start < until:
                return interval.start
        start, ahead = until, 2 * ahead  # nearly always it is today or tomorrow: look at little first
    return None


def runs_of_days(weekdays: Iterable[int]) -> list[tuple[int, int]]:
    """Weekdays (Monday is 0) as first and last of the days that follow one another, over the week's end too.

    Sunday to Thursday is [(6, 3)]; the whole week is [(0, 6)].
    """
    days = set(weekdays)
    if len(days) == WEEK:
        return [(0, WEEK - 1)]
    runs = []
    for first in sorted(day for day in days if (day - 1) % WEEK not in days):
        last = first
        while (last + 1) % WEEK in days:
            last = (last + 1) % WEEK
        runs.append((first, last))
    return runs
