"""What only a manager can set right, as a step with a clock: a channel that fails, something nobody could read."""

from datetime import datetime

from journeys import deadlines
from journeys.actions import AdHoc, complete_step, open_unidentified
from journeys.clinic_time import soon
from journeys.models import OwnerRole, Step, StepKind, StepStatus, Words, in_each_language
from patients.models import Clinic

MEND_WITHIN = deadlines.Limit(1, deadlines.Unit.WORKING_HOURS)
MENDED = "done"


def tell_the_managers(words: Words, *, now: datetime) -> None:
    """Of each clinic that has not been told yet: all send and hear over the same account."""
    told = {step.clinic_id for step in _told(words)}
    for clinic in Clinic.objects.exclude(pk__in=told):
        due_at = soon(clinic, MEND_WITHIN, now=now)
        open_unidentified(clinic, AdHoc(StepKind.MEND, words, due_at, role=OwnerRole.MANAGER), now=now)


def note_mended(words: Words, *, now: datetime) -> None:
    """It works again: nobody has to look."""
    for step in _told(words):
        complete_step(step, MENDED, now=now)


def _told(words: Words) -> list[Step]:
    asked = Step.objects.filter(kind=StepKind.MEND, status=StepStatus.ACTIVE)
    names = in_each_language(words)
    return [step for step in asked if step.names == names]
