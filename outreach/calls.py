"""Calls are made by people: taking one, calling outside the plan, and what each outcome sets going."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _, gettext_lazy

from appointments import actions as visits
from appointments.queries import MOVABLE
from journeys.actions import AdHoc, add_step, cancel_steps, lock_journey
from journeys.clinic_time import soon
from journeys.models import Journey, OwnerRole, Step, StepKind
from outreach import followup
from outreach.actions import stop_everything, stop_for
from outreach.because import Because
from outreach.both_parents import tell_the_other
from outreach.channels import PHONE
from outreach.channels.phone import CallOutcome
from outreach.decisions import note_beyond, note_stopped
from outreach.dispatch import take
from outreach.enough import alone_by_hand, enough_on
from outreach.followup import REPLANNED
from outreach.held import refuse_in_doubt
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply, TaskStatus
from outreach.own_words import purpose_of
from outreach.queries import visit_of
from outreach.reach import Reach, message_channel_for
from outreach.told import lives_apart, not_told, phones_to_use, ties_to_use
from outreach.unanswered import count_unanswered
from patients.actions import (
    RefusedError,
    StaleStateError,
    lock_patient,
    mark_address,
    refuse_unless_active,
)
from patients.models import (
    AddressStatus,
    CardSource,
    Channel,
    HoursKind,
    Patient,
    PatientContact,
    ServiceCard,
)
from patients.queries import first_phone, lawful_hours, withdrawn
from patients.windows import is_open

CALL_LASTS = timedelta(minutes=3)  # nobody else rings the patient or the number meanwhile
NOT_CALLED_THERE = gettext_lazy(
    "The patient is not to be called at this number. Another way is being planned."
)
NOT_TOLD_THERE = {
    Because.IN_CONFIDENCE: gettext_lazy(
        "This matter is kept from the parents: only the patient is told. Another way is being planned."
    ),
    Because.NOT_HERS_ALONE: gettext_lazy(
        "This matter is kept from the parents, and others are reached at this number, too. Confirm on the record"
        " that it is the patient's alone; until then another way is being planned."
    ),
    Because.TOLD_ALREADY: gettext_lazy(
        "Whoever answers there knows it already; this is for the other parent. Another way is being planned."
    ),
    Because.NO_LONGER_TOLD: gettext_lazy(
        "By the patient's age, somebody else is told now. Another way is being planned."
    ),
}


def claim_call(attempt: Attempt, *, by: User, now: datetime) -> Attempt:
    """Take a planned call for three minutes. Refused with the name of whoever is calling this patient or number.

    Where nobody may call any more, since she said so, others are told by now or the number was removed, it is planned
    another way.
    """
    refuse_unless_active(attempt.patient_id)
    refuse_in_doubt(attempt.task.step)
    if bar := _bar(attempt, now=now):
        _plan_another_way(attempt, bar, now=now)
        raise StaleStateError(str(NOT_TOLD_THERE.get(bar, NOT_CALLED_THERE)))
    try:
        with transaction.atomic():
            taken = take(attempt.pk, uuid.uuid4(), now=now, lasts=CALL_LASTS, by=by)
            if _rings_by_machine(attempt, now=now):  # looked at under our claim, which keeps the next one off
                raise StaleStateError(
                    _("A call by machine rings there at this moment. Wait until it is over.")
                )
    except IntegrityError:
        taken = 0
    if not taken:
        raise StaleStateError(_busy_words(attempt))
    attempt.refresh_from_db()
    return attempt


def _bar(attempt: Attempt, *, now: datetime) -> Because | None:
    """What keeps everybody from calling there now, whatever held when it was planned."""
    tie = attempt.tie
    if tie and tie.suspended_at:
        return Because.NOT_HERS
    if tie and (others := not_told(attempt.task, tie, ties_to_use(attempt.task, now=now))):
        return others
    if tie is None or not tie.may_be_called:
        return Because.NOT_CALLED
    refused = withdrawn(patient=attempt.patient_id, contact_point=attempt.contact_point_id, channel=PHONE)
    return Because.CONSENT if refused.filter(purpose=attempt.task.purpose).exists() else None


def _rings_by_machine(attempt: Attempt, *, now: datetime) -> bool:
    """Taken by the provider, and its end not told yet: two calls at once would find the line busy."""
    ringing = Attempt.objects.filter(
        channel=Channel.VOICE, status=AttemptStatus.SENT, called_at__gt=now - CALL_LASTS
    )
    there = Q(patient=attempt.patient_id) | Q(contact_point=attempt.contact_point_id)
    return ringing.filter(there).exists()


@transaction.atomic
def _plan_another_way(attempt: Attempt, because: Because, *, now: datetime) -> None:
    ended = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.PLANNED).update(
        status=AttemptStatus.CANCELLED, ended_at=now, outcome=REPLANNED
    )
    if ended:
        note_stopped([attempt], because, now=now)
        followup.plan_again(attempt.task, at=now)


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
    """Call outside the plan, with the reason (N7); the planned attempt of the task gives way to this one.

    The reason is asked outside the agreed hours, and where the clinic's own limit of contacts is reached; the hours
    and the limits of the law are nobody's to pass over.
    """
    patient = Patient.objects.filter(journeys=step.journey_id).first()
    if patient is None:
        raise RefusedError(_("There is no number to call."))
    refuse_unless_active(patient.pk)
    refuse_unless_lawful(patient, now=now)
    refuse_in_doubt(step)
    alone_by_hand(patient)
    task = task_for(step, patient, now=now)
    alone = step.journey.is_confidential
    among = phones_to_use(task, now=now)
    tie = first_phone(patient, now=now, in_confidence=alone, purpose=task.purpose, among=among)
    if tie is None:
        raise RefusedError(_("There is no number to call."))
    reach = Reach.among([task.pk], now=now)
    if enough := enough_on(now, reach.tasks[0], reach):
        enough.refuse_unless(because)
    if not because:
        raise RefusedError(_("It is outside the agreed hours. Say why you call now."))
    planned = Attempt.objects.filter(task=task, status=AttemptStatus.PLANNED)
    note_stopped(followup.withdraw(planned, REPLANNED, now=now), Because.BY_HAND, now=now)
    attempt = Attempt(
        task=task,
        clinic_id=task.clinic_id,
        patient=patient,
        contact_point_id=tie.contact_point_id,
        channel=PHONE,
        send_at=now,
        expires_at=now + CALL_LASTS,
        why=f"|{because[:200]}",
    )
    try:
        with transaction.atomic():
            attempt.save(force_insert=True)
    except IntegrityError as clash:  # somebody is calling, or a message about this leaves at this moment
        raise StaleStateError(_busy_words(attempt)) from clash
    if enough:
        note_beyond(attempt, enough.rule, now=now)
    return claim_call(attempt, by=by, now=now)


def refuse_while_reached(patient: Patient, tie: PatientContact) -> None:
    """For a call that no attempt stands for: nobody rings while a call or a message of ours is under way."""
    there = Attempt(patient=patient, contact_point=tie.contact_point)
    under_way = Q(patient=patient) | Q(contact_point=tie.contact_point_id)
    if Attempt.objects.filter(under_way, status=AttemptStatus.SENDING).exists():
        raise StaleStateError(_busy_words(there))


def refuse_unless_lawful(patient: Patient, *, now: datetime) -> None:
    """A person may call outside the agreed hours, with a reason; outside the country's, nobody may."""
    hours = lawful_hours(patient, HoursKind.CALL)
    if is_open(now, hours):
        return
    local = now.astimezone(ZoneInfo(patient.zone))
    today = hours.by_weekday[local.weekday()] or hours.windows
    words = _(
        "The rules of the country allow calls from %(start)s to %(end)s by the patient's clock,"
        " and it is %(clock)s there."
    )
    clocks = {"start": today[0].start, "end": today[-1].end, "clock": local.time()}
    raise RefusedError(words % {name: f"{clock:%H:%M}" for name, clock in clocks.items()})


def task_for(step: Step, patient: Patient, *, now: datetime) -> OutreachTask:
    """The open task of the step; a step that has none, as a promise, speaks of what it is about."""
    new = task_like(step, patient, now=now)
    copied = ("clinic_id", "patient", "message_key", "opened_at", "deadline_at")
    given = {name: getattr(new, name) for name in copied}
    given["purpose"] = purpose_of(new.message_key, step.clinic_id)
    task, _made = OutreachTask.objects.get_or_create(step=step, status=TaskStatus.OPEN, defaults=given)
    return task


def task_to_be(step: Step, patient: Patient, *, now: datetime) -> OutreachTask:
    """The open task of the step, or the one that a contact would open, which is not saved."""
    open_task = OutreachTask.objects.filter(step=step, status=TaskStatus.OPEN).first()
    task = open_task or task_like(step, patient, now=now)
    task.step, task.patient = step, patient
    return task


def task_like(step: Step, patient: Patient, *, now: datetime) -> OutreachTask:
    """The task that a contact about the step would open; not saved."""
    about = step.about.message_key if step.about else ""
    return OutreachTask(
        step=step,
        clinic_id=step.clinic_id,
        patient=patient,
        message_key=step.message_key or about or "next_step",
        opened_at=now,
        deadline_at=step.due_at or now,
    )


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
    task = OutreachTask.objects.select_related(
        "step__template_step", "step__journey", "step__about__template_step", "patient__clinic"
    ).get(pk=attempt.task_id)
    journey = _locked(task, code)
    end_call(attempt, code, now=now, note=note)
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
            _stop(task, attempt, note or _("on the phone"), now=now, by=by)
        case CallOutcome.CALL_AT:
            _promise_call(journey, task, call_again_at, now=now, by=by)
        case CallOutcome.NEEDS_DOCTOR:
            _ask_doctor(journey, task, note, call_again_at, now=now, by=by)
        case CallOutcome.NOT_NOW:
            raise RefusedError(_("Say the reason, and the day on which to ask again."))
        case CallOutcome.DECLINED:
            _declined(task, attempt, note, now=now, by=by)
        case CallOutcome.SPOKEN | CallOutcome.BOOKED | CallOutcome.CONFIRMED:
            mark_address(attempt.contact_point, AddressStatus.WORKING, now=now)
            _reached(task, code, now=now, by=by, note=note)


def _locked(task: OutreachTask, code: CallOutcome) -> Journey:
    journey = lock_journey(task.step.journey_id)
    if code == CallOutcome.ASKED_TO_STOP:
        lock_patient(task.patient_id)  # before the attempts, as whoever hears a STOP does
    return journey


REACHED_NOBODY = {CallOutcome.NO_ANSWER, CallOutcome.WRONG_NUMBER}


def end_call(attempt: Attempt, code: CallOutcome, *, now: datetime, note: str) -> None:
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
    count_unanswered([attempt.task_id])


def _prefers_message(patient: Patient, *, now: datetime, by: User | None) -> None:
    """The patient's own word changes the card; the windows stay as they were told."""
    channel = message_channel_for(patient)
    if channel:
        ServiceCard.objects.filter(patient=patient).update(
            channel=channel, told_at=now, told_to=by, source=CardSource.DESK
        )


def _stop(task: OutreachTask, attempt: Attempt, words: str, *, now: datetime, by: User | None) -> None:
    """Of two parents who live apart, one speaks for that one alone."""
    home = lives_apart(attempt)
    if home is None:
        stop_everything(task.patient, now=now, words=words, by=by)
    else:
        stop_for(task.patient, other_parent=home, now=now, words=words, by=by)
        followup.plan_again(task, at=now)


def _promise_call(
    journey: Journey, task: OutreachTask, at: datetime | None, *, now: datetime, by: User | None
) -> None:
    if at is None or at <= now:
        raise RefusedError(_("Choose the time the patient asked for."))
    followup.end_task(task, TaskStatus.DONE, CallOutcome.CALL_AT, now=now)

    def title() -> str:
        return _("Call %(name)s back") % {"name": task.patient.full_name}

    add_step(journey, AdHoc(StepKind.PROMISE, title, at, owner=by, about=task.step), now=now, by=by)


def _ask_doctor(
    journey: Journey,
    task: OutreachTask,
    note: str,
    promised_at: datetime | None,
    *,
    now: datetime,
    by: User | None,
) -> None:
    """The doctor gets the question, due at the time that the patient was promised an answer for."""
    followup.end_task(task, TaskStatus.DONE, CallOutcome.NEEDS_DOCTOR, now=now)

    def title() -> str:
        return _("%(name)s asks the doctor: %(words)s") % {"name": task.patient.full_name, "words": note}

    due_at = promised_at or soon(journey.clinic, followup.ANSWER_WITHIN, now=now)
    step = AdHoc(StepKind.CALL, title, due_at, role=OwnerRole.DOCTOR, owner=journey.doctor, about=task.step)
    add_step(journey, step, now=now, by=by)


def _declined(task: OutreachTask, attempt: Attempt, note: str, *, now: datetime, by: User | None) -> None:
    """Only with the patient's own words; a guess is not a reason (S4.2). The kept time goes to somebody else."""
    if not note:
        raise RefusedError(_("Write the patient's own words; a guess is not a reason."))
    Reply.objects.create(
        clinic_id=task.clinic_id,
        patient_id=task.patient_id,
        attempt=attempt,
        channel=PHONE,
        at=now,
        body=note,
        meaning=CallOutcome.DECLINED,
        step=task.step,
    )
    followup.end_task(task, TaskStatus.DONE, CallOutcome.DECLINED, now=now)
    for step in followup.concerned(task.step):
        if step.kind == StepKind.CONFIRM:
            release_visit(step, note, now=now, by=by)
        followup.end_step(step, CallOutcome.DECLINED, now=now, by=by, note=note)


def release_visit(step: Step, words: str, *, now: datetime, by: User | None) -> None:
    """Who does not want the visit is not asked for another date: its step ends before the visit does."""
    visit = visit_of(step.journey_id)
    if visit is None or visit.status not in MOVABLE:
        return
    if visit.step:
        cancel_steps([visit.step], now=now, by=by, detail=words)
    visits.cancel(visit, because=words, now=now, by=by)


def _reached(task: OutreachTask, code: CallOutcome, *, now: datetime, by: User | None, note: str) -> None:
    visit = visit_of(task.step.journey_id)
    if code != CallOutcome.SPOKEN and visit is None:
        raise RefusedError(_("No visit is kept. Choose its time first; then this call ends by itself."))
    if code == CallOutcome.CONFIRMED and visit is not None:
        visits.confirm(visit, now=now, by=by)
    followup.end_task(task, TaskStatus.DONE, code, now=now)
    told = followup.concerned(task.step)
    tell_the_other([(step, task) for step in told], now=now)
    for step in told:
        outcome = followup.spoken_outcome(step) if code == CallOutcome.SPOKEN else code.value
        if outcome:
            followup.end_step(step, outcome, now=now, by=by, note=note)
