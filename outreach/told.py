"""Who is told of one matter at this moment, and why somebody is not: planning, the door and calls ask the same."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from journeys.models import Journey, Step
from outreach.because import Because
from outreach.models import Attempt, AttemptStatus, OutreachTask
from patients.models import GUARDIANS, MaySay, Patient, PatientContact, Relation
from patients.told import may_be_told, ties_of, told_among


def ties_to_use(task: OutreachTask, *, now: datetime) -> list[PatientContact]:
    """Whoever is told; what one parent has heard is told to the other alone."""
    told = told_of(task.patient, task.step.journey, now=now)
    heard = heard_by(task.step)
    return [tie for tie in told if tie.other_parent not in heard]


def heard_by(step: Step) -> set[bool]:
    """Which of two parents has heard what this step is to tell once more, as `other_parent` tells them apart."""
    if not step.is_told_again:
        return set()
    about = Q(task__step=step.about_id) | Q(task__step__about=step.about_id)
    said = Attempt.objects.filter(about, status__in=[AttemptStatus.SENT, AttemptStatus.DELIVERED])
    there = PatientContact.objects.filter(
        patient__journeys=step.journey_id,
        contact_point__in=said.exclude(task__step=step).values("contact_point"),
    )
    return set(there.values_list("other_parent", flat=True))


def told_of(patient: Patient, journey: Journey, *, now: datetime) -> list[PatientContact]:
    """The addresses of whoever is told at this moment; a birthday changes it. Of many, read them by `ties_at`."""
    on = now.astimezone(ZoneInfo(patient.zone)).date()
    return told_among(patient, ties_of(patient), on=on, in_confidence=journey.is_confidential)


def may_be_answered(patient: Patient, tie: PatientContact, journey: Journey, *, now: datetime) -> bool:
    """Whether a machine answers whoever writes from here: who is told, and the patient herself at any age."""
    on = now.astimezone(ZoneInfo(patient.zone)).date()
    if tie.relation == Relation.SELF:
        return may_be_told(patient, tie, on=on, in_confidence=journey.is_confidential)
    return any(each.pk == tie.pk for each in told_of(patient, journey, now=now))


def not_told(task: OutreachTask, tie: PatientContact, usable: Iterable[PatientContact]) -> Because | None:
    """Why nothing of this is said at one of the patient's addresses; None where it is among the usable ones."""
    if any(each.pk == tie.pk for each in usable):
        return None
    if tie.may_say == MaySay.NOTHING:
        return Because.NOTHING_SAID
    if task.step.is_told_again and tie.relation in GUARDIANS:
        return Because.TOLD_ALREADY
    if not task.step.journey.is_confidential:
        return Because.NO_LONGER_TOLD
    return Because.NOT_HERS_ALONE if tie.relation == Relation.SELF else Because.IN_CONFIDENCE
