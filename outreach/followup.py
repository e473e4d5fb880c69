"""What an ended contact means for its task and its step: done, tried again, or handed to a person. Never nothing.

Whoever writes locks in one order: the journey, then attempts, then tasks. So nobody waits in a ring.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet, TextChoices
from django.utils.translation import gettext as _, gettext_lazy

from journeys import deadlines
from journeys.actions import (
    AdHoc,
    add_step,
    complete_step,
    complete_steps,
    journey_after,
    record_events,
    refuse_outcome,
)
from journeys.clinic_time import due_within, soon
from journeys.models import (
    OPEN_JOURNEYS,
    EventKind,
    Journey,
    Step,
    StepKind,
    StepStatus,
    Words,
    in_each_language,
)
from outreach import offers
from outreach.because import Passed
from outreach.both_parents import tell_the_other
from outreach.channels import FOR_A_MOMENT
from outreach.decisions import note_handed_over
from outreach.message_keys import THANKS
from outreach.models import (
    ANSWER,
    NOT_ME,
    OVER_WITH_THE_TRY,
    Attempt,
    AttemptStatus,
    OutreachTask,
    Reply,
    TaskStatus,
)
from outreach.planning import Plan, Why
from patients.actions import RefusedError
from patients.models import PatientContact, PatientStatus
from patients.queries import ClinicClock
from patients.windows import Hours

logger = logging.getLogger(__name__)
Key = TypeVar("Key")

TOLD, SPOKEN, KEPT = "told", "spoken", "kept"  # outcomes of steps
CHUNK = 500  # keys in a statement
NOT_NEEDED, REPLANNED = "not_needed", "replanned"  # outcomes of attempts that were never made
ANSWER_WITHIN = deadlines.Limit(1, deadlines.Unit.WORKING_DAYS)  # silence after that is tried another way
PERSON_WITHIN = deadlines.Limit(4, deadlines.Unit.WORKING_HOURS)


class HandOver(TextChoices):
    """Why the machine stops and a person goes on; also the outcome of the task."""

    NO_ADDRESS = "no_address", gettext_lazy("no address is left that works and may be used")
    NO_OPEN_TIME = "no_open_time", gettext_lazy("the hours that suit the patient and ours never meet")
    ATTEMPTS_USED = "attempts_used", gettext_lazy("no answer to any attempt")
    NOT_KNOWN = "not_known", gettext_lazy("we do not know whether our message arrived")
    NO_WORDS = (
        "no_words",
        gettext_lazy("what our message was to say is not true any more; call and say how it stands"),
    )
    CHANNEL_DOWN = "channel_down", gettext_lazy("the channel has failed again and again")
    NOT_DELIVERED = "not_delivered", gettext_lazy("our message did not arrive")


def end_task(task: OutreachTask, status: TaskStatus, outcome: str, *, now: datetime) -> bool:
    """Close an open task with the attempts still planned for it; False when it was closed already."""
    Attempt.objects.filter(task=task, status=AttemptStatus.PLANNED).update(
        status=AttemptStatus.CANCELLED, ended_at=now, outcome=outcome
    )
    closed = OutreachTask.objects.filter(pk=task.pk, status=TaskStatus.OPEN).update(
        status=status, outcome=outcome, ended_at=now, plan_from=None
    )
    return bool(closed)


def withdraw(attempts: QuerySet[Attempt], outcome: str, *, now: datetime) -> list[Attempt]:
    """End what was not made, under its lock: whoever took one of these before keeps it, and it is not among the
    answer. Each with its task. Inside atomic().
    """
    held = list(attempts.select_for_update(no_key=True, of=("self",)).select_related("task").order_by("pk"))
    for start in range(0, len(held), CHUNK):
        Attempt.objects.filter(pk__in=[each.pk for each in held[start : start + CHUNK]]).update(
            status=AttemptStatus.CANCELLED, lease=None, lease_until=None, ended_at=now, outcome=outcome
        )
    return held


def as_planned(task: OutreachTask, plan: Plan) -> Attempt:
    """The attempt that carries out a plan, not saved yet; it keeps why it is made in this way at this time."""
    band = plan.learned and f":{plan.learned[0]}-{plan.learned[1]}"
    return Attempt(
        task=task,
        clinic_id=task.clinic_id,
        patient_id=task.patient_id,
        contact_point_id=plan.contact_point,
        channel=plan.channel,
        send_at=plan.send_at,
        expires_at=plan.expires_at,
        why=" ".join(f"{why}{band}" if why == Why.LEARNED else why for why in plan.why),
    )


def plan_again(task: OutreachTask, *, at: datetime) -> None:
    OutreachTask.objects.filter(pk=task.pk, status=TaskStatus.OPEN).update(plan_from=at)


def hand_over(
    task: OutreachTask, reason: HandOver, *, now: datetime, passed: Sequence[Passed] = ()
) -> Step | None:
    """Stop and open a step for a person, in words; the step it is about keeps its own clock.

    A test of a number is over at the desk, where its failure is seen. Nobody is asked to thank whom no way leads to.
    """
    if task.message_key in OVER_WITH_THE_TRY:
        end_test(task, now=now)
        return None
    if task.message_key in THANKS and reason == HandOver.NO_ADDRESS:
        end_unneeded(task, now=now)
        return None
    if not end_task(task, TaskStatus.GIVEN_UP, reason, now=now):
        return None
    note_handed_over(task, reason, passed, now=now)
    if task.message_key in offers.ABOUT_AN_OFFER:  # by the time a person looked, it would be too late
        offers.pass_over(task, now=now)
        return None
    step = task.step
    journey = Journey.objects.select_related("clinic").get(pk=step.journey_id)
    if journey.status not in OPEN_JOURNEYS:  # nobody waits for this any more; the history says why it stopped
        record_events([step], EventKind.NOTED, now=now, detail=reason)
        return None
    due_at = soon(journey.clinic, PERSON_WITHIN, now=now)
    asked = AdHoc(StepKind.CALL, handed_over(step, reason), due_at, about=step)
    return _waits_again(task, add_step(journey, asked, now=now))


def arrived_after_all(task: OutreachTask, *, now: datetime) -> None:
    """A receipt settles what nobody knew: the person's step about it is not needed, and the patient was told."""
    names = in_each_language(handed_over(task.step, HandOver.NOT_KNOWN))
    asked = Step.objects.filter(about=task.step, kind=StepKind.CALL, status=StepStatus.ACTIVE)
    for step in asked:
        if step.names == names:
            end_step(step, NOT_NEEDED, now=now)
    record_events([task.step], EventKind.CONTACTED, now=now, detail=task.message_key)
    tell_the_other([(task.step, task)], now=now)
    outcome = told_outcome(task.step)
    if outcome and not awaits_answer(task.step):
        end_step(task.step, outcome, now=now)


def did_not_arrive(task: OutreachTask, *, now: datetime) -> None:
    """Taken by the provider and yet not delivered: tried another way while the step is open, else a person's.

    A step that "told" has ended cannot be opened again; what was believed to be told is told by a person, under
    the record that the patient has now. Nobody is asked to reach the dead.
    """
    patient = task.patient.record_now
    if task.message_key in OVER_WITH_THE_TRY or patient.status != PatientStatus.ACTIVE:
        return  # a test is seen at the desk, where she waits for it
    if task.step.status == StepStatus.ACTIVE:
        with suppress(IntegrityError), transaction.atomic():  # another task may be open about it by now
            OutreachTask.objects.filter(pk=task.pk, status=TaskStatus.DONE).update(
                status=TaskStatus.OPEN, outcome="", ended_at=None
            )
        plan_again(task, at=now)
        return
    journey = Journey.objects.select_related("clinic").get(pk=task.step.journey_id)
    if journey.status not in OPEN_JOURNEYS:
        journey = journey_after(journey, patient, journey.name[:120], now=now)
    words, due_at = (
        handed_over(task.step, HandOver.NOT_DELIVERED),
        soon(journey.clinic, PERSON_WITHIN, now=now),
    )
    _waits_again(task, add_step(journey, AdHoc(StepKind.CALL, words, due_at, about=task.step), now=now))


def handed_over(step: Step, reason: HandOver) -> Words:
    """What the person's step is called, in the language of the moment."""
    return lambda: _("%(step)s: %(reason)s.") % {"step": _said_of(step), "reason": reason.label}


def _said_of(step: Step) -> str:
    """An apology has no words of its own; whoever calls has to know for what."""
    if step.kind == StepKind.PROMISE and step.about and not (step.names or step.title):
        return _("We are late with “%(step)s”") % {"step": step.about.name}
    return step.name


def end_test(task: OutreachTask, *, now: datetime) -> None:
    """The test did not leave; it is not tried at another address, nor later when nobody waits for it."""
    end_unneeded(task, now=now)


def go_on_with_answer(task: OutreachTask, *, now: datetime) -> None:
    """A person's own words go where she wrote from, or nowhere: the same again while our channel is down for a
    moment, else back to a person, who finds them in the conversation.
    """
    last = task.attempts.order_by("-pk").first()
    if last and last.outcome in FOR_A_MOMENT and now < task.deadline_at and task.status == TaskStatus.OPEN:
        Attempt.objects.create(
            task=task,
            clinic_id=task.clinic_id,
            patient_id=task.patient_id,
            contact_point_id=last.contact_point_id,
            channel=last.channel,
            send_at=now,
            expires_at=task.deadline_at,
            language=last.language,
            subject=last.subject,
            body=last.body,
        )
    else:
        hand_over(task, HandOver.NOT_DELIVERED, now=now)


def _waits_again(task: OutreachTask, asked: Step) -> Step:
    """What our answer did not reach is with a person once more: the conversation waits for that step.

    What she has written since is with a person already, and stays with that one.
    """
    said = Reply.objects.filter(patient=task.patient_id, clinic=task.clinic_id, matter__isnull=False)
    answered = said.exclude(matter__status=StepStatus.ACTIVE).order_by("-at", "-pk")
    last = answered.values_list("pk", flat=True).first()
    if task.message_key == ANSWER and last:
        Reply.objects.filter(pk=last).update(matter=asked)
    return asked


def end_unneeded(task: OutreachTask, *, now: datetime) -> None:
    if end_task(task, TaskStatus.CANCELLED, NOT_NEEDED, now=now):
        end_step(task.step, NOT_NEEDED, now=now)


def after_contacts(tasks: Sequence[OutreachTask], *, now: datetime) -> None:
    """The patients were told. That ends a step, or an answer is awaited, or it was only a reminder.

    The journeys are locked, each with one task here; the number of statements does not grow with them. Each task
    with its step, the step's template and the patient's clinic.
    """
    for key, told in _in_groups((task.message_key, task) for task in tasks):
        record_events([task.step for task in told], EventKind.CONTACTED, now=now, detail=key)
    tell_the_other([(task.step, task) for task in tasks], now=now)
    asked = [task for task in tasks if awaits_answer(task.step)]
    clock = ClinicClock({task.clinic_id: task.patient.clinic for task in asked}.values(), now=now)
    answers = {pk: answer_due(clock.hours(pk), now=now) for pk in {task.clinic_id for task in asked}}
    waits = ((ask_again_at(task, answers[task.clinic_id], now=now), task) for task in asked)
    for at, some in _in_groups(waits):
        _open(some).update(plan_from=at)
    told = [task for task in tasks if not awaits_answer(task.step)]
    if told:
        _end_told(told, now=now)


def _end_told(tasks: Sequence[OutreachTask], *, now: datetime) -> None:
    ids = [task.pk for task in tasks]
    Attempt.objects.filter(task__in=ids, status=AttemptStatus.PLANNED).update(
        status=AttemptStatus.CANCELLED, ended_at=now, outcome=TOLD
    )
    _open(tasks).update(status=TaskStatus.DONE, outcome=TOLD, ended_at=now, plan_from=None)
    for outcome, told in _in_groups((told_outcome(task.step), task) for task in tasks):
        steps = [task.step for task in told if _may_end(task.step, outcome)]
        if steps:
            complete_steps(steps, outcome, now=now)


def _may_end(step: Step, outcome: str) -> bool:
    """That the patient was reached is a fact and stays written, whatever becomes of the step."""
    try:
        refuse_outcome(step, outcome)
    except RefusedError:
        logger.info("Step %s does not end with %s.", step.pk, outcome)
        return False
    return bool(outcome)


def _open(tasks: Sequence[OutreachTask]) -> QuerySet[OutreachTask]:
    return OutreachTask.objects.filter(pk__in=[task.pk for task in tasks], status=TaskStatus.OPEN)


def _in_groups(pairs: Iterable[tuple[Key, OutreachTask]]) -> list[tuple[Key, list[OutreachTask]]]:
    found: dict[Key, list[OutreachTask]] = {}
    for key, task in pairs:
        found.setdefault(key, []).append(task)
    return list(found.items())


def awaits_answer(step: Step) -> bool:
    return bool(step.template_step and step.template_step.needs_answer)


def told_outcome(step: Step) -> str:
    """What a delivered message ends the step with; empty where it goes on, as after a reminder."""
    if step.template_step:
        return step.template_step.told_outcome
    return TOLD if step.kind == StepKind.TELL else ""


def spoken_outcome(step: Step) -> str:
    """What a talk with the patient ends the step with; empty where it settles nothing yet, as a booking."""
    if step.template_step and SPOKEN in step.template_step.outcomes:
        return SPOKEN
    if step.template_step or step.kind == StepKind.TELL:
        return told_outcome(step)
    return KEPT if step.kind == StepKind.PROMISE else SPOKEN


def concerned(step: Step) -> list[Step]:
    """The step a contact was made for, and the one that a person's own step is about, e.g. a promised call."""
    about = step.about if step.template_step is None and not step.is_told_again else None
    return [step, about] if about and about.status == StepStatus.ACTIVE else [step]


def end_step(step: Step, outcome: str, *, now: datetime, by: User | None = None, note: str = "") -> bool:
    """Complete the step; False when it has ended meanwhile or cannot end so.

    That the patient was reached is a fact and stays written, whatever becomes of the step.
    """
    try:
        with transaction.atomic():
            complete_step(step, outcome, now=now, by=by, note=note)
    except RefusedError as refusal:
        logger.info("Step %s does not end with %s: %s", step.pk, outcome, type(refusal).__name__)
        return False
    return True


def checks_an_address(step: Step) -> bool:
    """Somebody said that it is not she, and nobody has checked it yet."""
    if not step.ends_with:
        return False
    doubted = PatientContact.objects.filter(
        patient=step.journey.patient_id, contact_point=OuterRef("contact_point"), suspended_at__isnull=False
    )
    return step.replies.filter(Exists(doubted), meaning=NOT_ME).exists()


def answer_due(opening: Hours, *, now: datetime) -> datetime:
    """When whoever was asked now should have answered: a working day of the clinic later."""
    return due_within(ANSWER_WITHIN, opening, now=now)


def ask_again_at(task: OutreachTask, due: datetime, *, now: datetime) -> datetime:
    """When the answer is due; half-way to the deadline, if that comes first."""
    if now < task.deadline_at <= due:
        return now + (task.deadline_at - now) / 2
    return due
