"""What the patient says back: on the page, by reply, or through the desk. Nothing is ever "invalid"."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from appointments import actions as visits
from appointments.actions import Visit
from appointments.models import Appointment, AppointmentStatus
from appointments.suggestions import VISIT_MINUTES, doctor_for
from journeys import deadlines
from journeys.actions import AdHoc, add_step, lock_journey
from journeys.models import OPEN_JOURNEYS, Journey, Step, StepKind, StepStatus
from outreach import followup
from outreach.actions import cancel_for_step, opt_out
from outreach.models import Attempt, Reply
from outreach.queries import visit_of
from patients.actions import RefusedError, StaleStateError

READ_WITHIN = deadlines.Limit(2, deadlines.Unit.WORKING_HOURS)
CONFIRM, ANOTHER_TIME, CANNOT_COME, ASK, STOP = "confirm", "another_time", "cannot_come", "ask", "stop"
BOOKABLE = {StepKind.BOOK, StepKind.RECALL, StepKind.CONFIRM}


@transaction.atomic
def answer(
    step: Step, meaning: str, *, now: datetime, channel: str, body: str = "", start: datetime | None = None
) -> Reply:
    """Record what the patient said about a step and let it act. The same answer again changes nothing further."""
    journey = lock_journey(step.journey_id)
    step.refresh_from_db()
    reply = _recorded(journey, step, meaning, now=now, channel=channel, body=body)
    visit = visit_of(journey.pk)
    match meaning:
        case "confirm":
            _confirm(step, visit, now=now)
        case "another_time":
            _another_time(journey, step, visit, start, now=now)
        case "cannot_come":
            _cannot_come(step, visit, now=now)
        case "stop":
            _stop(step, body, now=now)
        case _:
            _ask(journey, step, body, now=now)
    return reply


def _recorded(journey: Journey, step: Step, meaning: str, *, now: datetime, channel: str, body: str) -> Reply:
    last = Attempt.objects.filter(task__step=step, sent_at__isnull=False).order_by("-sent_at").first()
    return Reply.objects.create(
        clinic_id=journey.clinic_id,
        patient_id=journey.patient_id,
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
    if visit.confirmed_at is None and visit.status == AppointmentStatus.BOOKED:
        visits.confirm(visit, now=now)
    _end(step, "confirmed", now=now)


def _end(step: Step, outcome: str, *, now: datetime) -> None:
    """The step has its answer. A step that knows no such outcome, e.g. the visit itself, goes on."""
    cancel_for_step(step, now=now, outcome=outcome)
    allowed = step.template_step.outcomes if step.template_step else [outcome]
    if step.status == StepStatus.ACTIVE and outcome in allowed:
        followup.end_step(step, outcome, now=now)


def _another_time(
    journey: Journey, step: Step, visit: Appointment | None, start: datetime | None, *, now: datetime
) -> None:
    """A chosen time is booked at once, the present one kept until then; none chosen: a person calls."""
    if start is None:
        if "another_time" in (step.template_step.outcomes if step.template_step else []):
            _end(step, "another_time", now=now)
        else:
            _ask(journey, step, _("would like another time"), now=now)
        return
    if visit is not None and visit.start == start:
        return  # pressed twice
    if visit is not None and visit.status in {AppointmentStatus.BOOKED, AppointmentStatus.PENDING}:
        visits.move(visit, start=start, now=now, because=_("chosen by the patient"))
        visits.confirm(Appointment.objects.get(pk=visit.pk), now=now)
        _end(step, "confirmed", now=now)
        return
    if step.kind not in BOOKABLE or step.status != StepStatus.ACTIVE:
        raise StaleStateError(_("This was settled meanwhile; the page shows how it stands."))
    _book(journey, step, start, now=now)


def _book(journey: Journey, step: Step, start: datetime, *, now: datetime) -> None:
    doctor = doctor_for(journey)
    if doctor is None or journey.patient is None:
        raise RefusedError(_("Please call us to find a time."))
    visit = Visit(journey.patient, doctor, start, VISIT_MINUTES, journey.name)
    booked = visits.book_for_step(step, visit, now=now)
    visits.confirm(booked, now=now)
    cancel_for_step(step, now=now, outcome="booked")


def _cannot_come(step: Step, visit: Appointment | None, *, now: datetime) -> None:
    """Free the time for somebody else first; the visit step then opens the next booking."""
    if visit is not None:
        visits.cancel(visit, because=_("the patient cannot come"), now=now)
    step.refresh_from_db()
    _end(step, "cannot_come", now=now)


def _stop(step: Step, words: str, *, now: datetime) -> None:
    last = Attempt.objects.filter(task__step=step, sent_at__isnull=False).order_by("-sent_at").first()
    if last is not None:
        opt_out(last.patient, last, now=now, words=words)


def _ask(journey: Journey, step: Step, body: str, *, now: datetime) -> None:
    """A person reads it within two working hours; the same words again open nothing new."""
    name = journey.patient.full_name if journey.patient else ""
    title = _("Answer %(name)s: %(words)s") % {"name": name, "words": body}
    if journey.status not in OPEN_JOURNEYS:
        raise RefusedError(_("Please call us; the number is below."))
    again = journey.steps.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE, title=title[:200])
    if not again.exists():
        due_at = followup.soon(journey.clinic, READ_WITHIN, now=now)
        add_step(journey, AdHoc(StepKind.CALL, title, due_at, about=step), now=now)
