"""What one of two parents who live apart was told, the other is told too: in a step of its own, which can be late."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from journeys import deadlines
from journeys.actions import AdHoc, add_to_each
from journeys.clinic_time import soon
from journeys.models import OPEN_JOURNEYS, TOLD_AGAIN, Journey, Step, StepKind, Words
from outreach.message_keys import MESSAGES, TOLD_TO_BOTH
from outreach.told import told_of
from patients.models import GUARDIANS, Patient
from patients.told import ties_of

WITHIN = deadlines.Limit(4, deadlines.Unit.WORKING_HOURS)


def tell_the_other(told: Iterable[tuple[Step, Patient]], *, now: datetime) -> None:
    """Open it for each step that was told a moment ago, once a step. Inside atomic(), the journeys are locked.

    What asks for an answer is asked of one, for two answers may differ.
    """
    found = {
        step.pk: step for step, patient in told if _is_news(step) and _live_apart(step, patient, now=now)
    }
    for step in Step.objects.filter(TOLD_AGAIN, about__in=found):
        found.pop(step.about_id or 0, None)
    journeys = Journey.objects.filter(pk__in={step.journey_id for step in found.values()})
    by_key = journeys.filter(status__in=OPEN_JOURNEYS).select_related("clinic").in_bulk()
    add_to_each(
        [
            (by_key[step.journey_id], _asked(step, by_key[step.journey_id], now=now))
            for step in found.values()
            if step.journey_id in by_key
        ],
        now=now,
    )


def _is_news(step: Step) -> bool:
    if step.is_told_again or (step.template_step and step.template_step.needs_answer):
        return False
    is_the_clinics = bool(step.message_key) and step.message_key not in MESSAGES
    return is_the_clinics or step.message_key in TOLD_TO_BOTH


def _live_apart(step: Step, patient: Patient, *, now: datetime) -> bool:
    """Whether two parents are told of it at this moment."""
    if not any(tie.other_parent for tie in ties_of(patient)):
        return False
    told = told_of(patient, step.journey, now=now)
    return {tie.other_parent for tie in told if tie.relation in GUARDIANS} == {True, False}


def _asked(step: Step, journey: Journey, *, now: datetime) -> AdHoc:
    due_at = soon(journey.clinic, WITHIN, now=now)
    return AdHoc(StepKind.TELL, _named(step), due_at, message_key=step.message_key, about=step)


def _named(step: Step) -> Words:
    return lambda: _("Tell the other parent: %(step)s") % {"step": step.name}
