"""The day of a visit: the patient is here, was treated, or did not come."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from appointments import queries
from appointments.models import APPOINTMENT_MOVES, Appointment, AppointmentStatus
from appointments.ties import BOOKED, NO_SHOW, change, end_step, give_journey, link, lock_journey_of
from appointments.visits import give_back, take_or_refuse, visit_of
from journeys.actions import ATTENDED, complete_step
from patients.actions import RefusedError


@transaction.atomic
def arrive(appointment: Appointment, *, now: datetime, by: User | None = None) -> None:
    """The patient is here. One who was taken for absent gets the time back, if it is still free."""
    zone = ZoneInfo(appointment.practitioner.clinic.time_zone)
    is_ahead = now.astimezone(zone).date() < appointment.start.astimezone(zone).date()
    if is_ahead and AppointmentStatus.ARRIVED in APPOINTMENT_MOVES[appointment.status]:
        raise RefusedError(_("This visit is on a later day. Move it to today if the patient is here."))
    was_missed = appointment.status == AppointmentStatus.NOSHOW
    journey = lock_journey_of(appointment)
    change(appointment, AppointmentStatus.ARRIVED, now=now, by=by)
    if not was_missed:
        return
    take_or_refuse(appointment, visit_of(appointment))
    rebooking = queries.book_step_of(journey) if journey else None
    if journey and rebooking:
        appointment.step = None
        opened = complete_step(rebooking, BOOKED, now=now, by=by)
        link(appointment, journey, opened, now=now, by=by)


@transaction.atomic
def fulfil(appointment: Appointment, *, now: datetime, by: User | None = None) -> None:
    """The visit took place; what follows it in the journey opens. Only who is here may begin before the time."""
    if now < appointment.start and appointment.status == AppointmentStatus.BOOKED:
        raise RefusedError(_("This visit has not begun yet."))
    journey = lock_journey_of(appointment)
    change(appointment, AppointmentStatus.FULFILLED, now=now, by=by)
    end_step(appointment, journey, ATTENDED, now=now, by=by)


@transaction.atomic
def no_show(appointment: Appointment, *, now: datetime, by: User | None = None) -> None:
    if now < appointment.start:
        raise RefusedError(_("This visit has not begun yet."))
    journey = give_journey(appointment, now=now, by=by)
    change(appointment, AppointmentStatus.NOSHOW, now=now, by=by)
    give_back(appointment)
    end_step(appointment, journey, NO_SHOW, now=now, by=by)
