"""What the patient says back: on the page, by reply, or through the desk. Nothing is ever "invalid"."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _, gettext_lazy

from appointments import actions as visits
from appointments.actions import Visit
from appointments.models import Appointment, AppointmentStatus
from appointments.queries import MOVABLE
from appointments.suggestions import VISIT_MINUTES, doctor_for
from journeys import deadlines
from journeys.actions import AdHoc, add_step, journey_after, lock_journey
from journeys.clinic_time import soon
from journeys.models import OPEN_JOURNEYS, Journey, Step, StepKind, StepStatus, isolated
from outreach import choices, followup
from outreach.actions import cancel_for_step, opt_out
from outreach.channels import PHONE
from outreach.held import WAITING
from outreach.models import Attempt, Reply
from outreach.queries import visit_of
from outreach.said import as_read
from patients.actions import RefusedError, StaleStateError
from patients.models import Patient, PatientStatus

READ_WITHIN = deadlines.Limit(2, deadlines.Unit.WORKING_HOURS)
CANNOT_COME = "cannot_come"
ANOTHER_TIME = "another_time"
# How a step outside a template may end by the patient's word; her own question never does by one about a visit.
WITHOUT_TEMPLATE = {StepKind.CONFIRM: {"confirmed", ANOTHER_TIME, CANNOT_COME}}
ABOUT_A_VISIT = {StepKind.CONFIRM, StepKind.BOOK, StepKind.RECALL, StepKind.VISIT}
BOOKED_BY = {StepKind.BOOK, StepKind.RECALL}  # kinds of step that choosing a time ends
ONE_MINUTE = timedelta(minutes=1)
# Kept for staff, while the page around speaks the patient's language.
WANTS_ANOTHER_TIME = gettext_lazy("would like another time")
CHOSEN_BY_PATIENT = gettext_lazy("chosen by the patient")
PATIENT_CANNOT_COME = gettext_lazy("the patient cannot come")
ASKS_TO_STOP = gettext_lazy("asks us to stop")


def for_staff(journey: Journey, words: object) -> str:
    """What is written down is read in the clinic, so it is said in the clinic's language."""
    with translation.override(journey.clinic.language):
        return str(words)


def answer(
    step: Step, meaning: str, *, now: datetime, channel: str, body: str = "", start: datetime | None = None
) -> Reply:
    """Record what the patient said about a step and let it act. The same answer again changes nothing further.

    The words are committed first: an answer that comes too late is refused, never lost.
    """
    reply = _recorded(step, meaning, now=now, channel=channel, body=body)
    matter = _act(step, meaning, now=now, body=body, start=start)
    if matter:
        Reply.objects.filter(pk=reply.pk).update(matter=matter)
    return reply


@transaction.atomic
def _act(step: Step, meaning: str, *, now: datetime, body: str, start: datetime | None) -> Step | None:
    """What it sets going; returned is the step of the person who has to answer, where one has."""
    journey = lock_journey(step.journey_id)
    step.refresh_from_db()
    visit = visit_of(journey.pk)
    match meaning:
        case "confirm":
            _confirm(step, visit, now=now)
        case "another_time":
            return _another_time(journey, step, visit, start, now=now)
        case "cannot_come":
            return _cannot_come(journey, step, visit, now=now)
        case "stop":
            return _stop(journey, step, body, now=now)
        case _:
            return _ask(journey, None, body, now=now)
    return None


def _recorded(step: Step, meaning: str, *, now: datetime, channel: str, body: str) -> Reply:
    last = Attempt.objects.filter(task__step=step, sent_at__isnull=False).order_by("-sent_at").first()
    return Reply.objects.create(
        clinic_id=step.clinic_id,
        patient=whose(step.journey),
        attempt=last,
        channel=channel,
        at=now,
        body=body,
        meaning=meaning,
        step=step,
    )


def _confirm(step: Step, visit: Appointment | None, *, now: datetime) -> None:
    if visit is None:
        raise RefusedError(_("This time is no longer kept. Please choose another."))
    if visit.status == AppointmentStatus.PENDING:
        raise RefusedError(_("The doctor has not decided yet; until then this time is kept for you."))
    if visit.confirmed_at is None and visit.status == AppointmentStatus.BOOKED:
        visits.confirm(visit, now=now)
    _end(step, "confirmed", now=now)


def _end(step: Step, outcome: str, *, now: datetime) -> None:
    """The step has its answer. A step that knows no such outcome, e.g. the visit itself, goes on."""
    kind = StepKind(step.kind)
    if kind in ABOUT_A_VISIT:
        cancel_for_step(step, now=now, outcome=outcome)
    allowed = step.template_step.outcomes if step.template_step else WITHOUT_TEMPLATE.get(kind, ())
    if step.status == StepStatus.ACTIVE and outcome in allowed:
        followup.end_step(step, outcome, now=now)


def _another_time(
    journey: Journey, step: Step, visit: Appointment | None, start: datetime | None, *, now: datetime
) -> Step | None:
    """A chosen time is booked at once, the present one kept until then; none chosen: a person calls.

    A held visit that waits for the doctor moves as one: it is still held, and still waits.
    """
    if start is None:
        if ANOTHER_TIME in (step.template_step.outcomes if step.template_step else []):
            _end(step, ANOTHER_TIME, now=now)
            return None
        return _ask(journey, step, WANTS_ANOTHER_TIME, now=now)
    is_the_same = visit is not None and visit.start == start
    if not is_the_same and not choices.may_choose(journey, visit, start, now=now):
        raise RefusedError(_("We cannot offer this time any more. Please choose one of these."))
    if step.kind in BOOKED_BY and step.status == StepStatus.ACTIVE:
        _book(journey, step, visit, start, now=now)
        return None
    if is_the_same:
        return None  # pressed twice
    if visit is not None and visit.status in MOVABLE:
        visits.move(visit, start=start, now=now, because=for_staff(journey, CHOSEN_BY_PATIENT))
        if visit.status == AppointmentStatus.BOOKED:
            visits.confirm(visit, now=now)
            _end(step, "confirmed", now=now)
        return None
    if step.kind != StepKind.CONFIRM or step.status != StepStatus.ACTIVE:
        raise StaleStateError(_("This was settled meanwhile; the page shows how it stands."))
    _book_anew(journey, step, start, now=now)
    return None


def _book(journey: Journey, step: Step, kept: Appointment | None, start: datetime, *, now: datetime) -> None:
    """Book what the step asks for; a visit kept meanwhile moves there, with its doctor and its length."""
    doctor = kept.practitioner if kept else doctor_for(journey)
    if doctor is None or journey.patient is None:
        raise RefusedError(_("Please call us to find a time."))
    minutes = (kept.end - kept.start) // ONE_MINUTE if kept else VISIT_MINUTES
    visit = Visit(journey.patient, doctor, start, minutes, journey.name)
    booked = visits.book_for_step(step, visit, now=now)
    visits.confirm(booked, now=now)
    cancel_for_step(step, now=now, outcome="booked")


def _book_anew(journey: Journey, step: Step, start: datetime, *, now: datetime) -> None:
    """Asked to confirm a visit that is gone, the patient chooses another: what that opens is booked at once."""
    _end(step, ANOTHER_TIME, now=now)
    asks = journey.steps.filter(kind=StepKind.BOOK, status=StepStatus.ACTIVE).first()
    if asks is None:
        raise RefusedError(_("Please call us to find a time."))
    _book(journey, asks, None, start, now=now)


def _cannot_come(journey: Journey, step: Step, visit: Appointment | None, *, now: datetime) -> Step | None:
    """The answer first, since the end of the visit would end the question unanswered; then the time is free."""
    if step.outcome == CANNOT_COME:
        return None  # pressed twice; another visit may be booked since
    if visit is not None and visit.status == AppointmentStatus.PENDING:
        # What is held waits for the doctor; whether another time is needed at all is not known yet.
        return _ask(journey, step, WANTS_ANOTHER_TIME, now=now)
    _end(step, CANNOT_COME, now=now)
    if visit is not None:
        visits.cancel(visit, because=for_staff(journey, PATIENT_CANNOT_COME), now=now)
    return None


def _stop(journey: Journey, step: Step, words: str, *, now: datetime) -> Step | None:
    """It silences what was answered; where nothing was sent that it could mean, a person reads it."""
    sent = Attempt.objects.filter(patient=journey.patient_id, sent_at__isnull=False).exclude(channel=PHONE)
    last = sent.filter(task__step=step).order_by("-sent_at").first() or sent.order_by("-sent_at").first()
    if last is None:
        return _ask(journey, None, words or ASKS_TO_STOP, now=now)
    opt_out(last.patient.record_now, last, now=now, words=words)
    return None


def _ask(journey: Journey, about: Step | None, words: object, *, now: datetime) -> Step:
    """A person reads it within two working hours; the same words again open nothing new.

    `about` is the step whose end settles it, too; a question in her own words is settled by its answer alone.
    """
    patient = whose(journey)

    def title() -> str:
        return to_answer(str(words))

    with translation.override(journey.clinic.language):
        same = title()[:200]
    asked = Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE, title=same)
    there = asked.filter(journey__patient=patient, journey__clinic=journey.clinic_id).first()
    if there:
        return there
    where = journey
    if journey.status not in OPEN_JOURNEYS:  # a question after the end is a new reason to be with us
        about, where = None, journey_of_a_question(journey, now=now)
    due_at = soon(journey.clinic, READ_WITHIN, now=now)
    return add_step(where, AdHoc(StepKind.CALL, title, due_at, about=about), now=now)


@transaction.atomic
def ask_of(patient: Patient, words: str, *, now: datetime) -> Step:
    """A patient who writes first: her words are with a person, in a journey of their own."""
    journey = journey_of_its_own(patient, now=now)
    due_at = soon(patient.clinic, READ_WITHIN, now=now)
    asked = AdHoc(StepKind.CALL, lambda: to_answer(words), due_at)
    return add_step(journey, asked, now=now)


@transaction.atomic
def ask_once_more(reply: Reply, *, now: datetime) -> None:
    """Words that somebody has dealt with wait for a person again; those that still wait go on as they are."""
    about, patient = reply.matter or reply.step, reply.patient and reply.patient.record_now
    journey = lock_journey(about.journey_id) if about else None
    if patient is None or patient.status != PatientStatus.ACTIVE:
        return  # nobody asks the family of the dead for it
    if Step.objects.filter(asked_in=reply, status__in=WAITING).exists():
        return
    if journey and whose(journey) == patient:
        matter = _ask(journey, None, reply.body, now=now)
    else:
        matter = ask_of(patient, reply.body, now=now)
    Reply.objects.filter(pk=reply.pk).update(matter=matter)


def to_answer(words: str) -> str:
    """What the step asks for, in the reader's language."""
    return _("Answer: %(words)s") % {"words": isolated(as_read(words))}


def whose(journey: Journey) -> Patient | None:
    return journey.patient.record_now if journey.patient else None


def journey_of_its_own(patient: Patient, *, now: datetime) -> Journey:
    with translation.override(patient.clinic.language):
        title = _("A message from the patient")
    return Journey.objects.create(
        clinic_id=patient.clinic_id, patient=patient, title=title[:120], opened_at=now
    )


def journey_of_a_question(ended: Journey, *, now: datetime) -> Journey:
    return journey_after(ended, whose(ended), ended.name[:120], now=now)
