"""Booking from Today: for whatever a row is about, one press keeps the held time or takes another one."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from appointments.actions import Visit, book_for_step, confirm, move
from appointments.models import Appointment
from appointments.queries import MOVABLE
from appointments.suggestions import VISIT_MINUTES, doctor_for
from journeys.actions import complete_step
from journeys.models import Step, StepKind, StepStatus
from outreach import followup
from outreach.calls import record_outcome
from outreach.channels.phone import CallOutcome
from outreach.models import Attempt
from outreach.queries import visit_of
from patients.actions import RefusedError

ASKS_FOR_A_DATE = {StepKind.BOOK, StepKind.RECALL, StepKind.CALL, StepKind.PROMISE}
ABOUT_A_VISIT = {
    StepKind.CONFIRM,
    StepKind.VISIT,
    StepKind.TELL,
    StepKind.AWAIT_RESULT,
    StepKind.AWAIT_PATIENT,
}


def can_book(step: Step, visit: Appointment | None, *, now: datetime) -> bool:
    if step.kind in ASKS_FOR_A_DATE:
        return True
    return step.kind in ABOUT_A_VISIT and visit is not None and can_keep(step, visit, now=now)


def can_keep(step: Step, visit: Appointment | None, *, now: datetime) -> bool:
    """A time is kept that this step can be settled with. A BOOK step asks for a new one."""
    is_live = visit is not None and visit.status in MOVABLE and visit.start > now
    return is_live and step.kind not in {StepKind.BOOK, StepKind.RECALL}


@transaction.atomic
def book_from_today(
    step: Step, start: datetime | None, *, call: Attempt | None, now: datetime, by: User
) -> Appointment:
    """Keep the held time (`start` empty) or take `start`; ends the step, what it was about, and the call."""
    target = followup.concerned(step)[-1]
    visit = visit_of(step.journey_id)
    if start is None or target.kind in ABOUT_A_VISIT:
        visit = _settle(target, visit, start, now=now, by=by)
    else:
        visit = _book(target, visit, start, now=now, by=by)
    if call:
        record_outcome(call, CallOutcome.BOOKED, now=now, by=by)
    elif target.pk != step.pk and Step.objects.filter(pk=step.pk, status=StepStatus.ACTIVE).exists():
        complete_step(step, CallOutcome.BOOKED, now=now, by=by)
    return visit


def _settle(
    step: Step, visit: Appointment | None, start: datetime | None, *, now: datetime, by: User
) -> Appointment:
    """The step is about a visit there is: it is moved if need be, and the patient has said yes to it."""
    if visit is None or visit.status not in MOVABLE:
        raise RefusedError(_("No visit is kept. Choose its time first; then this call ends by itself."))
    if start is not None and start != visit.start:
        move(visit, start=start, now=now, by=by)
    confirm(visit, now=now, by=by)
    if step.kind == StepKind.CONFIRM:
        complete_step(step, CallOutcome.CONFIRMED, now=now, by=by)
    elif step.kind not in ABOUT_A_VISIT or step.kind == StepKind.TELL:
        followup.end_step(step, followup.spoken_outcome(step) or followup.TOLD, now=now, by=by)
    return visit


def _book(step: Step, visit: Appointment | None, start: datetime, *, now: datetime, by: User) -> Appointment:
    patient = step.journey.patient
    doctor = visit.practitioner if visit else doctor_for(step.journey)
    if patient is None or doctor is None:
        raise RefusedError(_("There is nobody to book for, or no doctor to book with."))
    minutes = int((visit.end - visit.start).total_seconds() // 60) if visit else VISIT_MINUTES
    wanted = Visit(patient, doctor, start, minutes, step.journey.name)
    if step.kind == StepKind.CALL and step.template_step_id:
        opened = complete_step(step, followup.SPOKEN, now=now, by=by)
        asked = next((each for each in opened if each.kind == StepKind.BOOK), None)
        if asked is None:
            raise RefusedError(_("Nothing is to be booked after this call."))
        step = asked
    return book_for_step(step, wanted, now=now, by=by)
