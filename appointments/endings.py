"""The end of a journey before its goal, as the calendar sees it: what it kept goes back to everybody."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from appointments import queries
from appointments.actions import cancel
from appointments.models import Appointment, AppointmentStatus
from appointments.ties import change
from appointments.visits import give_back, leave_open
from journeys import actions as journeys
from journeys.models import Journey


@transaction.atomic
def cancel_journey(
    journey: Journey, *, reason: str, now: datetime, by: User | None = None
) -> list[Appointment]:
    """End the journey, then release its held and booked visits, in one transaction; returns the visits.

    The steps end first, so that no visit's end asks anybody for another date. The journey's lock keeps a hold
    from being settled in between.
    """
    journeys.cancel_journey(journey, reason=reason, now=now, by=by)
    kept = Appointment.objects.filter(
        Q(step__journey=journey) | Q(awaits__journey=journey), status__in=queries.MOVABLE
    )
    released = [queries.locked(pk) for pk in kept.order_by("pk").values_list("pk", flat=True)]
    released = [visit for visit in released if visit.status in queries.MOVABLE]
    for visit in released:
        cancel(visit, because=reason, now=now, by=by)
    return released


def cancel_quietly(visit: Appointment, *, because: str, now: datetime, by: User | None = None) -> None:
    """Give the time back without asking anybody for another date: nobody is to come any more. Inside atomic()."""
    change(visit, AppointmentStatus.CANCELLED, now=now, by=by, ended_because=because[:200])
    give_back(visit)
    leave_open(visit, now=now)
