"""When doctors receive: weekly hours, and the dates on which these do not hold. What is saved holds at once.

A room is had by one doctor at a time: whoever gives somebody hours in it locks it, looks, and only then saves.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from appointments.cells import FILLED_DAYS, cells_of_exception, cells_of_rule, planned_cells, renew
from appointments.displaced import ask_to_move_all
from appointments.models import (
    Appointment,
    ExceptionKind,
    Location,
    Practitioner,
    Schedule,
    ScheduleException,
)
from appointments.slots import first_in_common
from appointments.visits import spoken
from patients.actions import RefusedError
from patients.windows import Interval

LONGEST_DAYS = 366  # of one exception


@transaction.atomic
def add_hours(rule: Schedule, *, now: datetime, by: User | None = None) -> int:
    """Save a weekly stretch and cut it into cells. Returns how many visits now stand outside the hours."""
    refuse_room_of_another(rule, rule.location, now=now)
    rule.save()
    return _apply(rule.practitioner, rule.valid_from, rule.valid_until, now=now, by=by)


@transaction.atomic
def end_hours(rule: Schedule, *, last_on: date, now: datetime, by: User | None = None) -> int:
    """The stretch holds up to `last_on`; visits made for later days are asked to be moved."""
    Schedule.objects.filter(pk=rule.pk).update(valid_until=last_on)
    return _apply(rule.practitioner, last_on + timedelta(days=1), None, now=now, by=by)


@transaction.atomic
def add_exception(exception: ScheduleException, *, now: datetime, by: User | None = None) -> int:
    """Save it and apply it to the cells there are. Returns how many visits were left without hours by it."""
    if (exception.last_on - exception.first_on).days >= LONGEST_DAYS:
        raise RefusedError(_("An exception lasts a year at most. For good, end the weekly hours instead."))
    if exception.kind != ExceptionKind.AWAY:
        refuse_room_of_another(exception, exception.location, now=now)
    exception.made_at, exception.made_by = now, by
    exception.save()
    return _apply(exception.practitioner, exception.first_on, exception.last_on, now=now, by=by)


@transaction.atomic
def remove_exception(exception: ScheduleException, *, now: datetime, by: User | None = None) -> int:
    """The weekly hours hold again; visits in extra hours that are no more ask to be moved."""
    _taken_back_needs_the_room(exception, now=now)
    exception.delete()
    return _apply(exception.practitioner, exception.first_on, exception.last_on, now=now, by=by)


def _apply(
    practitioner: Practitioner, first: date, last: date | None, *, now: datetime, by: User | None
) -> int:
    """Make the cells agree, in the days that are cut already; the rest follows by itself, night by night."""
    today = today_of(practitioner, now=now)
    first, last = max(first, today), min(last or date.max, today + timedelta(days=FILLED_DAYS))
    if first <= last:
        renew(practitioner, first, last)
    return ask_to_move_all(Appointment.objects.filter(practitioner=practitioner), now=now, by=by)


def today_of(practitioner: Practitioner, *, now: datetime) -> date:
    return now.astimezone(ZoneInfo(practitioner.clinic.time_zone)).date()


def refuse_room_of_another(
    new: Schedule | ScheduleException, room: Location | None, *, now: datetime
) -> None:
    """Say who has the room then, and when. Inside atomic(): the room is locked until the hours are saved."""
    if room is None:
        return
    room = Location.objects.select_for_update().get(pk=room.pk)
    if not room.is_exclusive:
        return
    first, last = _looked_at(new, now=now)
    make = cells_of_rule if isinstance(new, Schedule) else cells_of_exception
    _refuse_if_taken(room, new.practitioner, make(new, first, last), first, last)  # type: ignore[arg-type]


def _looked_at(new: Schedule | ScheduleException, *, now: datetime) -> tuple[date, date]:
    today = today_of(new.practitioner, now=now)
    if isinstance(new, ScheduleException):
        return max(new.first_on, today), new.last_on
    first = max(new.valid_from, today)
    return first, min(new.valid_until or date.max, first + timedelta(days=FILLED_DAYS))


def _refuse_if_taken(
    room: Location, mine: Practitioner, ours: list[Interval], first: date, last: date
) -> None:
    colleagues = Practitioner.objects.filter(clinic_id=room.clinic_id, is_active=True).exclude(pk=mine.pk)
    for colleague in colleagues.select_related("clinic"):
        planned = planned_cells(colleague, first, last)
        theirs = sorted((cell.at for cell in planned if cell.location_id == room.pk), key=lambda at: at.start)
        clash = first_in_common(ours, theirs)
        if clash:
            raise RefusedError(
                _("%(doctor)s has %(room)s then, first on %(time)s. Choose another room or other hours.")
                % {"doctor": colleague.name, "room": room.name, "time": spoken(clash.start, colleague)}
            )


def _taken_back_needs_the_room(exception: ScheduleException, *, now: datetime) -> None:
    """Somebody may have got the room for the days the doctor was to be away."""
    first, last = _looked_at(exception, now=now)
    if exception.kind == ExceptionKind.EXTRA or first > last:
        return
    for rule in exception.practitioner.schedules.select_related("location", "practitioner__clinic"):
        room = Location.objects.select_for_update().get(pk=rule.location_id)
        if room.is_exclusive:
            _refuse_if_taken(room, exception.practitioner, cells_of_rule(rule, first, last), first, last)
