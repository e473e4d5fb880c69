"""The change of a shift, in the tool and on no paper: a short note, what is still open, and whoever takes it over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clinic_journey.models import AsideKind, Handover, SetAside
from clinic_journey.worklist import ROLES
from journeys.actions import reassign_step
from journeys.models import Step, StepStatus
from outreach.conversations import waiting_in
from patients.access import Here
from patients.actions import RefusedError, StaleStateError
from patients.models import Clinic, Role
from patients.queries import User as AnyUser

LONGEST = 1000
AHEAD = timedelta(days=2)  # what is due later is nothing for the next shift
LISTED = 30


@dataclass(frozen=True)
class StillOpen:
    """What the system knows to be open when one goes and another comes."""

    own: list[Step]  # of whoever hands over, with a time by which they are due
    late: int  # of the clinic's desk and manager, whoever has them
    messages: int  # patients who wait for an answer in writing


def still_open(clinic: Clinic, giver: User, *, now: datetime) -> StillOpen:
    active = Step.objects.filter(clinic=clinic, status=StepStatus.ACTIVE)
    late = active.filter(owner_role__in=ROLES[Role.MANAGER], due_at__lte=now).count()
    return StillOpen(
        list(steps_of(clinic, giver, now=now)[:LISTED]),
        late,
        waiting_in(clinic).order_by().count(),
    )


def steps_of(clinic: Clinic, giver: User, *, now: datetime) -> QuerySet[Step]:
    mine = Step.objects.filter(clinic=clinic, owner=giver, status=StepStatus.ACTIVE, due_at__lte=now + AHEAD)
    return mine.select_related("journey__patient", "template_step").order_by("due_at", "pk")


def hand_over(words: str, *, here: Here) -> Handover:
    """What the next one has to know; what is open the system lists by itself."""
    if not words.strip():
        raise RefusedError(_("Write what the next shift has to know, or that there is nothing."))
    said = words.strip()[:LONGEST]
    return Handover.objects.create(clinic=here.clinic, words=said, by=here.user, made_at=here.now)


@transaction.atomic
def take_over(handover: Handover, *, here: Here) -> int:
    """Read and taken: what whoever went still owned is now the taker's, where the taker may do it. How many."""
    if handover.by_id == here.user.pk:
        raise RefusedError(_("Somebody else takes it over."))
    does = ROLES[Role(here.role)]
    left = list(steps_of(here.clinic, handover.by, now=here.now))
    if left and not any(step.owner_role in does for step in left):
        raise RefusedError(
            _("What is open there is another role's work. Somebody who does it takes this over.")
        )
    free = Handover.objects.filter(pk=handover.pk, taken_at=None)
    if not free.update(taken_by=here.user, taken_at=here.now):
        raise StaleStateError(_("Somebody has taken this over meanwhile."))
    # Read anew under their locks: whoever was given one of these a moment ago keeps it.
    theirs = steps_of(here.clinic, handover.by, now=here.now).filter(owner_role__in=does)
    steps = list(theirs.select_for_update(no_key=True, of=("self",)))
    for step in steps:
        reassign_step(step, role=step.owner_role, owner=here.user, now=here.now, by=here.user)
    parked = SetAside.objects.filter(user=handover.by, step__clinic=here.clinic, kind=AsideKind.PARKED)
    parked.filter(step__owner_role__in=does).delete()  # they stand on the common list again
    return len(steps)


def handovers_visible_to(user: AnyUser) -> QuerySet[Handover]:
    """Of the clinics somebody works in; a note for colleagues is for all of them."""
    here = Handover.objects.filter(clinic__memberships__user_id=user.pk)
    return here.select_related("clinic", "by", "taken_by")


def waiting_handovers(clinic: Clinic) -> QuerySet[Handover]:
    return (
        Handover.objects.filter(clinic=clinic, taken_at=None).select_related("by").order_by("-made_at", "-pk")
    )
