"""How a visit and its journey hold together: the step that ends with the visit, and every change of its state.

Inside atomic() all of it, and under the journey's lock where there is a journey.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from appointments import queries
from appointments.models import APPOINTMENT_MOVES, Appointment, AppointmentEvent, AppointmentStatus
from journeys import deadlines
from journeys.actions import (
    ATTENDED,
    AdHoc,
    NewJourney,
    add_step,
    cancel_steps,
    complete_step,
    go_on,
    journey_after,
    lock_journey,
    move_deadline,
)
from journeys.clinic_time import soon
from journeys.models import (
    OPEN_JOURNEYS,
    Journey,
    JourneyTemplate,
    Step,
    StepKind,
    StepStatus,
    TemplateStatus,
    Words,
)
from patients.actions import StaleStateError

BOOKED, CANCELLED, NO_SHOW = "booked", "cancelled", "no_show"  # outcomes of steps, as templates name them
ONE_VISIT = "single_visit"  # the journey of a visit that no other journey asks for
HELD_FIRST = (
    "held_first"  # the message of a time that is kept until something has come and the doctor has decided
)
TELL_WITHIN = deadlines.Limit(1, deadlines.Unit.WORKING_DAYS)
REBOOK_WITHIN = deadlines.Limit(1, deadlines.Unit.WORKING_DAYS)


def give_journey(appointment: Appointment, *, now: datetime, by: User | None) -> Journey | None:
    """The visit's journey, locked. One that is certain and has none is given one; a hold is not.

    It is under way, so nothing is refused for want of opening hours: a visit can always be cancelled.
    """
    if appointment.step:
        return lock_journey(appointment.step.journey_id)
    if appointment.status not in {AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED}:
        return None
    _refuse_if_given(appointment)
    opened: Sequence[Step] = ()
    patient, title, doctor = appointment.patient, appointment.title, appointment.practitioner.user
    if JourneyTemplate.objects.filter(key=ONE_VISIT, status=TemplateStatus.ACTIVE).exists():
        journey = go_on(patient, NewJourney(ONE_VISIT, title=title, doctor=doctor), now=now, by=by)
        asked = queries.book_step_of(journey)
        opened = complete_step(asked, BOOKED, now=now, by=by) if asked else ()
    else:
        journey = Journey.objects.create(
            clinic_id=appointment.clinic_id, patient=patient, title=title, doctor=doctor, opened_at=now
        )
    link(appointment, journey, opened, now=now, by=by)
    return journey


def _refuse_if_given(appointment: Appointment) -> None:
    """Two at once may give a visit its journey; who waits here for the other starts none that nothing would end."""
    current = Appointment.objects.select_for_update(no_key=True).filter(pk=appointment.pk)
    if current.values_list("step_id", flat=True).first() is not None:
        raise StaleStateError(_("This visit was changed by somebody else meanwhile."))


def lock_journey_of(appointment: Appointment) -> Journey | None:
    return lock_journey(appointment.step.journey_id) if appointment.step else None


def open_step_of(appointment: Appointment) -> Step | None:
    """The VISIT step, unless somebody has ended it already. Read under the journey's lock."""
    if appointment.step_id is None:
        return None
    steps = Step.objects.filter(pk=appointment.step_id, status=StepStatus.ACTIVE)
    return steps.select_related("template_step").first()


def link(
    appointment: Appointment, journey: Journey, opened: Sequence[Step], *, now: datetime, by: User | None
) -> None:
    """Tie a booked visit to the step that ends when it takes place; a visit in a journey is never without."""
    if appointment.status == AppointmentStatus.PENDING or appointment.step_id:
        return
    step = next((step for step in opened if step.kind == StepKind.VISIT), None)
    step = step or queries.visit_step_without_visit(journey)
    if step:
        move_deadline(step, appointment.end, now=now, by=by)
    else:
        new = AdHoc(StepKind.VISIT, appointment.title, appointment.end)
        step = add_step(journey, new, now=now, by=by)
    Appointment.objects.filter(pk=appointment.pk).update(step=step)
    appointment.step = step


def end_step(
    appointment: Appointment, journey: Journey | None, outcome: str, *, now: datetime, by: User | None
) -> None:
    step = open_step_of(appointment)
    if not step or not journey:
        return
    if step.template_step_id is None and outcome != ATTENDED:  # no routing would ask for another date
        ask_to_book(journey, now=now, by=by)
    complete_step(step, outcome, now=now, by=by)


def ask_to_book(journey: Journey, *, now: datetime, by: User | None = None) -> None:
    """A BOOK step for the desk, unless one is open: a journey is never without a next date."""
    if queries.book_step_of(journey) or journey.status not in OPEN_JOURNEYS:
        return
    due_at = soon(journey.clinic, REBOOK_WITHIN, now=now)
    add_step(
        journey,
        AdHoc(StepKind.BOOK, lambda: _("Find a new date"), due_at, message_key="next_step"),
        now=now,
        by=by,
    )


def change(
    appointment: Appointment, to: AppointmentStatus, *, now: datetime, by: User | None, **written: Any
) -> None:
    """The one conditional update of a status: from the state the caller saw, if that may become `to`."""
    moved = to in APPOINTMENT_MOVES[appointment.status] and (
        Appointment.objects.filter(pk=appointment.pk, status=appointment.status).update(status=to, **written)
    )
    if not moved:
        raise StaleStateError(_("This visit was changed by somebody else meanwhile."))
    for name, value in {"status": to, **written}.items():
        setattr(appointment, name, value)
    record(appointment, to, now=now, by=by, detail=written.get("ended_because", ""))


def record(appointment: Appointment, what: str, *, now: datetime, by: User | None, detail: str = "") -> None:
    AppointmentEvent.objects.create(appointment=appointment, what=what, at=now, by=by, detail=detail[:300])


def stop_telling(awaits: int | None, *, now: datetime, by: User | None = None) -> None:
    """What was to be said of a time that is kept for this step is not true any more, or is said otherwise."""
    if awaits is None:
        return
    untold = Step.objects.filter(
        journey__steps=awaits, message_key=HELD_FIRST, kind=StepKind.TELL, status=StepStatus.ACTIVE
    )
    cancel_steps(list(untold), now=now, by=by, detail="not_needed")


def tell_apart(
    journey_id: int, title: Words, message_key: str, *, now: datetime, by: User | None = None
) -> Step:
    """The patient hears that something is off. Where its journey has ended, the telling is a short one of its own."""
    journey = Journey.objects.select_related("clinic", "patient").get(pk=journey_id)
    if journey.status not in OPEN_JOURNEYS:
        journey = journey_after(journey, journey.patient, journey.title, now=now)
    due_at = soon(journey.clinic, TELL_WITHIN, now=now)
    told = AdHoc(StepKind.TELL, title, due_at, message_key=message_key)
    return add_step(journey, told, now=now, by=by)
