"""The days behind the numbers and the times of reach.

They are read as each night has written them, and counted live from the first that it has not.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime

from django.db import transaction

from clinic_journey.reports.local_days import FOUR_WEEKS, ONE_DAY, Days, begins, local_day
from clinic_journey.reports.numbers_events import Happened, asked, ended, holds, returned, told
from clinic_journey.reports.numbers_models import NumberDay
from clinic_journey.reports.reach_events import tried
from patients.models import Clinic

EVENTS: dict[str, Callable[[Clinic, Days], Iterable[Happened]]] = {
    "chases": asked,
    "told": told,
    "returned": returned,
    "holds": holds,
    "ended": ended,
    "reach": tried,
}
# Days that a page looks back.
LONGEST = {**dict.fromkeys(EVENTS, 2 * FOUR_WEEKS), "reach": 3 * FOUR_WEEKS, "ended": 365}
COUNTED_ANEW = 2 * FOUR_WEEKS  # days: what was corrected since is right by the next morning
BATCH = 500
Sums = dict[tuple[date, int], tuple[int, int]]  # day and value: how many are counted, how many of the part


def summed(happened: Iterable[Happened], zone: str) -> Sums:
    found: Sums = {}
    for each in happened:
        key = (local_day(each.at, zone), each.value)
        counted, part = found.get(key, (0, 0))
        found[key] = (counted + each.counted, part + each.part)
    return found


def days_of(clinic: Clinic, key: str, *, now: datetime) -> Sums:
    """The days that a page looks back at, today with them."""
    zone, today = clinic.time_zone, local_day(now, clinic.time_zone)
    first = today - ONE_DAY * (LONGEST[key] - 1)
    written = _written(clinic, key, first, today)
    days_written = {on for on, _value in written}
    live_from = _first_missing(days_written, first, today)
    live = summed(EVENTS[key](clinic, Days(begins(zone, live_from), now)), zone)
    return {**{at: sums for at, sums in written.items() if at[0] < live_from}, **live}


def _written(clinic: Clinic, key: str, first: date, today: date) -> Sums:
    rows = NumberDay.objects.filter(clinic=clinic, key=key, on__gte=first, on__lt=today)
    return {
        (on, value): (counted, part)
        for on, value, counted, part in rows.values_list("on", "value", "counted", "part")
    }


def _first_missing(days: set[date], first: date, today: date) -> date:
    return next(on for n in range((today - first).days + 1) if (on := first + ONE_DAY * n) not in days)


def rebuild_numbers(clinic: Clinic, *, now: datetime, anew: bool = False) -> int:
    """Count the last days before today again, and those before them that are missing; `anew`: all of them. How many."""
    return sum(_rebuild(clinic, key, now=now, anew=anew) for key in EVENTS)


def _rebuild(clinic: Clinic, key: str, *, now: datetime, anew: bool) -> int:
    """Read outside the transaction: on SQLite nobody else could write meanwhile."""
    zone, today = clinic.time_zone, local_day(now, clinic.time_zone)
    first = today - ONE_DAY * LONGEST[key]
    if not anew:
        written = {on for on, _value in _written(clinic, key, first, today)}
        first = min(_first_missing(written, first, today), max(first, today - ONE_DAY * COUNTED_ANEW))
    days = [first + ONE_DAY * n for n in range((today - first).days)]
    sums = summed(EVENTS[key](clinic, Days(begins(zone, first), begins(zone, today))), zone)
    sums = {**{(on, 0): (0, 0) for on in days}, **sums}
    with transaction.atomic():  # two workers at once wait for each other
        Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        NumberDay.objects.filter(clinic=clinic, key=key, on__gte=first).delete()
        NumberDay.objects.bulk_create(
            (
                NumberDay(clinic=clinic, key=key, on=on, value=value, counted=counted, part=part)
                for (on, value), (counted, part) in sums.items()
            ),
            batch_size=BATCH,
        )
    return len(days)
