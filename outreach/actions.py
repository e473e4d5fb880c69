"""Contacts as writes: open tasks from steps, plan the next attempt, make a call, and what its outcome sets going."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from journeys.actions import AdHoc, add_step, lock_journey
from journeys.claims import BATCH, Alarm, Rows, batches, insert_for
from journeys.models import Journey, OwnerRole, Step, StepKind, StepStatus
from outreach import followup
from outreach.channels import PHONE, in_use
from outreach.channels.phone import CallOutcome
from outreach.dispatch import take
from outreach.followup import HandOver
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.planning import OTHER, GiveUp, Option, Past, Plan, Rules, next_attempt
from outreach.queries import hours_for
from patients.actions import RefusedError, StaleStateError, mark_address, withdraw_consent
from patients.models import (
    AddressKind,
    AddressStatus,
    Channel,
    Consent,
    ConsentStatus,
    Patient,
    PatientContact,
    Purpose,
    ServiceCard,
)
from patients.queries import ClinicClock

INTERVAL = timedelta(seconds=15)
CALL_LASTS = timedelta(minutes=3)  # nobody else rings the patient or the number meanwhile
REMEMBERED = timedelta(days=400)  # how far back a way of reaching somebody counts as tried
WEEKENDS = {"IL": frozenset({4, 5})}
# A text first, then a voice (surfaces.md 2.3); only where the patient has asked for nothing.
ORDER = (Channel.SMS, Channel.PHONE, Channel.WHATSAPP, Channel.EMAIL)

CONTACT = Alarm(
    model=Step,
    column="contact_from",
    armed="contact_from IS NOT NULL",
    takes={"contact_from": "NULL"},
)
TO_PLAN = Alarm(
    model=OutreachTask,
    column="plan_from",
    armed="status = 'open' AND plan_from IS NOT NULL",
    takes={"plan_from": "NULL"},
)


def open_tasks(*, now: datetime, lasts: timedelta = INTERVAL, limit: int = BATCH) -> int:
    """Take the steps that want contact now and open one task each. Returns how many steps were taken.

    A step that has ended, or whose journey has no patient yet, gets none; one with an open task keeps it.
    """
    taken = 0
    for rows in batches(CONTACT, now=now, limit=limit, lasts=lasts):
        taken += len(rows)
        _insert_tasks([row[0] for row in rows], now=now)
    return taken


def _insert_tasks(step_ids: Sequence[int], *, now: datetime) -> None:
    fresh = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    columns = {
        "public_id": fresh,
        "clinic_id": "s.clinic_id",
        "patient_id": "j.patient_id",
        "step_id": "s.id",
        "message_key": "s.message_key",
        "purpose": "%(purpose)s",
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
        joins="JOIN journeys_journey j ON j.id = s.journey_id AND j.patient_id IS NOT NULL "
        "LEFT JOIN journeys_steptemplate t ON t.id = s.template_step_id",
        where="s.status = 'active' AND s.message_key <> ''",
    )
    insert_for(rows, ids=step_ids, purpose=str(Purpose.SERVICE), open=str(TaskStatus.OPEN), now=now)


def plan_attempts(*, now: datetime, lasts: timedelta = INTERVAL, limit: int = 200) -> int:
    """Give each task that waits for it its next attempt, or hand it to a person. Returns how many were planned."""
    planned = 0
    for rows in batches(TO_PLAN, now=now, limit=limit, lasts=lasts):
        planned += _plan_batch([row[0] for row in rows], now=now)
    return planned


def _plan_batch(task_ids: Sequence[int], *, now: datetime) -> int:
    """Everything a batch needs is read in a constant number of queries; each task is written by itself."""
    tasks = list(
        OutreachTask.objects.filter(pk__in=task_ids)
        .select_related("patient__clinic", "patient__card", "step__journey__clinic", "step__template_step")
        .prefetch_related("patient__card__windows", "patient__contacts__contact_point")
    )
    patients = {task.patient_id for task in tasks}
    clock = ClinicClock({task.clinic_id: task.patient.clinic for task in tasks}.values(), now=now)
    withdrawn = set(
        Consent.objects.filter(
            patient__in=patients, status=ConsentStatus.WITHDRAWN, superseded_at__isnull=True
        ).values_list("patient_id", "contact_point_id", "channel", "purpose")
    )
    pasts = _contacts_of(patients, now=now)
    planned = 0
    for task in tasks:
        if task.step.status != StepStatus.ACTIVE:
            followup.end_task(task, TaskStatus.CANCELLED, "not_needed", now=now)
            continue
        options = list(options_for(task, clock, withdrawn))
        past = _seen_from(task, pasts.get(task.patient_id, []))
        answer = next_attempt(options, past, rules=_rules(task), not_before=now, deadline=task.deadline_at)
        if isinstance(answer, GiveUp):
            followup.hand_over(task, HandOver(answer.reason.value), now=now)
        else:
            planned += _store(task, answer)
    return planned


def _rules(task: OutreachTask) -> Rules:
    weekend = WEEKENDS.get(task.patient.clinic.country, frozenset({5, 6}))
    return Rules(task.patient.zone, weekend, task.max_attempts)


def options_for(
    task: OutreachTask, clock: ClinicClock, withdrawn: set[tuple[int, int, str, str]]
) -> Iterable[Option]:
    """Each usable address on each channel that is on; what the patient asked for first."""
    patient = task.patient
    card: ServiceCard | None = getattr(patient, "card", None)
    asked = card.channel if card and card.told_at else None
    wanted = [Channel.PHONE] if task.step.kind == StepKind.CALL else _in_order(asked)
    for preference, channel in enumerate(wanted):
        if channel not in in_use():
            continue
        for tie in patient.contacts.all():
            if _serves(tie, channel) and _allowed(task, tie, channel, withdrawn):
                hours = hours_for(patient, channel, clock)
                rank = preference * 10 + tie.rank
                yield Option(channel, tie.contact_point_id, hours, rank, channel == asked)


def _in_order(asked: str | None) -> list[str]:
    return [*([asked] if asked else []), *(channel for channel in ORDER if channel != asked)]


def _serves(tie: PatientContact, channel: str) -> bool:
    kind = AddressKind.EMAIL if channel == Channel.EMAIL else AddressKind.PHONE
    return tie.contact_point.kind == kind


def _allowed(
    task: OutreachTask, tie: PatientContact, channel: str, withdrawn: set[tuple[int, int, str, str]]
) -> bool:
    """A bad address is not tried; an opt-out holds for this patient, on this address and channel only."""
    key = (task.patient_id, tie.contact_point_id, channel, str(task.purpose))
    return tie.contact_point.status != AddressStatus.BAD and key not in withdrawn


def _contacts_of(patients: Iterable[int], *, now: datetime) -> dict[int, list[tuple[int, Past]]]:
    """What was tried with these patients, each with its task; attempts that never left are not contacts."""
    tried = Attempt.objects.filter(
        patient__in=patients,
        status__in=[AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.FAILED, AttemptStatus.UNKNOWN],
    ).filter(send_at__gte=now - REMEMBERED)
    found: dict[int, list[tuple[int, Past]]] = {}
    for patient, task, channel, point, at, sent, outcome in tried.order_by("send_at").values_list(
        "patient_id", "task_id", "channel", "contact_point_id", "send_at", "sent_at", "outcome"
    ):
        found.setdefault(patient, []).append((task, Past(channel, point, sent or at, outcome or "sent")))
    return found


def _seen_from(task: OutreachTask, tried: Iterable[tuple[int, Past]]) -> list[Past]:
    """This task's own attempts as they were; the patient's other contacts only as far as the caps count them."""
    return [
        past if task_id == task.pk else Past(past.channel, past.contact_point, past.at, OTHER)
        for task_id, past in tried
    ]


def _store(task: OutreachTask, plan: Plan) -> int:
    try:
        with transaction.atomic():
            Attempt.objects.create(
                task=task,
                clinic_id=task.clinic_id,
                patient_id=task.patient_id,
                contact_point_id=plan.contact_point,
                channel=plan.channel,
                send_at=plan.send_at,
                expires_at=plan.expires_at,
                why=" ".join(plan.why),
            )
    except IntegrityError:  # another worker planned it: one unfinished attempt a task
        return 0
    return 1


def cancel_for_step(step: Step, *, now: datetime, outcome: str) -> None:
    """The step has its answer: nothing more is sent about it."""
    for task in OutreachTask.objects.filter(step=step, status=TaskStatus.OPEN):
        followup.end_task(task, TaskStatus.DONE, outcome, now=now)


def claim_call(attempt: Attempt, *, by: User, now: datetime) -> Attempt:
    """Take a planned call for three minutes. Refused with the name of whoever is calling this patient or number."""
    try:
        with transaction.atomic():
            taken = take(attempt.pk, uuid.uuid4(), now=now, lasts=CALL_LASTS, by=by)
    except IntegrityError:
        taken = 0
    if not taken:
        raise StaleStateError(_busy_words(attempt))
    attempt.refresh_from_db()
    return attempt


def _busy_words(attempt: Attempt) -> str:
    busy = Attempt.objects.filter(status=AttemptStatus.SENDING)
    other = (
        busy.filter(patient=attempt.patient_id).select_related("claimed_by").first()
        or busy.filter(contact_point=attempt.contact_point_id).select_related("claimed_by").first()
    )
    if other is None:
        return _("This call was made or cancelled meanwhile.")
    who = other.claimed_by.first_name if other.claimed_by else _("a message")
    return _("%(who)s is reaching this patient right now.") % {"who": who}


@transaction.atomic
def call_now(step: Step, *, by: User, now: datetime, because: str) -> Attempt:
    """Call outside the plan, with the reason (N7); the planned attempt of the task gives way to this one."""
    if not because:
        raise RefusedError(_("It is outside the agreed hours. Say why you call now."))
    patient = Patient.objects.filter(journeys=step.journey_id).first()
    tie = (
        PatientContact.objects.filter(patient=patient, contact_point__kind=AddressKind.PHONE)
        .exclude(contact_point__status=AddressStatus.BAD)
        .first()
    )
    if patient is None or tie is None:
        raise RefusedError(_("There is no number to call."))
    task, _made = OutreachTask.objects.get_or_create(
        step=step,
        status=TaskStatus.OPEN,
        defaults={
            "clinic_id": step.clinic_id,
            "patient": patient,
            "message_key": step.message_key or "next_step",
            "opened_at": now,
            "deadline_at": step.due_at or now,
        },
    )
    Attempt.objects.filter(task=task, status=AttemptStatus.PLANNED).update(
        status=AttemptStatus.CANCELLED, ended_at=now, outcome="replanned"
    )
    attempt = Attempt.objects.create(
        task=task,
        clinic_id=step.clinic_id,
        patient=patient,
        contact_point_id=tie.contact_point_id,
        channel=PHONE,
        send_at=now,
        expires_at=now + CALL_LASTS,
        why=f"|{because[:200]}",
    )
    return claim_call(attempt, by=by, now=now)


@transaction.atomic
def record_outcome(
    attempt: Attempt,
    outcome: str,
    *,
    now: datetime,
    by: User | None = None,
    note: str = "",
    call_again_at: datetime | None = None,
) -> None:
    """How a call ended. Each outcome is a policy; "no answer" is silence and never a refusal (S4.2)."""
    code = CallOutcome(outcome)
    task = OutreachTask.objects.select_related("step__template_step", "step__journey", "patient__clinic").get(
        pk=attempt.task_id
    )
    journey = lock_journey(task.step.journey_id)
    _end_call(attempt, code, now=now, note=note)
    match code:
        case CallOutcome.NO_ANSWER:
            followup.plan_again(task, at=now)
        case CallOutcome.WRONG_NUMBER:
            mark_address(attempt.contact_point, AddressStatus.BAD, now=now)
            followup.plan_again(task, at=now)
        case CallOutcome.PREFERS_MESSAGE:
            _prefers_message(task.patient, now=now, by=by)
            followup.plan_again(task, at=now)
        case CallOutcome.ASKED_TO_STOP:
            opt_out(task.patient, attempt, now=now, words=note or _("on the phone"), by=by)
        case CallOutcome.CALL_AT:
            _promise_call(journey, task, call_again_at, now=now, by=by)
        case CallOutcome.NEEDS_DOCTOR:
            _ask_doctor(journey, task, note, now=now, by=by)
        case CallOutcome.DECLINED:
            _declined(task, note, now=now, by=by)
        case CallOutcome.SPOKEN | CallOutcome.BOOKED | CallOutcome.CONFIRMED:
            mark_address(attempt.contact_point, AddressStatus.WORKING, now=now)
            _reached(task, code, now=now, by=by, note=note)


REACHED_NOBODY = {CallOutcome.NO_ANSWER, CallOutcome.WRONG_NUMBER}


def _end_call(attempt: Attempt, code: CallOutcome, *, now: datetime, note: str) -> None:
    status = AttemptStatus.FAILED if code in REACHED_NOBODY else AttemptStatus.DELIVERED
    ended = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.SENDING, lease=attempt.lease).update(
        status=status,
        outcome=code.value,
        lease=None,
        lease_until=None,
        called_at=now,
        sent_at=None if code in REACHED_NOBODY else now,
        ended_at=now,
        error=note[:300],
    )
    if not ended:
        raise StaleStateError(_("This call was taken over by somebody else meanwhile."))


def _prefers_message(patient: Patient, *, now: datetime, by: User | None) -> None:
    """The patient's own word changes the card; the windows stay as they were told."""
    ServiceCard.objects.filter(patient=patient).update(channel=Channel.SMS, told_at=now, told_to=by)


def _promise_call(
    journey: Journey, task: OutreachTask, at: datetime | None, *, now: datetime, by: User | None
) -> None:
    if at is None or at <= now:
        raise RefusedError(_("Choose the time the patient asked for."))
    followup.end_task(task, TaskStatus.DONE, CallOutcome.CALL_AT, now=now)
    title = _("Call %(name)s back") % {"name": task.patient.full_name}
    add_step(journey, AdHoc(StepKind.PROMISE, title, at, owner=by, about=task.step), now=now, by=by)


def _ask_doctor(journey: Journey, task: OutreachTask, note: str, *, now: datetime, by: User | None) -> None:
    followup.end_task(task, TaskStatus.DONE, CallOutcome.NEEDS_DOCTOR, now=now)
    title = _("%(name)s asks the doctor: %(words)s") % {"name": task.patient.full_name, "words": note}
    due_at = followup.soon(journey.clinic, followup.ANSWER_WITHIN, now=now)
    step = AdHoc(StepKind.CALL, title, due_at, role=OwnerRole.DOCTOR, owner=journey.doctor, about=task.step)
    add_step(journey, step, now=now, by=by)


def _declined(task: OutreachTask, note: str, *, now: datetime, by: User | None) -> None:
    """Only with the patient's own words; a guess is not a reason (S4.2)."""
    if not note:
        raise RefusedError(_("Write the patient's own words; a guess is not a reason."))
    followup.end_task(task, TaskStatus.DONE, CallOutcome.DECLINED, now=now)
    followup.end_step(task.step, CallOutcome.DECLINED, now=now, by=by, note=note)


def _reached(task: OutreachTask, code: CallOutcome, *, now: datetime, by: User | None, note: str) -> None:
    followup.end_task(task, TaskStatus.DONE, code, now=now)
    outcome = followup.told_outcome(task.step) if code == CallOutcome.SPOKEN else code.value
    ends_spoken = task.step.template_step and CallOutcome.SPOKEN in task.step.template_step.outcomes
    if code == CallOutcome.SPOKEN and ends_spoken:
        outcome = CallOutcome.SPOKEN.value
    if outcome:
        followup.end_step(task.step, outcome, now=now, by=by, note=note)


@transaction.atomic
def opt_out(patient: Patient, attempt: Attempt, *, now: datetime, words: str, by: User | None = None) -> None:
    """Stop this patient's contacts on this address and channel, at once, also what is queued; never the family's."""
    withdraw_consent(patient, attempt.contact_point, attempt.channel, now=now, words=words, by=by)
    queued = Attempt.objects.filter(
        patient=patient,
        contact_point=attempt.contact_point_id,
        channel=attempt.channel,
        status=AttemptStatus.PLANNED,
    )
    task_ids = set(queued.values_list("task_id", flat=True)) | {attempt.task_id}
    queued.update(status=AttemptStatus.CANCELLED, ended_at=now, outcome="opted_out")
    OutreachTask.objects.filter(pk__in=task_ids, status=TaskStatus.OPEN).update(plan_from=now)
