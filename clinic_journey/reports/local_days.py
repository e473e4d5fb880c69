"""Days by a clinic's own calendar, which the numbers and standards are counted in."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from patients.windows import starts_at

ONE_DAY = timedelta(days=1)
FOUR_WEEKS = 28  # days: what a page tells of, beside the four before


@dataclass(frozen=True)
class Days:
    """`since` begins the first of them; `until` is now, or ends the last."""

    since: datetime
    until: datetime


def local_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def begins(zone: str, on: date) -> datetime:
    return starts_at(zone, on, time.min)
