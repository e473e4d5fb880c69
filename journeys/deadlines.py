"""By when: a limit added to an instant, in elapsed time, on the calendar, or in the clinic's working time.

Every unit keeps the order of things: what started later is never due earlier, and a larger limit is never due
sooner. Three rules follow from that:

- What starts while the clinic is shut counts as started when it opens, for working days as for working hours.
- A limit in days or months ends with its last day, when the clinic closes; if that day is shut, when the next
  open day closes. (An exact hour would put Saturday's deadline behind Sunday morning's.)
- While the clock repeats an hour, it counts as standing still (`windows.reading`).

A limit in working time may end exactly at closing time, never after it.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import chain
from zoneinfo import ZoneInfo

from patients.windows import DAY, Hours, Interval, as_instant, day_intervals, reading, starts_at

SEARCHED_DAYS = 366
ONE_HOUR = timedelta(hours=1)


class Unit(StrEnum):
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"
    WORKING_HOURS = "working_hours"
    WORKING_DAYS = "working_days"
    SAME_DAY = "same_day"


@dataclass(frozen=True)
class Limit:
    """`amount` says nothing for SAME_DAY."""

    amount: int
    unit: Unit


class NoWorkingTime(Exception):
    """The clinic does not open for a year, so nothing can be due in its working time."""


def parse_limit(text: str) -> Limit:
    """Read "4 working hours", "1 working day", "same day", "6 months", "30 minutes"."""
    words = " ".join(text.casefold().split())
    if words == "same day":
        return Limit(1, Unit.SAME_DAY)
    found = re.fullmatch(r"([0-9]{1,4}) (working hour|working day|minute|hour|day|month)s?", words)
    if found is None or int(found[1]) == 0:
        raise ValueError(
            f'"{text}" is no limit. Write "same day", or a number from 1 to 9999 and one of: '
            "minutes, hours, days, months, working hours, working days."
        )
    return Limit(int(found[1]), Unit(found[2].replace(" ", "_") + "s"))


def due_at(start: datetime, limit: Limit, opening: Hours) -> datetime:
    """The last moment at which this is still in time. Raises NoWorkingTime if the clinic never opens."""
    start = as_instant(start)
    match limit.unit:
        case Unit.MINUTES:
            return start + timedelta(minutes=limit.amount)
        case Unit.HOURS:
            return start + timedelta(hours=limit.amount)
        case Unit.DAYS | Unit.MONTHS:
            return _close_of(_dates_later(_date_of(start, opening), limit), opening)
        case Unit.WORKING_HOURS:
            return _working_hours_later(start, ONE_HOUR * limit.amount, opening)
        case Unit.WORKING_DAYS:
            return _working_days_later(start, limit.amount, opening)
        case Unit.SAME_DAY:
            # With an hour left at least: what arrives at ten to six is due tomorrow.
            return _closing(_working_hours_later(start, ONE_HOUR, opening), opening)


def open_for(start: datetime, lasting: timedelta, opening: Hours) -> datetime:
    """When it has been open for so long since `start`. Raises NoWorkingTime if it never is."""
    return _working_hours_later(as_instant(start), lasting, opening)


def _date_of(at: datetime, opening: Hours) -> date:
    return at.astimezone(ZoneInfo(opening.zone)).date()


def _open_days(start: datetime, opening: Hours) -> Iterator[list[Interval]]:
    """Day by day, the open stretches that are left from `start` on; days that are shut are left out."""
    on, shut_days = _date_of(start, opening), 0
    while shut_days < SEARCHED_DAYS:
        left = [
            Interval(max(each.start, start), each.end)
            for each in day_intervals(opening, on)
            if each.end > start
        ]
        if left:
            yield left
        shut_days = 0 if left else shut_days + 1
        on += DAY
    raise NoWorkingTime(f"The clinic does not open within {SEARCHED_DAYS} days before {on}.")


def _closing(at: datetime, opening: Hours) -> datetime:
    """The first end of a working day that is not before `at`."""
    return next(_open_days(at - timedelta.resolution, opening))[-1].end


def _close_of(on: date, opening: Hours) -> datetime:
    """When this local day closes; if it is shut, when the next open day does."""
    return next(_open_days(starts_at(opening.zone, on, time.min), opening))[-1].end


def _working_hours_later(start: datetime, left: timedelta, opening: Hours) -> datetime:
    intervals = chain.from_iterable(_open_days(start, opening))
    interval = next(intervals)
    while left > interval.end - interval.start:
        left -= interval.end - interval.start
        interval = next(intervals)
    return interval.start + left


def _working_days_later(start: datetime, days: int, opening: Hours) -> datetime:
    """The same time of day, `days` open days later.

    Where that day opens later or has a break: when it is open again. Where it closes earlier: closing time.
    """
    open_days = _open_days(start, opening)
    last = first = next(open_days)
    for _ in range(days):
        last = next(open_days)
    passed = _date_of(last[0].start, opening) - _date_of(first[0].start, opening)
    local = reading(first[0].start, opening.zone) + passed
    at = starts_at(opening.zone, local.date(), local.time())
    return next((max(at, each.start) for each in last if at < each.end), last[-1].end)


def _dates_later(on: date, limit: Limit) -> date:
    """31 January and one month is the last day of February."""
    if limit.unit is Unit.DAYS:
        return on + DAY * limit.amount
    years, month = divmod(on.month - 1 + limit.amount, 12)
    year = on.year + years
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))
