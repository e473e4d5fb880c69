"""The calendars of the days ahead, cut into cells from schedules and closed days."""

import logging
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from appointments.models import Practitioner, Schedule, Slot
from appointments.queries import bounds_of
from appointments.slots import WeeklyRule, cells
from patients.models import ClosedDay

logger = logging.getLogger(__name__)


def fill_slots(now: datetime, *, days: int = 60) -> int:
    """Cut the calendars of the days ahead into cells. Returns how many cells are new; run again, none are."""
    made = 0
    for practitioner in (
        Practitioner.objects.filter(schedules__isnull=False).select_related("clinic").distinct()
    ):
        try:
            today = now.astimezone(ZoneInfo(practitioner.clinic.time_zone)).date()
            made += renew(practitioner, today, today + timedelta(days=days))
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
    practitioner.schedules.update(filled_until=last)
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
    clinic = practitioner.clinic
    closed = dict(
        ClosedDay.objects.filter(clinic=clinic, on__range=(first, last), is_open=False).values_list(
            "on", "closes_at"
        )
    )
    schedules = practitioner.schedules.order_by("start", "pk") if practitioner.is_active else []
    found = [
        Slot(schedule=schedule, practitioner=practitioner, start=cell.start, end=cell.end)
        for schedule in schedules
        for cell in cells([_rule(schedule)], clinic.time_zone, closed, first, last, clinic.cell_minutes)
    ]
    wanted: dict[datetime, Slot] = {}
    reached: datetime | None = None
    for slot in sorted(found, key=lambda slot: slot.start):
        if reached is None or slot.start >= reached:
            wanted[slot.start], reached = slot, slot.end
    return wanted


def _rule(schedule: Schedule) -> WeeklyRule:
    return WeeklyRule(
        schedule.weekday, schedule.start, schedule.end, schedule.valid_from, schedule.valid_until
    )
