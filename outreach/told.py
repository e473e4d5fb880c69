"""Who is told of one matter at this moment, and why somebody is not: planning, the door and calls ask the same."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from outreach.because import Because
from outreach.models import OutreachTask
from patients.models import MaySay, PatientContact, Relation
from patients.told import ties_of, told_among


def ties_to_use(task: OutreachTask, *, now: datetime) -> list[PatientContact]:
    """The addresses of whoever is told at this moment; a birthday changes it. Of many, read them by `ties_at`."""
    patient = task.patient
    on = now.astimezone(ZoneInfo(patient.zone)).date()
    alone = task.step.journey.is_confidential
    return told_among(patient, ties_of(patient), on=on, in_confidence=alone)


def not_told(task: OutreachTask, tie: PatientContact, usable: Iterable[PatientContact]) -> Because | None:
    """Why nothing of this is said at one of the patient's addresses; None where it is among the usable ones."""
    if any(each.pk == tie.pk for each in usable):
        return None
    if tie.may_say == MaySay.NOTHING:
        return Because.NOTHING_SAID
    if not task.step.journey.is_confidential:
        return Because.NO_LONGER_TOLD
    return Because.NOT_HERS_ALONE if tie.relation == Relation.SELF else Because.IN_CONFIDENCE
