"""A visit and the taking of its time: whole or not at all, and whoever comes second hears who was first."""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, connection, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.models import (
    Appointment,
    AppointmentEvent,
    AppointmentStatus,
    Practitioner,
    SlotUse,
    VisitType,
)
from appointments.queries import find_times, open_cells, who_has
from appointments.waiting_models import Opening
from patients.actions import RefusedError, refuse_unless_active
from patients.models import Patient

OFFERED = 3
FAR = timedelta(days=3660)  # nothing is booked so far away; the calendar of dates itself has an end
# Where many want one time, many look for the next: nearly always it is the same day, so little is read first.
OFFERED_AHEAD = (timedelta(hours=4), timedelta(days=14))


def spoken(at: datetime, practitioner: Practitioner) -> str:
    """An instant in the words of the clinic's clock."""
    return date_format(at.astimezone(ZoneInfo(practitioner.clinic.time_zone)), "D j M H:i")


@dataclass(frozen=True)
class Visit:
    patient: Patient
    practitioner: Practitioner
    start: datetime
    minutes: int
    title: str = ""
    visit_type: VisitType | None = None

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


class SlotTakenError(RefusedError):
    """Somebody was first. The text names nobody, so patients may read it; `for_staff` says who and how."""

    def __init__(self, visit: Visit, *, winner: Appointment | None, free: list[datetime]) -> None:
        super().__init__(_("This time has just been taken. Please choose another."))
        self.taken_by = winner.patient.full_name if winner else ""  # empty: given back again meanwhile
        self.booked_by = _name_of(winner) if winner and winner.is_being_booked else ""  # this very moment
        self.is_held = bool(winner and winner.status == AppointmentStatus.PENDING)
        self.free = free
        self.visit = visit

    @property
    def for_staff(self) -> str:
        if not self.taken_by:
            return str(self)
        words = {
            "time": spoken(self.visit.start, self.visit.practitioner),
            "doctor": self.visit.practitioner.name,
            "patient": self.taken_by,
        }
        if self.booked_by:
            return _("%(who)s is booking %(time)s with %(doctor)s at this moment.") % {
                **words,
                "who": self.booked_by,
            }
        if self.is_held:
            return _("%(time)s with %(doctor)s is held for %(patient)s.") % words
        return _("%(time)s with %(doctor)s is booked for %(patient)s.") % words


def _name_of(winner: Appointment) -> str:
    return winner.made_by.get_full_name() if winner.made_by else ""


def visit_of(appointment: Appointment) -> Visit:
    minutes = (appointment.end - appointment.start) // timedelta(minutes=1)
    return Visit(appointment.patient, appointment.practitioner, appointment.start, minutes)


def refuse_nonsense(visit: Visit, *, now: datetime) -> None:
    if visit.patient.clinic_id != visit.practitioner.clinic_id:
        raise RefusedError(_("The patient and the practitioner belong to different clinics."))
    if not visit.practitioner.is_active:
        raise RefusedError(_("%(name)s does not receive any more.") % {"name": visit.practitioner.name})
    if abs(visit.start - now) > FAR:
        raise RefusedError(_("No calendar reaches that far. Choose a nearer time."))
    if visit.end <= now:
        raise RefusedError(_("This time has passed. Choose one that is still to come."))


def cells_of(practitioner: Practitioner, start: datetime, end: datetime) -> list[int]:
    """The keys of the open cells that make up [start, end) without a gap, in order; a refusal if they do not.

    It does not ask whether they are free: only taking them tells.
    """
    rows = list(open_cells(practitioner, start, end).values_list("pk", "start", "end"))
    reached = start
    for _pk, cell_start, cell_end in rows:
        if cell_start != reached:
            break
        reached = cell_end
    if reached != end or not rows:
        raise _outside_hours(practitioner, start, end)
    return [pk for pk, _start, _end in rows]


def _outside_hours(practitioner: Practitioner, start: datetime, end: datetime) -> RefusedError:
    minutes, grid = (end - start) / timedelta(minutes=1), practitioner.clinic.cell_minutes
    if minutes <= 0 or minutes % grid:
        return RefusedError(
            _("The calendar is divided into %(grid)s minutes; choose a length that is a multiple of it.")
            % {"grid": grid}
        )
    return RefusedError(
        _("%(time)s for %(minutes)s minutes is outside the hours of %(name)s. Choose a time within them.")
        % {"time": spoken(start, practitioner), "minutes": int(minutes), "name": practitioner.name}
    )


def insert(new: Appointment) -> None:
    """Write the visit, its cells and its first event, whole or not at all. IntegrityError: taken already.

    On PostgreSQL in one statement, as every booking of the day goes through here and a round trip for each
    row would cost several times as much (performance.md B1). It refuses by writing nothing.
    """
    if connection.vendor == "postgresql":
        if not _insert_at_once(new):
            refuse_unless_active(new.patient_id)
            cells_of(new.practitioner, new.start, new.end)  # finds the words
            raise _outside_hours(new.practitioner, new.start, new.end)
        return
    with transaction.atomic():
        refuse_unless_active(new.patient_id)
        wanted = cells_of(new.practitioner, new.start, new.end)
        new.save(force_insert=True)
        take(new, wanted)
        AppointmentEvent.objects.create(appointment=new, what=new.status, at=new.made_at, by=new.made_by)


@cache
def _columns() -> tuple[tuple[str, str], ...]:
    """Attribute and column of each field but the key, which the database gives."""
    fields = (field for field in Appointment._meta.concrete_fields if not field.primary_key)
    return tuple((field.attname, str(field.column)) for field in fields)


@cache
def _insert_sql() -> str:
    """Disjoint cells that begin and end with the visit and last as long as it leave no gap in it.

    The patient's key is held, and looked at again if somebody closes the record at this moment.
    """
    names = ", ".join(f'"{column}"' for _name, column in _columns())
    values = ", ".join(["%s"] * len(_columns()))
    return f"""
        WITH who AS (
            SELECT id FROM patients_patient WHERE id = %s AND status = 'active' FOR KEY SHARE
        ), cells AS (
            SELECT id, start, "end" FROM appointments_slot
            WHERE practitioner_id = %s AND start >= %s AND start < %s AND NOT is_closed
        ), made AS (
            INSERT INTO appointments_appointment ({names}) SELECT {values} FROM cells
            HAVING min(start) = %s AND max("end") = %s AND sum("end" - start) = %s
                AND EXISTS (SELECT FROM who) RETURNING id
        ), uses AS (
            INSERT INTO appointments_slotuse (slot_id, appointment_id)
            SELECT cells.id, made.id FROM cells CROSS JOIN made ORDER BY cells.start
        ), events AS (
            INSERT INTO appointments_appointmentevent (appointment_id, what, at, by_id, detail)
            SELECT id, %s, %s, %s, '' FROM made
        )
        SELECT id FROM made"""  # noqa: S608 - names are ours


def _insert_at_once(new: Appointment) -> bool:
    """The cells are taken in the order of time, as in `take`."""
    row = [getattr(new, name) for name, _column in _columns()]
    cells = (new.practitioner_id, new.start, new.end)
    covers: tuple[Any, ...] = (new.start, new.end, new.end - new.start)  # psycopg2 knows a timedelta
    event = (new.status, new.made_at, new.made_by_id)
    # One statement needs no transaction of its own, only a savepoint inside somebody else's.
    savepoint = transaction.atomic() if connection.in_atomic_block else nullcontext()
    with savepoint, connection.cursor() as cursor:
        cursor.execute(_insert_sql(), [new.patient_id, *cells, *row, *covers, *event])
        made = cursor.fetchone()
    if made:
        new.pk = made[0]
        new._state.adding, new._state.db = False, connection.alias  # noqa: SLF001 - as save() leaves it
    return bool(made)


def take(appointment: Appointment, wanted: list[int]) -> None:
    """Take the cells in the order of time, so that visits that overlap wait for each other, never in a ring.

    An IntegrityError means that somebody has one of them; the caller's savepoint decides what follows.
    """
    SlotUse.objects.bulk_create([SlotUse(slot_id=pk, appointment=appointment) for pk in wanted])


def taken(visit: Visit) -> SlotTakenError:
    for ahead in OFFERED_AHEAD:
        until = visit.start + ahead
        free = find_times(visit.practitioner, visit.minutes, after=visit.start, before=until, limit=OFFERED)
        if len(free) == OFFERED:
            break
    winner = who_has(visit.practitioner, visit.start, visit.end)
    return SlotTakenError(visit, winner=winner, free=free)


def take_or_refuse(appointment: Appointment, visit: Visit) -> None:
    try:
        with transaction.atomic():
            exchange(appointment, cells_of(visit.practitioner, visit.start, visit.end))
    except IntegrityError as clash:
        raise taken(visit) from clash


def exchange(appointment: Appointment, wanted: list[int]) -> None:
    """Take the cells it does not have yet, then give back those it no longer needs.

    In this order: two visits that change places are both refused, instead of waiting for each other.
    """
    own = set(SlotUse.objects.filter(appointment=appointment).values_list("slot_id", flat=True))
    take(appointment, [pk for pk in wanted if pk not in own])
    SlotUse.objects.filter(appointment=appointment, slot_id__in=own.difference(wanted)).delete()


def give_back(appointment: Appointment) -> None:
    SlotUse.objects.filter(appointment=appointment).delete()


def leave_open(visit: Appointment, *, now: datetime) -> None:
    """The time of this visit became free."""
    free_up(visit.practitioner, visit.start, visit.end, now=now, kind=visit.visit_type_id)


def free_up(
    practitioner: Practitioner, start: datetime, end: datetime, *, now: datetime, kind: int | None
) -> None:
    """Write down that this time became free: the next tick offers it to those who wait. Inside atomic().

    `kind` is the key of the type of visit that was there.

    A time that is being offered already is left as it is; the tick asks the calendar how much of it is free.
    """
    if start <= now:
        return
    freed = Opening(
        clinic_id=practitioner.clinic_id,
        practitioner=practitioner,
        start=start,
        end=end,
        visit_type_id=kind,
        freed_at=now,
        wave_from=now,
    )
    Opening.objects.bulk_create([freed], ignore_conflicts=True)
