"""Winning back a silent patient, and the only ways to stop trying: the patient's own words, or every way tried.

"Lost" is never a guess (S4.2). Whoever writes locks in one order: the journey, then attempts, then tasks.
"""

from dataclasses import replace
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from appointments.endings import cancel_journey
from journeys.actions import AdHoc, add_step, complete_step, lock_journey
from journeys.clinic_time import soon
from journeys.models import (
    OPEN_JOURNEYS,
    Journey,
    LostBecause,
    Step,
    StepKind,
    StepStatus,
    Words,
    in_each_language,
)
from outreach import followup
from outreach.because import Because
from outreach.decisions import note_planned
from outreach.followup import REPLANNED, HandOver
from outreach.models import GAVE_UP, Attempt, AttemptStatus, OutreachTask, Reply, TaskStatus
from outreach.silence import Cell
from outreach.silent import NO_OTHER_NUMBER, Silence, read_silences
from patients.actions import RefusedError, StaleStateError
from referrals.actions import revoke_quietly

DESK = "desk"  # the channel of words that were said to a person
DECLINED = "declined"
COULD_NOT_REACH = "could_not_reach"


def silence_of(task: OutreachTask, *, now: datetime) -> Silence:
    return read_silences([task], now=now)[0]


@transaction.atomic
def replan(
    task: OutreachTask, *, shown: Cell | None = None, now: datetime, by: User | None = None
) -> Attempt:
    """Plan the next contact in a way not tried yet; what was planned gives way, what was given up goes on.

    Pressed twice it finds what it planned. Who had it in hand because nobody answered has it no longer. `shown`: the
    way that was read before the press; another one is not planned unread.
    """
    journey = lock_journey(task.step.journey_id)
    silence = silence_of(task, now=now)
    if silence.task.step.status != StepStatus.ACTIVE:
        raise StaleStateError(_("This was settled meanwhile."))
    if silence.planned and silence.planned.status == AttemptStatus.SENDING:
        raise StaleStateError(_("Somebody is reaching this patient right now."))
    if silence.planned and silence.is_planned_anew:
        return silence.planned
    plan = silence.proposal
    if plan is None:
        raise RefusedError(_("Every way that is open to us has been tried."))
    if shown not in (None, silence.proposed):
        raise StaleStateError(_("Another way is the next one by now. Look again."))
    Attempt.objects.filter(task=task, status=AttemptStatus.PLANNED).update(
        status=AttemptStatus.CANCELLED, ended_at=now, outcome=REPLANNED
    )
    attempt = followup.as_planned(task, plan)
    tries = Attempt.objects.filter(task=task).exclude(status=AttemptStatus.CANCELLED).count()
    try:
        with transaction.atomic():
            attempt.save(force_insert=True)
            note_planned(attempt, replace(plan, moved=(*plan.moved, Because.BY_HAND)), now=now)
            _open_again(task, tries + 1)
    except IntegrityError as clash:
        raise StaleStateError(_("This was planned by somebody else meanwhile.")) from clash
    _take_back(journey, task.step, now=now, by=by)
    return attempt


def _open_again(task: OutreachTask, attempts: int) -> None:
    """The same task, so that the planner remembers what was tried; it may try once more."""
    goes_on = OutreachTask.objects.filter(pk=task.pk, status__in=[TaskStatus.OPEN, TaskStatus.GIVEN_UP])
    most = max(attempts, task.max_attempts)
    if not goes_on.update(
        status=TaskStatus.OPEN, outcome="", ended_at=None, plan_from=None, max_attempts=most
    ):
        raise StaleStateError(_("This was settled meanwhile."))


def _take_back(journey: Journey, about: Step, *, now: datetime, by: User | None) -> None:
    """End the person's step that said "no answer to any attempt": the machine goes on."""
    titles = [_as_kept(followup.handed_over(about, HandOver(reason)), journey) for reason in GAVE_UP]
    handed = Step.objects.filter(
        about=about, kind=StepKind.CALL, status=StepStatus.ACTIVE, template_step=None, title__in=titles
    )
    for step in handed:
        complete_step(step, REPLANNED, now=now, by=by)


def _as_kept(words: Words, journey: Journey) -> str:
    """A title as add_step() keeps it; by it the step is found again."""
    return in_each_language(words)[journey.clinic.language][:200]


@transaction.atomic
def ask_for_number(task: OutreachTask, *, now: datetime, by: User | None = None) -> Step:
    """The desk looks for another number; asked twice, it is the same step."""
    journey = lock_journey(task.step.journey_id)

    def title() -> str:
        return _("Find another number for %(name)s") % {"name": task.patient.full_name}

    asked = Step.objects.filter(
        about=task.step, kind=StepKind.CALL, status=StepStatus.ACTIVE, title=_as_kept(title, journey)
    )
    made = asked.select_related("journey").first()
    if made:
        return made
    due_at = soon(journey.clinic, followup.PERSON_WITHIN, now=now)
    return add_step(journey, AdHoc(StepKind.CALL, title, due_at, about=task.step), now=now, by=by)


@transaction.atomic
def say_no_other_number(task: OutreachTask, *, now: datetime, by: User | None = None) -> None:
    """The desk has looked: there is no other number."""
    step = ask_for_number(task, now=now, by=by)
    complete_step(step, NO_OTHER_NUMBER, now=now, by=by)


def refuse_a_guess(step: Step, *, now: datetime) -> None:
    """That nobody can be reached may only be said when every way to reach them was tried."""
    tasks = OutreachTask.objects.filter(step=step).order_by("-opened_at", "-pk")[:1]
    silences = read_silences(tasks, now=now)
    if silences and silences[0].is_ruled_out:
        return
    raise RefusedError(
        _(
            "Not every way to reach the patient was tried. "
            "See under Silent what is left, or write what the patient said."
        )
    )


@transaction.atomic
def close_as_lost(journey: Journey, *, words: str = "", now: datetime, by: User | None = None) -> None:
    """End a journey for good, with its visits and contacts: with what the patient said, or with every cause
    of a silence ruled out. Anything else is a guess and refused.
    """
    locked = lock_journey(journey.pk)
    if locked.status not in OPEN_JOURNEYS:
        raise StaleStateError(_("This journey has already ended."))
    said = words.strip()
    if not said:
        _refuse_unless_ruled_out(locked, now=now)
    for task in OutreachTask.objects.filter(step__journey=locked, status=TaskStatus.OPEN):
        followup.end_task(task, TaskStatus.CANCELLED, followup.NOT_NEEDED, now=now)
    if said:
        Reply.objects.create(
            clinic_id=locked.clinic_id,
            patient_id=locked.patient_id,
            channel=DESK,
            at=now,
            body=said,
            meaning=DECLINED,
            step=locked.steps.filter(status=StepStatus.ACTIVE).order_by("due_at").first(),
        )
    because = LostBecause.OWN_WORDS if said else LostBecause.CAUSES_RULED_OUT
    revoke_quietly(locked, because=said or str(because.label))
    cancel_journey(locked, reason=said or str(because.label), now=now, by=by)
    Journey.objects.filter(pk=locked.pk).update(lost_because=because, lost_words=said)


def _refuse_unless_ruled_out(journey: Journey, *, now: datetime) -> None:
    """Every contact that waits for the patient's word must be silent for no cause of ours; one at least."""
    tasks = (
        OutreachTask.objects.filter(step__journey=journey, step__status=StepStatus.ACTIVE)
        .exclude(status=TaskStatus.DONE)
        .exclude(status=TaskStatus.CANCELLED)
    )
    silences = read_silences(tasks, now=now)
    if not silences or not all(silence.is_ruled_out for silence in silences):
        raise RefusedError(
            _("A guess is not a reason. Write what the patient said, or try what has not been tried yet.")
        )
