"""What a person at the desk decides about a contact beside the call itself: a message now, or not before a day."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext as _, gettext_lazy

from journeys.actions import complete_step, lock_journey, record_events, snooze_step
from journeys.clinic_time import soon
from journeys.models import EventKind, Step, StepStatus
from outreach import followup
from outreach.because import Because
from outreach.calls import end_call, task_for
from outreach.channels import BY_VOICE, PHONE
from outreach.channels.phone import CallOutcome
from outreach.decisions import note_planned
from outreach.enough import alone_by_hand, enough_on
from outreach.followup import REPLANNED
from outreach.held import refuse_in_doubt
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply, TaskStatus
from outreach.planning import NEVER_AGAIN, NOT_THIS_WAY, GiveUp, Plan, next_attempt
from outreach.reach import ORDER, Reach
from patients.actions import RefusedError

MESSAGES = tuple(channel for channel in ORDER if channel not in BY_VOICE)


class NotNowReason(TextChoices):
    """The patient's own reason, never ours (S4.2)."""

    MONEY = "money", gettext_lazy("Money")
    FEAR = "fear", gettext_lazy("Fear")
    TIME = "time", gettext_lazy("No time")
    ELSEWHERE = "elsewhere", gettext_lazy("Treated elsewhere")
    BETTER = "better", gettext_lazy("Feels better")
    OTHER = "other", gettext_lazy("Another reason")


@dataclass(frozen=True)
class NotNow:
    reason: str
    words: str
    ask_again_at: datetime


@transaction.atomic
def not_now(step: Step, said: NotNow, *, call: Attempt | None, now: datetime, by: User) -> None:
    """The patient asks to wait: her words are kept, and we ask again on the day she named. Nothing is closed."""
    if not said.words:
        raise RefusedError(_("Write the patient's own words; a guess is not a reason."))
    if said.ask_again_at <= now:
        raise RefusedError(_("Choose a day that is still to come."))
    lock_journey(step.journey_id)
    if call:
        end_call(call, CallOutcome.NOT_NOW, now=now, note=said.words)
    Reply.objects.create(
        clinic_id=step.clinic_id,
        patient_id=step.journey.patient_id,
        attempt=call,
        channel=PHONE,
        at=now,
        body=said.words,
        meaning=f"{CallOutcome.NOT_NOW}_{NotNowReason(said.reason)}",
        step=step,
    )
    steps = followup.concerned(step)
    for task in OutreachTask.objects.filter(step__in=steps, status=TaskStatus.OPEN):
        followup.end_task(task, TaskStatus.DONE, CallOutcome.NOT_NOW, now=now)
    *asking, waiting = steps  # a person's own step about another one ends; what it was about waits
    for each in asking:
        complete_step(each, CallOutcome.NOT_NOW, now=now, by=by, note=said.words)
    _wait_until(waiting, said.ask_again_at, now=now, by=by)


def _wait_until(step: Step, at: datetime, *, now: datetime, by: User) -> None:
    clinic = step.journey.clinic
    snooze_step(step, soon(clinic, followup.ANSWER_WITHIN, now=at), now=now, by=by)
    if step.message_key:
        Step.objects.filter(pk=step.pk, status=StepStatus.ACTIVE).update(contact_from=at)


def can_write_about(step: Step) -> bool:
    """A message that is sent by hand says what the step, or the one it is about, would have said by itself."""
    return bool(step.message_key or (step.about and step.about.message_key))


@transaction.atomic
def message_now(
    step: Step, *, call: Attempt | None, now: datetime, by: User, not_before: datetime, because: str = ""
) -> Attempt:
    """Plan the message about this step for the next moment inside the patient's hours; the outbox sends it.

    A person has decided that it leaves. What the clinic sets itself as enough for a day is passed over with the
    reason (N7); what the law says is not, nor are hours, consent and bad addresses.
    """
    patient = step.journey.patient
    if patient is None:
        raise RefusedError(_("Nobody knows yet whose this is."))
    if not can_write_about(step):
        raise RefusedError(_("There is no message about this; call the patient."))
    lock_journey(step.journey_id)
    refuse_in_doubt(step)
    alone_by_hand(patient)
    if call:
        Attempt.objects.filter(pk=call.pk, status=AttemptStatus.SENDING, lease=call.lease).update(
            status=AttemptStatus.CANCELLED, lease=None, lease_until=None, ended_at=now, outcome=REPLANNED
        )
    task = task_for(step, patient, now=now)
    planned = Attempt.objects.filter(task=task, status=AttemptStatus.PLANNED)
    planned.update(status=AttemptStatus.CANCELLED, ended_at=now, outcome=REPLANNED)
    reach = Reach.among([task.pk], now=now)
    plan = plan_of_message(reach.tasks[0], reach, not_before=not_before)
    if plan is None or task.pk in reach.under_way:
        raise RefusedError(_("No message can be sent: no address is left that works and may be used."))
    enough = enough_on(plan.send_at, reach.tasks[0], reach)
    if enough:
        enough.refuse_unless(because)
    OutreachTask.objects.filter(pk=task.pk).update(plan_from=None)
    record_events([step], EventKind.NOTED, now=now, by=by, detail=_("a message, as the desk decided"))
    attempt = followup.as_planned(task, plan)
    attempt.why = f"{attempt.why}|{because[:200]}" if enough else attempt.why
    attempt.save(force_insert=True)
    beyond = [enough.rule] if enough else []
    note_planned(attempt, replace(plan, moved=(*plan.moved, *beyond, Because.BY_HAND)), now=now)
    return attempt


def plan_of_message(task: OutreachTask, reach: Reach, *, not_before: datetime) -> Plan | None:
    """When and where the message would go; which day is full is asked apart."""
    plan = next_attempt(
        list(reach.options(task, MESSAGES)),
        [past for past in reach.past(task) if past.outcome in NEVER_AGAIN | NOT_THIS_WAY],
        rules=replace(reach.rules(task), learned=None),  # she waits for it now
        not_before=not_before,
        deadline=task.deadline_at,
    )
    return None if isinstance(plan, GiveUp) else plan
