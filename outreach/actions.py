"""Contacts as writes: open tasks from steps, plan the next attempt, and stop where nobody waits or wants any."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from journeys.claims import BATCH, Alarm, Rows, alone_with, batches, insert_for
from journeys.models import Step, StepStatus
from outreach import followup, milestones
from outreach.because import Because, Passed
from outreach.channels.phone import CallOutcome
from outreach.decisions import note_planned, note_put_off, note_put_off_task, note_stopped
from outreach.followup import NOT_NEEDED, REPLANNED, HandOver
from outreach.held import LOOK_AGAIN as LOOK_AGAIN_SOON, Held
from outreach.models import (
    ANSWER,
    OVER_WITH_THE_TRY,
    STOPPED,
    WAITED_FOR,
    Attempt,
    AttemptStatus,
    OutreachTask,
    TaskStatus,
)
from outreach.next_contact import next_contact
from outreach.reach import Reach, channels_of
from outreach.told import ties_to_use
from patients.actions import withdraw_consent
from patients.models import GUARDIANS, ContactPoint, Patient, PatientStatus, Purpose

logger = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=15)
LOOK_AGAIN = timedelta(hours=1)
A_MOMENT = timedelta(seconds=5)

CONTACT = Alarm(
    model=Step,
    column="contact_from",
    armed="contact_from IS NOT NULL",
    takes={"contact_from": "NULL"},
    returns=("id", "due_at"),
)
# The class of a message is that of its key: ours to say where we ship it, else the clinic's; where its own texts
# disagree, news and offers are the first of them.
CLASSES = (
    "LEFT JOIN (SELECT key, MIN(purpose) AS purpose FROM outreach_messagetemplate WHERE clinic_id IS NULL"
    " GROUP BY key) ours ON ours.key = s.message_key "
    "LEFT JOIN (SELECT clinic_id, key, MIN(purpose) AS purpose FROM outreach_messagetemplate"
    " WHERE clinic_id IS NOT NULL GROUP BY clinic_id, key) own"
    " ON own.key = s.message_key AND own.clinic_id = s.clinic_id"
)
TO_PLAN = Alarm(
    model=OutreachTask,
    column="plan_from",
    armed="status = 'open' AND plan_from IS NOT NULL",
    takes={"plan_from": "NULL"},
    returns=("id", "patient_id"),
    in_turn=True,
)


def open_tasks(*, now: datetime, lasts: timedelta = INTERVAL, limit: int = BATCH) -> int:
    """Take the steps that want contact now and open one task each. Returns how many steps were taken.

    A step that has ended, or whose journey has no patient yet or one whose record is closed, gets none; one with
    an open task keeps it. They are opened in the order of their deadlines, which is the one they leave in where
    many come at once.
    """
    taken = 0
    for rows in batches(CONTACT, now=now, limit=limit, lasts=lasts):
        taken += len(rows)
        _insert_tasks([pk for pk, _due_at in sorted(rows, key=_by_deadline)], now=now)
    return taken


def _by_deadline(row: tuple[int, Any]) -> tuple[bool, Any, int]:
    """One that has ended may have none, and gets no task."""
    pk, due_at = row
    return due_at is None, due_at, pk


def _insert_tasks(step_ids: Sequence[int], *, now: datetime) -> None:
    fresh = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    columns = {
        "public_id": fresh,
        "clinic_id": "s.clinic_id",
        "patient_id": "j.patient_id",
        "step_id": "s.id",
        "message_key": "s.message_key",
        "purpose": "COALESCE(ours.purpose, own.purpose, %(service)s)",
        "status": "%(open)s",
        "opened_at": "%(now)s",
        "plan_from": "%(now)s",
        "deadline_at": "s.due_at",
        "max_attempts": "COALESCE(t.max_attempts, 4)",
        "outcome": "''",
    }
    rows = Rows(
        OutreachTask._meta.db_table,
        columns,
        source=Step._meta.db_table,
        joins="JOIN journeys_journey j ON j.id = s.journey_id "
        "JOIN patients_patient p ON p.id = j.patient_id AND p.status = 'active' "
        "LEFT JOIN journeys_steptemplate t ON t.id = s.template_step_id " + CLASSES,
        where="s.status = 'active' AND s.message_key <> ''",
        unless="(step_id) WHERE status = 'open'",
    )
    insert_for(rows, ids=step_ids, service=str(Purpose.SERVICE), open=str(TaskStatus.OPEN), now=now)


def plan_attempts(*, now: datetime, lasts: timedelta = INTERVAL, limit: int = 200) -> int:
    """Give each task that waits for it its next attempt, or hand it to a person. Returns how many were planned."""
    planned = 0
    for rows in batches(TO_PLAN, now=now, limit=limit, lasts=lasts):
        reach = Reach.among(_ours_to_plan(rows, now=now), now=now)
        held = Held(reach.tasks)
        for task in sorted(reach.tasks, key=lambda task: (task.deadline_at, task.pk)):
            planned += _plan_or_wait(task, reach, held, now=now)
    return planned


def _ours_to_plan(rows: Sequence[tuple[int, int]], *, now: datetime) -> list[int]:
    """Of claimed tasks, those of patients for whom nobody else plans at this moment: what the other one plans is not
    seen before it is done, and the caps would not count it. The rest waits for that.
    """
    ours = alone_with({patient_id for _pk, patient_id in rows})
    others = [pk for pk, patient_id in rows if patient_id not in ours]
    if others:
        OutreachTask.objects.filter(pk__in=others).update(plan_from=now + A_MOMENT)
    return [pk for pk, patient_id in rows if patient_id in ours]


def _plan_or_wait(task: OutreachTask, reach: Reach, held: Held, *, now: datetime) -> int:
    """One task that cannot be planned stops no other; it is looked at again in an hour."""
    try:
        with transaction.atomic():
            return _plan(task, reach, held, now=now)
    except Exception:
        logger.exception("Task %s could not be planned.", task.pk)
        followup.plan_again(task, at=now + LOOK_AGAIN)
        return 0


def _plan(task: OutreachTask, reach: Reach, held: Held, *, now: datetime) -> int:
    if task.pk in reach.under_way or _is_settled(task, now=now):
        return 0
    answer = next_contact(task, reach, not_before=now)
    passed = reach.passed_over(task)
    if answer == HandOver.NO_ADDRESS and task.step.is_told_again and _refuses(task, passed, now=now):
        followup.end_unneeded(task, now=now)
        return 0
    if isinstance(answer, HandOver):
        followup.hand_over(task, answer, now=now, passed=passed)
        return 0
    if bar := held.bar(task, answer.contact_point, answer.channel):
        _look_again(task, bar, now=now, at=now + LOOK_AGAIN_SOON)
        return 0
    planned = followup.as_planned(task, answer)
    planned.save(force_insert=True)
    note_planned(planned, answer, passed, now=now)
    reach.remember(planned)
    return 1


def _refuses(task: OutreachTask, passed: Sequence[Passed], *, now: datetime) -> bool:
    """Whether the other parent has asked us at each address to leave it."""
    refused = {each.contact_point for each in passed if each.because == Because.CONSENT}
    return all(tie.contact_point_id in refused for tie in ties_to_use(task, now=now))


def _look_again(task: OutreachTask, rule: Because, *, now: datetime, at: datetime) -> None:
    note_put_off_task(task, rule, now=now, until=at)
    followup.plan_again(task, at=at)


def _is_settled(task: OutreachTask, *, now: datetime) -> bool:
    """Whether nothing is to be planned: its step has ended or rests, the record is closed, or it left once for all."""
    if task.message_key in OVER_WITH_THE_TRY:
        followup.end_test(task, now=now)
    elif task.message_key == ANSWER:
        followup.go_on_with_answer(task, now=now)
    elif milestones.is_too_soon(task, now=now):
        followup.end_unneeded(task, now=now)
    elif task.step.status == StepStatus.ON_HOLD:
        _look_again(task, Because.ON_HOLD, now=now, at=now + LOOK_AGAIN)
    elif task.step.status != StepStatus.ACTIVE or task.patient.status != PatientStatus.ACTIVE:
        followup.end_task(task, TaskStatus.CANCELLED, NOT_NEEDED, now=now)
    elif task.step.is_told_again and not ties_to_use(task, now=now):
        # She hears for herself by now, or there is no other parent any more.
        followup.end_unneeded(task, now=now)
    else:
        return False
    return True


def cancel_for_steps(*, now: datetime) -> int:
    """End what is still planned about steps that have ended without a word to outreach. Returns how many tasks.

    Lower apps never call this one; a message would be stopped at the door, but a call would stay on the list.
    """
    over = OutreachTask.objects.filter(
        status=TaskStatus.OPEN, step__status__in=[StepStatus.COMPLETED, StepStatus.CANCELLED]
    )
    task_ids = list(over.values_list("pk", flat=True)[:BATCH])
    with transaction.atomic():
        Attempt.objects.filter(task__in=task_ids, status=AttemptStatus.PLANNED).update(
            status=AttemptStatus.CANCELLED, ended_at=now, outcome=NOT_NEEDED
        )
        return OutreachTask.objects.filter(pk__in=task_ids, status=TaskStatus.OPEN).update(
            status=TaskStatus.CANCELLED, ended_at=now, outcome=NOT_NEEDED, plan_from=None
        )


def cancel_for_step(step: Step, *, now: datetime, outcome: str) -> None:
    """The step has its answer: nothing more is sent about it."""
    for task in OutreachTask.objects.filter(step=step, status=TaskStatus.OPEN):
        followup.end_task(task, TaskStatus.DONE, outcome, now=now)


@transaction.atomic
def opt_out(patient: Patient, attempt: Attempt, *, now: datetime, words: str, by: User | None = None) -> None:
    """Stop this patient's contacts on this address and channel, at once, also what is queued; never the family's."""
    opt_out_at(patient, attempt.contact_point, attempt.channel, now=now, words=words, by=by)
    OutreachTask.objects.filter(pk=attempt.task_id, status=TaskStatus.OPEN).update(plan_from=now)


@transaction.atomic
def opt_out_at(
    patient: Patient, point: ContactPoint, channel: str, *, now: datetime, words: str, by: User | None = None
) -> None:
    """The same where nothing of ours is answered: she wrote first, or switched us off at the provider."""
    withdraw_consent(patient, point, channel, now=now, words=words, by=by)
    queued = Attempt.objects.filter(
        patient=patient, contact_point=point, channel=channel, status=AttemptStatus.PLANNED
    ).exclude(task__message_key=STOPPED)
    stopped = followup.withdraw(queued, "opted_out", now=now)
    note_stopped(stopped, Because.STOP, now=now)
    tasks = {each.task_id for each in stopped}
    OutreachTask.objects.filter(pk__in=tasks, status=TaskStatus.OPEN).update(plan_from=now)


@transaction.atomic
def hold_back(patient: Patient, point: ContactPoint, channel: str, *, now: datetime) -> None:
    """What is planned here waits until her words are read; so does what a worker has claimed and not begun to send.

    The door keeps back what is planned here meanwhile.
    """
    waiting = Attempt.objects.filter(
        patient=patient,
        contact_point=point,
        channel=channel,
        status__in=[AttemptStatus.PLANNED, AttemptStatus.SENDING],
        called_at__isnull=True,
    ).exclude(task__message_key__in=WAITED_FOR)
    held, again_at = followup.withdraw(waiting, REPLANNED, now=now), now + LOOK_AGAIN_SOON
    note_put_off(held, Because.MAYBE_STOP, now=now, until=again_at)
    tasks = {each.task_id for each in held}
    OutreachTask.objects.filter(pk__in=tasks, status=TaskStatus.OPEN).update(plan_from=again_at)


@transaction.atomic
def stop_for(
    patient: Patient, *, other_parent: bool, now: datetime, words: str, by: User | None = None
) -> None:
    """One of two parents who live apart wants no contact at all. The other one is told as before."""
    for tie in patient.contacts.filter(relation__in=GUARDIANS, other_parent=other_parent).select_related(
        "contact_point"
    ):
        for channel in channels_of(tie.contact_point.kind):
            opt_out_at(patient, tie.contact_point, channel, now=now, words=words, by=by)


@transaction.atomic
def stop_everything(patient: Patient, *, now: datetime, words: str, by: User | None = None) -> None:
    """The patient wants no contact at all: every address on every channel, at once; only safety is left.

    The steps keep their owners and clocks; a person decides what becomes of them.
    """
    for tie in patient.contacts.select_related("contact_point"):
        for channel in channels_of(tie.contact_point.kind):
            withdraw_consent(patient, tie.contact_point, channel, now=now, words=words, by=by)
    for task in OutreachTask.objects.filter(patient=patient, status=TaskStatus.OPEN).exclude(
        purpose=Purpose.SAFETY
    ):
        followup.end_task(task, TaskStatus.CANCELLED, CallOutcome.ASKED_TO_STOP, now=now)
