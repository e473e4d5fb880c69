"""How long somebody waited in the clinic's working time: hours in which it was shut are counted out. Pure."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from patients.windows import Hours, open_intervals

HOUR = 3600
AGES = (2, 4, 8, 15)  # working days at which an open step comes into the next column
MARGIN = timedelta(days=1)


class WorkedTime:
    """The open seconds of one stretch of time, summed once, so that a wait costs two look-ups.

    In a clinic that has said no hours, calendar time is counted, as its deadlines are.
    """

    def __init__(self, opening: Hours, start: datetime, end: datetime) -> None:
        found = open_intervals(opening, start - MARGIN, end + MARGIN)
        if not opening.windows:
            self._starts, self._ends = [(start - MARGIN).timestamp()], [(end + MARGIN).timestamp()]
        else:
            self._starts = [each.start.timestamp() for each in found]
            self._ends = [each.end.timestamp() for each in found]
        lengths = [end - start for start, end in zip(self._starts, self._ends, strict=True)]
        self._before = [0.0, *accumulate(lengths)]

    def hours(self, start: datetime, end: datetime) -> int:
        """Whole working hours between two instants."""
        return max(0, int(self._until(end) - self._until(start)) // HOUR)

    def _until(self, at: datetime) -> float:
        moment = at.timestamp()
        nth = bisect_right(self._starts, moment) - 1
        if nth < 0:
            return 0.0
        return self._before[nth] + min(moment, self._ends[nth]) - self._starts[nth]


def worked_time(opening: Hours, instants: Iterable[datetime]) -> WorkedTime:
    """For waits between any two of these instants."""
    known = [*instants] or [datetime(2000, 1, 1, tzinfo=UTC)]
    return WorkedTime(opening, min(known), max(known))


def hours_a_week(opening: Hours) -> float:
    def minutes(weekday: int) -> int:
        return sum(
            (each.end.hour - each.start.hour) * 60 + each.end.minute - each.start.minute
            for each in opening.by_weekday[weekday]
        )

    return sum(minutes(weekday) for weekday in range(7)) / 60 or 7 * 24


def hours_a_day(opening: Hours) -> float:
    """Of a usual working day: what makes days out of hours."""
    days = sum(1 for each in opening.by_weekday if each) or 7
    return max(1.0, hours_a_week(opening) / days)


def age_column(hours: int, day: float) -> int:
    """Which of the columns 0-1, 2-3, 4-7, 8-14, 15+ working days."""
    return bisect_right(AGES, int(hours / day))
