"""What only a manager can set right, as a step with a clock: a channel that fails, something nobody could read.

A step is known by the one outcome that ends it, which names the channel, and never by its words.
"""

from contextlib import suppress
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from journeys import deadlines
from journeys.actions import AdHoc, complete_step, open_unidentified
from journeys.clinic_time import soon
from journeys.models import OwnerRole, Step, StepKind, StepStatus, Words
from patients.actions import StaleStateError
from patients.models import Clinic

MEND_WITHIN = deadlines.Limit(1, deadlines.Unit.WORKING_HOURS)
READ = "read_"


def works(channel: str) -> str:
    """How the step about a channel that fails ends."""
    return f"works_{channel}"


def was_read(channel: str) -> str:
    """How the step about something that came by a channel and could not be read ends."""
    return f"{READ}{channel}"


def tell_the_managers(ends_with: str, words: Words, *, now: datetime) -> None:
    """Of each clinic that has not been told yet: all send and hear over the same account."""
    for clinic in Clinic.objects.exclude(pk__in=_told(ends_with).values("clinic")):
        due_at = soon(clinic, MEND_WITHIN, now=now)
        new = AdHoc(StepKind.MEND, words, due_at, role=OwnerRole.MANAGER, ends_with=ends_with)
        try:
            with transaction.atomic():
                open_unidentified(clinic, new, now=now)
        except IntegrityError:  # another worker has told them in this moment
            if not _told(ends_with).filter(clinic=clinic).exists():
                raise


def note_mended(ends_with: str, *, now: datetime) -> None:
    """It works again: nobody has to look. A manager may say so in the same moment."""
    for step in _told(ends_with):
        with suppress(StaleStateError), transaction.atomic():
            complete_step(step, ends_with, now=now)


def is_to_read(step: Step) -> bool:
    return step.kind == StepKind.MEND and step.ends_with.startswith(READ)


def _told(ends_with: str) -> QuerySet[Step]:
    return Step.objects.filter(kind=StepKind.MEND, status=StepStatus.ACTIVE, ends_with=ends_with)
