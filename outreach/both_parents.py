"""What one of two parents who live apart was told, the other is told too: in a step of its own, which can be late."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from journeys import deadlines
from journeys.actions import AdHoc, add_to_each
from journeys.clinic_time import due_within
from journeys.models import OPEN_JOURNEYS, TOLD_AGAIN, Journey, Step, StepKind, Words
from outreach.message_keys import MESSAGES, TOLD_TO_BOTH
from outreach.models import Attempt, OutreachTask
from outreach.told import told_of
from patients.models import GUARDIANS
from patients.queries import ClinicClock
from patients.told import ties_of

WITHIN = deadlines.Limit(4, deadlines.Unit.WORKING_HOURS)


def tell_the_other(told: Iterable[tuple[Step, OutreachTask]], *, now: datetime) -> None:
    """Open it for each step that was told a moment ago, by the last contact of the task. Inside atomic(), the journeys
    are locked.

    What asks for an answer is asked of one, for two answers may differ.
    """
    news = [
        (step, task)
        for step, task in told
        if task.message_key == step.message_key
        and _is_news(step, now=now)
        and _live_apart(step, task, now=now)
    ]
    if not news:
        return
    heard = _heard([task for _step, task in news])
    newer = OutreachTask.objects.filter(step=OuterRef("about"), opened_at__gt=OuterRef("opened_at"))
    copies = Step.objects.filter(TOLD_AGAIN, ~Exists(newer), about__in=[step for step, _task in news])
    begun = set(copies.values_list("about", flat=True))
    journeys = Journey.objects.filter(
        pk__in={step.journey_id for step, _task in news}, status__in=OPEN_JOURNEYS
    )
    by_key = journeys.select_related("clinic").in_bulk()
    clock = ClinicClock({each.clinic_id: each.clinic for each in by_key.values()}.values(), now=now)
    wanted = []
    for step, task in news:
        journey = by_key.get(step.journey_id)
        if journey and step.pk not in begun and task.pk in heard:
            due_at = due_within(WITHIN, clock.hours(journey.clinic_id), now=now)
            wanted.append((journey, _asked(step, due_at, other_parent=not heard[task.pk])))
    add_to_each(wanted, now=now)


def _is_news(step: Step, *, now: datetime) -> bool:
    """What is told at a time that is still to come, as a reminder, is told to both then."""
    if step.is_told_again or (step.template_step and step.template_step.needs_answer):
        return False
    if step.contact_from and step.contact_from > now:
        return False
    is_the_clinics = bool(step.message_key) and step.message_key not in MESSAGES
    return is_the_clinics or step.message_key in TOLD_TO_BOTH


def _live_apart(step: Step, task: OutreachTask, *, now: datetime) -> bool:
    """Whether two parents are told of it at this moment."""
    if not any(tie.other_parent for tie in ties_of(task.patient)):
        return False
    told = told_of(task.patient, step.journey, now=now)
    return {tie.other_parent for tie in told if tie.relation in GUARDIANS} == {True, False}


def _heard(tasks: list[OutreachTask]) -> dict[int, bool]:
    """Which of two parents each task reached last, as `other_parent` tells them apart."""
    made = Attempt.objects.filter(task__in=tasks, sent_at__isnull=False).order_by("sent_at", "pk")
    points = dict(made.values_list("task", "contact_point"))
    return {
        task.pk: tie.other_parent
        for task in tasks
        for tie in ties_of(task.patient)
        if tie.contact_point_id == points.get(task.pk) and tie.relation in GUARDIANS
    }


def _asked(step: Step, due_at: datetime, *, other_parent: bool) -> AdHoc:
    key = step.message_key
    return AdHoc(StepKind.TELL, _named(step), due_at, message_key=key, about=step, other_parent=other_parent)


def _named(step: Step) -> Words:
    return lambda: _("Tell the other parent: %(step)s") % {"step": step.name}
