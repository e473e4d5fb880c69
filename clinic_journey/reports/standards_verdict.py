"""When something counts as kept or not, and on which day: no rows, no clock.

What was done in time counts when it was done; what was not, when its time ran out. So the verdict of a day that
is over does not change any more, and each case counts once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

from journeys.deadlines import Limit, Unit, due_at
from patients.windows import Hours, Interval, intersect, open_intervals

AT_MOST = Limit(2, Unit.DAYS)  # decision -> reached, however few hours the patient left us (surfaces.md 7)
ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Case:
    """One thing that a standard is asked about. `due_at` is its own deadline where the standard sets none.

    `hours`: besides the clinic's, those that the patient told us; they stretch a limit in working hours.
    """

    key: int
    patient_id: int | None
    started_at: datetime
    done_at: datetime | None = None
    withdrawn_at: datetime | None = None  # nobody needs it any more
    due_at: datetime | None = None
    hours: Hours | None = None
    by_person: bool = False


@dataclass(frozen=True)
class Verdict:
    case: Case
    due_at: datetime | None
    met: bool | None  # empty: it may still go either way, or was no longer needed
    at: datetime | None  # when it counts

    @property
    def is_open(self) -> bool:
        return self.met is None and self.case.withdrawn_at is None


def judged(case: Case, due_at: datetime | None, *, now: datetime) -> Verdict:
    done_at = case.done_at if case.done_at and case.done_at <= now else None
    if done_at and (due_at is None or done_at <= due_at):
        return Verdict(case, due_at, met=True, at=done_at)
    is_over = due_at is not None and due_at <= now
    if is_over and (case.withdrawn_at is None or (due_at is not None and case.withdrawn_at > due_at)):
        return Verdict(case, due_at, met=False, at=due_at)
    return Verdict(case, due_at, met=None, at=None)


def due_in_hours(start: datetime, limit: Limit, opening: Hours, hers: Hours) -> datetime:
    """Working hours in which the patient, too, said she can be reached; two days at most in all."""
    latest, left = due_at(start, AT_MOST, opening), ONE_HOUR * limit.amount
    for each in _both_open([opening, hers], start, latest):
        if left <= each.end - each.start:
            return each.start + left
        left -= each.end - each.start
    return latest


def _both_open(hours: Sequence[Hours], start: datetime, end: datetime) -> list[Interval]:
    return reduce(intersect, [open_intervals(each, start, end) for each in hours])
