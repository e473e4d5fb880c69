"""Who is told of one matter at this moment, and why somebody is not: planning, the door and calls ask the same."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from journeys.models import TOLD_AGAIN, Journey, Step, StepStatus
from outreach.because import Because
from outreach.models import Attempt, OutreachTask
from patients.models import GUARDIANS, MaySay, Patient, PatientContact, Relation
from patients.told import may_be_told, ties_of, told_among


def ties_to_use(task: OutreachTask, *, now: datetime) -> list[PatientContact]:
    """Whoever is told; where two parents live apart and one is told in another step, the other one alone."""
    told = told_of(task.patient, task.step.journey, now=now)
    to = only_to(task)
    return (
        told if to is None else [tie for tie in told if tie.relation in GUARDIANS and tie.other_parent == to]
    )


def only_to(task: OutreachTask) -> bool | None:
    """Which of two parents this is for, as `other_parent` tells them apart; None where it is for anybody who is told.

    What is told once more is for one of them from the start, and so is a person's own step about it. What was told
    first is for the other one, once it is told again.
    """
    step = task.step
    again = step if step.is_told_again or step.template_step_id else step.about
    if again and again.is_told_again:
        return again.other_parent
    if not any(tie.other_parent for tie in ties_of(task.patient)):
        return None
    copies = Step.objects.filter(TOLD_AGAIN, about=step, opened_at__gte=task.opened_at)
    to = copies.exclude(status=StepStatus.CANCELLED).values_list("other_parent", flat=True).first()
    return None if to is None else not to


def phones_to_use(task: OutreachTask, *, now: datetime) -> list[int] | None:
    """The ties among which a person's call goes; None where any will do."""
    return None if only_to(task) is None else [tie.pk for tie in ties_to_use(task, now=now)]


def told_of(patient: Patient, journey: Journey, *, now: datetime) -> list[PatientContact]:
    """The addresses of whoever is told at this moment; a birthday changes it. Of many, read them by `ties_at`."""
    on = now.astimezone(ZoneInfo(patient.zone)).date()
    return told_among(patient, ties_of(patient), on=on, in_confidence=journey.is_confidential)


def lives_apart(attempt: Attempt) -> bool | None:
    """Which of two parents was reached, as `other_parent` tells them apart; None where there are no two, or it was
    neither.
    """
    parents = [tie for tie in ties_of(attempt.patient) if tie.relation in GUARDIANS]
    reached = next((tie for tie in parents if tie.contact_point_id == attempt.contact_point_id), None)
    return reached.other_parent if reached and len({tie.other_parent for tie in parents}) > 1 else None


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
    if not task.step.journey.is_confidential and only_to(task) not in {None, tie.other_parent}:
        return Because.TOLD_ALREADY
    if not task.step.journey.is_confidential:
        return Because.NO_LONGER_TOLD
    return Because.NOT_HERS_ALONE if tie.relation == Relation.SELF else Because.IN_CONFIDENCE
