"""Times on a page that somebody has taken since it was made (surfaces.md 4.4): who, in words; nothing moves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db.models import Q

from appointments.models import Appointment, SlotUse
from patients.models import Clinic

MOST = 200  # times a page asks about
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
DIGITS = 9  # of a number in a mark
YEARS = range(2000, 2200)


@dataclass(frozen=True)
class FreeTime:
    """A time that a page shows as free: whose, from when until when."""

    doctor: int
    start: datetime
    end: datetime

    @property
    def mark(self) -> str:
        return mark_of(self.doctor, self.start, self.end)


def mark_of(doctor: int, start: datetime, end: datetime) -> str:
    return f"{doctor}-{int(start.timestamp()) // 60}-{(end - start) // MINUTE}"


def read_marks(text: str) -> list[FreeTime]:
    """What is broken is no time of ours and is left out."""
    return [found for part in text.split(".")[:MOST] if (found := _read(part))]


def _read(mark: str) -> FreeTime | None:
    numbers = mark.split("-")
    if not all(each.isascii() and each.isdecimal() and len(each) <= DIGITS for each in numbers):
        return None
    try:
        doctor, minute, minutes = map(int, numbers)
        start = datetime.fromtimestamp(minute * 60, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None
    if start.year not in YEARS or minutes > DAY // MINUTE:
        return None
    return FreeTime(doctor, start, start + minutes * MINUTE)


@dataclass(frozen=True)
class Taken:
    """By whom; empty where a patient took it on her own page."""

    who: str
    is_being_booked: bool


def taken_since(shown: Iterable[FreeTime], clinic: Clinic) -> dict[str, Taken]:
    """Of the times that a page shows as free those that are not, by their marks; one query."""
    asked = list(shown)
    if not asked:
        return {}
    days = {(each.doctor, each.start.date()) for each in asked}
    of_days = Q()
    for doctor, on in days:
        first = datetime.combine(on, time.min, tzinfo=UTC)
        of_days |= Q(slot__practitioner=doctor, slot__start__gte=first, slot__start__lt=first + 2 * DAY)
    uses = SlotUse.objects.filter(of_days, slot__practitioner__clinic=clinic)
    cells: dict[tuple[int, datetime], SlotUse] = {
        (use.slot.practitioner_id, use.slot.start): use
        for use in uses.select_related("slot", "appointment__made_by")
    }
    by_doctor: dict[int, list[datetime]] = {}
    for doctor, start in sorted(cells):
        by_doctor.setdefault(doctor, []).append(start)
    found = {}
    for each in asked:
        first_taken = next(
            (start for start in by_doctor.get(each.doctor, []) if each.start <= start < each.end), None
        )
        if first_taken is not None:
            found[each.mark] = _taken(cells[each.doctor, first_taken].appointment)
    return found


def _taken(visit: Appointment) -> Taken:
    by = visit.made_by
    return Taken((by.first_name or by.get_username()) if by else "", visit.is_being_booked)
