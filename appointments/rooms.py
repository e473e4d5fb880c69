"""In which room a visit or a free time is: its weekly rule says so, else the changed or extra hours it belongs to."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from appointments.models import Appointment, ExceptionKind, Location, ScheduleException, SlotUse
from patients.models import Clinic


class Rooms:
    """The rooms of a clinic on the days from `first` to `last`. Where there is one, nobody asks which."""

    def __init__(self, clinic: Clinic, first: date, last: date) -> None:
        self.clinic, self.first, self.last = clinic, first, last
        self.zone = ZoneInfo(clinic.time_zone)

    @cached_property
    def names(self) -> dict[int, str]:
        found = Location.objects.filter(clinic=self.clinic).order_by("name", "pk")
        return dict(found.values_list("pk", "name"))

    @property
    def are_told(self) -> bool:
        return len(self.names) > 1

    @cached_property
    def _exceptions(self) -> list[ScheduleException]:
        found = ScheduleException.objects.filter(
            practitioner__clinic=self.clinic, first_on__lte=self.last, last_on__gte=self.first
        )
        return list(found.exclude(kind=ExceptionKind.AWAY))

    def of_cell(self, doctor: int, start: datetime, by_rule: int | None) -> int | None:
        """`by_rule` is the room of the weekly rule, where the cell is of one."""
        if by_rule is not None:
            return by_rule
        at = start.astimezone(self.zone)
        for each in self._exceptions:
            is_then = each.start is not None and each.end is not None and each.start <= at.time() < each.end
            if each.practitioner_id == doctor and is_then and each.first_on <= at.date() <= each.last_on:
                return each.location_id
        return None


def room_names_of(visits: Sequence[Appointment], clinic: Clinic) -> dict[int, str]:
    """By visit, where the clinic has several rooms; a visit that has given its time back is in none."""
    if not visits:
        return {}
    zone = ZoneInfo(clinic.time_zone)
    days = [visit.start.astimezone(zone).date() for visit in visits]
    rooms = Rooms(clinic, min(days), max(days))
    if not rooms.are_told:
        return {}
    cells = SlotUse.objects.filter(appointment__in=[visit.pk for visit in visits]).order_by("-slot__start")
    found: dict[int, str] = {}
    for visit, doctor, start, by_rule in cells.values_list(
        "appointment_id", "slot__practitioner_id", "slot__start", "slot__schedule__location_id"
    ):  # the last of each is its first cell
        found[visit] = rooms.names.get(rooms.of_cell(doctor, start, by_rule) or 0, "")
    return found
