"""The demo's waiting list: some would like to come sooner, and a time has just become free."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from appointments import actions, waitlist
from appointments.models import Appointment, AppointmentStatus
from appointments.openings import offer_openings
from patients.actions import RefusedError
from patients.models import Clinic

WAITING, FREED = 14, 2
SOON, LATER = timedelta(days=2), timedelta(days=6)


def put_on_waiting_list(clinic: Clinic, rina: User, *, now: datetime) -> None:
    """Who has a date furthest away waits for a sooner one; two visits of the next days are cancelled."""
    booked = Appointment.objects.filter(clinic=clinic, status=AppointmentStatus.BOOKED).select_related(
        "practitioner__clinic", "patient", "step__journey"
    )
    for n, visit in enumerate(booked.filter(start__gt=now + LATER).order_by("-start")[:WAITING]):
        wanted = waitlist.Wanted(waitlist.minutes_of(visit), visit.practitioner if n % 3 else None)
        with suppress(RefusedError):
            since = now - timedelta(days=WAITING - n, minutes=37 * n)
            waitlist.wait_for_sooner(visit, wanted, now=since, by=rina)
    for visit in booked.filter(start__gt=now + SOON, start__lt=now + LATER).order_by("start")[:FREED]:
        actions.cancel(visit, because="the patient is ill", now=now, by=rina)
    offer_openings(now=now)
