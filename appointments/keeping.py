"""A time kept for five minutes for the person who is booking it, so that nobody else takes it meanwhile.

It is a hold that waits for no step and is marked by its key. The patient never hears of it: saved, let go or
run out, the row is deleted, since nothing ever happened in it.
"""

from datetime import datetime, timedelta
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from appointments.actions import book_alone, book_for_step, hold
from appointments.models import KEPT, Appointment, AppointmentStatus
from appointments.queries import MOVABLE
from appointments.ties import BOOKED
from appointments.visits import Visit
from journeys.models import EventKind, Step

KEPT_FOR = timedelta(minutes=5)


def kept_by(user: User) -> QuerySet[Appointment]:
    """What this person keeps; one whose minutes are over stays theirs until the next tick takes it."""
    return Appointment.objects.filter(
        status=AppointmentStatus.PENDING, made_by=user, request_key__startswith=KEPT
    ).select_related("practitioner__clinic", "patient")


@transaction.atomic
def keep_for_minutes(visit: Visit, *, now: datetime, by: User) -> Appointment:
    """Take the time for five minutes. One person talks with one patient: an earlier one is let go."""
    let_go(by)
    return hold(visit, awaits=None, until=now + KEPT_FOR, now=now, by=by, request_key=f"{KEPT}{uuid4().hex}")


@transaction.atomic
def let_go(by: User) -> int:
    """Give back what this person keeps; 0 where there is nothing any more, which is no error.

    The visit is locked before its cells go, in the order in which the tick does it.
    """
    mine = list(kept_by(by).select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    Appointment.objects.filter(pk__in=mine).delete()
    return len(mine)


@transaction.atomic
def book_kept(
    visit: Visit, step: Step | None, *, now: datetime, by: User, request_key: str | None = None
) -> Appointment:
    """Book, with what this person kept given back in the same moment; if the booking fails, it stays kept."""
    let_go(by)
    if step:
        return _booked_before(visit, step, by=by) or book_for_step(step, visit, now=now, by=by)
    return book_alone(visit, now=now, by=by, request_key=request_key)


def _booked_before(visit: Visit, step: Step, *, by: User) -> Appointment | None:
    """What the same person has booked for this step at this very time: the press whose answer was lost."""
    ended = Step.objects.filter(
        pk=step.pk, outcome=BOOKED, events__kind=EventKind.COMPLETED, events__by=by
    ).exists()
    hers = Appointment.objects.filter(patient=visit.patient, practitioner=visit.practitioner)
    return hers.filter(start=visit.start, status__in=MOVABLE).first() if ended else None
