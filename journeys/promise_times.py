"""Times that can be promised on the phone: inside the clinic's opening hours, by the clinic's own clock."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from journeys import deadlines
from patients.windows import DAY, Hours, Interval, day_intervals, next_open, starts_at

NOON = time(12)
SEARCHED_DAYS = 30
ROUND = timedelta(minutes=5)  # nobody promises 15:43
SHORTEST = timedelta(minutes=15)  # less than that before closing is no promise for today


class Chip(StrEnum):
    IN_AN_HOUR = "in_an_hour"
    BY_CLOSING = "by_closing"
    NEXT_NOON = "next_noon"


@dataclass(frozen=True)
class Choice:
    chip: Chip
    at: datetime


def choices(now: datetime, opening: Hours) -> list[Choice]:
    """In an hour, today by closing, tomorrow at noon: each where the clinic is open, no time twice."""
    found = [
        Choice(Chip.IN_AN_HOUR, _in_an_hour(now, opening)),
        *(Choice(Chip.BY_CLOSING, at) for at in _by_closing(now, opening)),
        *(Choice(Chip.NEXT_NOON, at) for at in _next_noon(now, opening)),
    ]
    return [choice for n, choice in enumerate(found) if choice.at not in {each.at for each in found[:n]}]


def fits(at: datetime, opening: Hours) -> bool:
    """Whether somebody is there at that time to keep the promise; closing time itself is still in time."""
    return any(open_now.start <= at <= open_now.end for open_now in _day(at, opening))


def next_fit(at: datetime, opening: Hours) -> datetime | None:
    return next_open(at, opening)


def _day(at: datetime, opening: Hours, days: int = 0) -> list[Interval]:
    return day_intervals(opening, at.astimezone(ZoneInfo(opening.zone)).date() + DAY * days)


def _in_an_hour(now: datetime, opening: Hours) -> datetime:
    try:
        at = deadlines.due_at(now, deadlines.Limit(1, deadlines.Unit.WORKING_HOURS), opening)
    except deadlines.NoWorkingTime:  # a clinic without hours still promises
        return now + timedelta(hours=1)
    spoken = at + (datetime.min.replace(tzinfo=at.tzinfo) - at) % ROUND
    return spoken if fits(spoken, opening) else at


def _by_closing(now: datetime, opening: Hours) -> list[datetime]:
    return [each.end for each in _day(now, opening)[-1:] if each.end - now >= SHORTEST]


def _next_noon(now: datetime, opening: Hours) -> list[datetime]:
    """Noon of the next open day, or the nearest time of it at which the clinic is open."""
    for ahead in range(1, SEARCHED_DAYS):
        stretches = _day(now, opening, ahead)
        if stretches:
            on = now.astimezone(ZoneInfo(opening.zone)).date() + DAY * ahead
            noon = starts_at(opening.zone, on, NOON)
            return [
                min(
                    (max(each.start, min(noon, each.end)) for each in stretches),
                    key=lambda at: abs(at - noon),
                )
            ]
    return []
