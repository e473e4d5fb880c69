"""A limit added to many instants of one clinic: the same answers as journeys.deadlines, with the week laid out once."""

from bisect import bisect_left
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate
from zoneinfo import ZoneInfo

from journeys.clinic_time import due_within
from journeys.deadlines import Limit, Unit
from patients.windows import Hours, Interval, open_intervals

ONE_HOUR, NOTHING = timedelta(hours=1), timedelta()
AT_LEAST = {  # how long a limit lasts at the least, however long the clinic is open
    Unit.MINUTES: timedelta(minutes=1),
    Unit.HOURS: ONE_HOUR,
    Unit.WORKING_HOURS: ONE_HOUR,
    Unit.SAME_DAY: ONE_HOUR,
}


class WorkingClock:
    """A clinic's open stretches from `start` to `end`, with how long it has been open until each."""

    def __init__(self, opening: Hours, start: datetime, end: datetime) -> None:
        self.opening, self.zone = opening, ZoneInfo(opening.zone)
        self._start, self._end = start, end

    @cached_property
    def _stretches(self) -> list[Interval]:
        return open_intervals(self.opening, self._start, self._end)

    @cached_property
    def _ends(self) -> list[datetime]:
        return [each.end for each in self._stretches]

    @cached_property
    def _open_until(self) -> list[timedelta]:
        return list(accumulate((each.end - each.start for each in self._stretches), initial=NOTHING))

    def due_at(self, start: datetime, limit: Limit) -> datetime:
        if limit.unit == Unit.WORKING_HOURS and self._start <= start:
            found = self._hours_later(start, ONE_HOUR * limit.amount)
            if found is not None:
                return found
        return due_within(limit, self.opening, now=start)

    def _hours_later(self, start: datetime, left: timedelta) -> datetime | None:
        """None where the stretches end before."""
        nth = bisect_left(self._ends, start)
        if nth == len(self._ends):
            return None
        passed = self._open_until[nth] + max(start - self._stretches[nth].start, NOTHING)
        last = bisect_left(self._open_until, passed + left)
        if last >= len(self._open_until):
            return None
        return self._ends[last - 1] - (self._open_until[last] - passed - left)

    def is_surely_in_time(self, start: datetime, done: datetime, limit: Limit) -> bool:
        """Whether it was, without working out by when: most things are, and that by far."""
        if limit.unit in AT_LEAST:
            amount = 1 if limit.unit == Unit.SAME_DAY else limit.amount
            return done - start <= AT_LEAST[limit.unit] * amount
        return start.astimezone(self.zone).date() == done.astimezone(self.zone).date()
