"""The calendars of the days ahead, cut into cells from schedules and closed days."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from appointments.models import ExceptionKind, Practitioner, Schedule, ScheduleException, Slot
from appointments.queries import bounds_of
from appointments.slots import WeeklyRule, cells, overlap
from patients.models import ClosedDay
from patients.windows import Interval, ends_at, starts_at

logger = logging.getLogger(__name__)

FILLED_DAYS = 60  # how far ahead the calendar is cut into cells


def fill_slots(now: datetime, *, days: int = FILLED_DAYS) -> int:
    """Cut the calendars of the days ahead into cells. Returns how many cells are new; run again, none are."""
    made = 0
    receiving = Practitioner.objects.filter(Q(schedules__isnull=False) | Q(exceptions__isnull=False))
    for practitioner in receiving.select_related("clinic").distinct():
        try:
            today = now.astimezone(ZoneInfo(practitioner.clinic.time_zone)).date()
            last = today + timedelta(days=days)
            made += renew(practitioner, today, last)
            practitioner.schedules.update(filled_until=last)
        except Exception:
            logger.exception("The calendar of practitioner %s could not be filled.", practitioner.pk)
    return made


@transaction.atomic
def renew(practitioner: Practitioner, first: date, last: date) -> int:
    """Make the cells of these days agree with the schedules and closed days. Returns how many are new.

    Cells nobody uses are made anew; a cell in use stays with its visit, only closed if it lies outside the
    hours now, and nothing new is made across it.
    """
    wanted = _wanted(practitioner, first, last)
    day_start, day_end = bounds_of(practitioner, first, last)
    present = Slot.objects.filter(practitioner=practitioner, start__gte=day_start, start__lt=day_end)
    right = {slot.start for slot in present if slot.start in wanted and wanted[slot.start].end == slot.end}
    _retire([slot.pk for slot in present if slot.start not in right])
    kept = list(present.all())
    Slot.objects.filter(pk__in=[slot.pk for slot in kept if slot.is_closed and slot.start in right]).update(
        is_closed=False
    )
    used = [(slot.start, slot.end) for slot in kept if slot.start not in right]
    missing = [
        slot
        for start, slot in wanted.items()
        if start not in right and not any(begun < slot.end and start < ended for begun, ended in used)
    ]
    # Another worker may be filling the same days: what it has made already is left as it is.
    Slot.objects.bulk_create(missing, ignore_conflicts=True, batch_size=500)
    return len(missing)


def _retire(slot_ids: list[int]) -> None:
    """Delete the unused among cells that are wrong now, close the others.

    The lock waits for visits being booked on them this moment, and those that come later find no cell.
    """
    doomed = Slot.objects.filter(pk__in=slot_ids)
    list(doomed.select_for_update().order_by("start").values_list("pk", flat=True))
    doomed.filter(use__isnull=True).delete()
    doomed.filter(is_closed=False).update(is_closed=True)


def _wanted(practitioner: Practitioner, first: date, last: date) -> dict[datetime, Slot]:
    """Cells by start, none overlapping another, not yet saved. One who works no more has none."""
    found = [
        Slot(schedule=cell.schedule, practitioner=practitioner, start=cell.at.start, end=cell.at.end)
        for cell in planned_cells(practitioner, first, last)
    ]
    wanted: dict[datetime, Slot] = {}
    reached: datetime | None = None
    for slot in sorted(found, key=lambda slot: slot.start):
        if reached is None or slot.start >= reached:
            wanted[slot.start], reached = slot, slot.end
    return wanted


@dataclass(frozen=True)
class PlannedCell:
    at: Interval
    schedule: Schedule | None  # none: of changed or extra hours
    location_id: int | None


def planned_cells(practitioner: Practitioner, first: date, last: date) -> list[PlannedCell]:
    """The weekly hours with the exceptions applied; where two rules overlap, the cells do too."""
    if not practitioner.is_active:
        return []
    calendar = _Calendar(practitioner, first, last)
    schedules = list(practitioner.schedules.order_by("start", "pk"))
    exceptions = list(practitioner.exceptions.filter(first_on__lte=last, last_on__gte=first))
    receives_on = {
        on
        for schedule in schedules
        for on in calendar.days
        if _rule(schedule).holds_on(on) and on.weekday() == schedule.weekday
    }
    changed = [each for each in exceptions if each.kind == ExceptionKind.CHANGED]
    changed_on = {on for each in changed for on in calendar.days if each.first_on <= on <= each.last_on}
    away = [shut for each in exceptions if each.kind == ExceptionKind.AWAY for shut in calendar.away(each)]
    found = [
        PlannedCell(at, schedule, schedule.location_id)
        for schedule in schedules
        for at in calendar.cells([_rule(schedule)])
        if calendar.date_of(at) not in changed_on
    ]
    found += [
        PlannedCell(at, None, each.location_id)
        for each in exceptions
        if each.kind != ExceptionKind.AWAY
        for at in calendar.cells(_rules_of(each))
        if each.kind == ExceptionKind.EXTRA or calendar.date_of(at) in receives_on
    ]
    return [cell for cell in found if not any(overlap(cell.at, shut) for shut in away)]


class _Calendar:
    """The dates looked at, in the clinic's zone, with its closed days and its grid."""

    def __init__(self, practitioner: Practitioner, first: date, last: date) -> None:
        clinic = practitioner.clinic
        self.first, self.last, self.zone, self.grid = first, last, clinic.time_zone, clinic.cell_minutes
        self.days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        closed = ClosedDay.objects.filter(clinic=clinic, on__range=(first, last), is_open=False)
        self.closed = dict(closed.values_list("on", "closes_at"))

    def cells(self, rules: Sequence[WeeklyRule]) -> list[Interval]:
        return cells(rules, self.zone, self.closed, self.first, self.last, self.grid)

    def date_of(self, at: Interval) -> date:
        return at.start.astimezone(ZoneInfo(self.zone)).date()

    def away(self, exception: ScheduleException) -> Iterator[Interval]:
        for on in self.days:
            if exception.first_on <= on <= exception.last_on:
                start, end = exception.start or time.min, exception.end or time.max
                yield Interval(starts_at(self.zone, on, start), ends_at(self.zone, on, end))


def _rules_of(exception: ScheduleException) -> list[WeeklyRule]:
    """Its hours on each of its dates."""
    assert exception.start and exception.end  # noqa: S101, PT018 - a constraint: schedule_exception_hours_are_said
    start, end = exception.start, exception.end
    dates = exception.first_on, exception.last_on
    return [WeeklyRule(weekday, start, end, *dates) for weekday in range(7)]


def _rule(schedule: Schedule) -> WeeklyRule:
    return WeeklyRule(
        schedule.weekday, schedule.start, schedule.end, schedule.valid_from, schedule.valid_until
    )


def cells_of_rule(schedule: Schedule, first: date, last: date) -> list[Interval]:
    """The cells a weekly rule would have by itself."""
    return _Calendar(schedule.practitioner, first, last).cells([_rule(schedule)])


def cells_of_exception(exception: ScheduleException, first: date, last: date) -> list[Interval]:
    """The cells that changed or extra hours would have by themselves."""
    return _Calendar(exception.practitioner, first, last).cells(_rules_of(exception))
