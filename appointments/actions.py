"""Every write about visits: hold, book, move, settle, cancel, and what happens on the day.

No look beforehand is trusted: a visit takes its cells, and the database refuses a second taker. Whoever
writes locks in one order, the journey, the appointment, the cells, so that nobody waits in a ring.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _, gettext_noop

from appointments import queries
from appointments.attendance import arrive, fulfil, no_show
from appointments.cells import fill_slots
from appointments.models import (
    Appointment,
    AppointmentStatus,
    Practitioner,
)
from appointments.ties import (
    BOOKED,
    CANCELLED,
    change,
    end_step,
    give_journey,
    link,
    lock_journey_of,
    open_step_of,
    record,
    stop_telling,
)
from appointments.visits import (
    SlotTakenError,
    Visit,
    give_back,
    insert,
    leave_open,
    refuse_nonsense,
    take_or_refuse,
    taken,
    visit_of,
)
from journeys.actions import (
    complete_step,
    lock_journey,
    move_deadline,
)
from journeys.clinic_time import refuse_without_hours
from journeys.models import (
    Step,
    StepKind,
    StepStatus,
)
from patients.actions import RefusedError, StaleStateError, refuse_unless_active
from patients.models import PatientStatus

__all__ = [
    "SlotTakenError",
    "Visit",
    "arrive",
    "book",
    "book_alone",
    "book_for_step",
    "cancel",
    "confirm",
    "confirm_by",
    "fill_slots",
    "fulfil",
    "hold",
    "move",
    "no_show",
    "note_why_held",
    "relocate",
    "repoint",
    "settle",
]

ABOVE_SHARE = "above_share"
CONFIRM_LEAD = timedelta(hours=2)
MOVED, CONFIRMED = "moved", "confirmed"  # events beside the status words
HOLD_LEAD = timedelta(hours=24)  # a visit that still waits for its result is looked at this long before


def hold(
    visit: Visit,
    *,
    awaits: Step | None,
    until: datetime,
    now: datetime,
    by: User | None = None,
    request_key: str | None = None,
) -> Appointment:
    """Keep a time for a visit that is not certain yet, until what it awaits is settled or `until` comes."""
    if until <= now:
        raise RefusedError(_("Choose an end of the hold that is still to come."))
    held = Appointment(
        status=AppointmentStatus.PENDING,
        awaits=awaits,
        hold_until=until,
        made_at=now,
        made_by=by,
        request_key=request_key,
    )
    return _make(visit, held)


def book(
    visit: Visit, *, now: datetime, by: User | None = None, request_key: str | None = None
) -> Appointment:
    booked = Appointment(status=AppointmentStatus.BOOKED, made_at=now, made_by=by, request_key=request_key)
    return _make(visit, booked)


@transaction.atomic
def book_alone(
    visit: Visit, *, now: datetime, by: User | None = None, request_key: str | None = None
) -> Appointment:
    """Book a visit that no journey asks for; it gets one of its own, so that it is reminded of and rebooked."""
    refuse_without_hours(visit.patient.clinic, now=now)
    booked = book(visit, now=now, by=by, request_key=request_key)
    if booked.step_id is None:
        give_journey(booked, now=now, by=by)
    return booked


def _make(visit: Visit, new: Appointment) -> Appointment:
    """Take the time or say who has it. The same request again finds what it made the first time."""
    refuse_nonsense(visit, now=new.made_at)
    new.clinic_id = visit.patient.clinic_id
    new.patient, new.practitioner, new.title = visit.patient, visit.practitioner, visit.title[:120]
    new.visit_type = visit.visit_type
    new.start, new.end = visit.start, visit.end
    try:
        if new.awaits_id is None:
            insert(new)
        else:
            with transaction.atomic():
                _lock_awaited(new.awaits_id)
                insert(new)
    except IntegrityError as clash:
        before = (
            new.request_key
            and Appointment.objects.filter(clinic_id=new.clinic_id, request_key=new.request_key).first()
        )
        if before:
            return before
        raise taken(visit) from clash
    return new


def _lock_awaited(step_id: int) -> None:
    """A step that ends this moment must not leave behind a hold nobody settles."""
    waiting = Step.objects.select_for_update(no_key=True).filter(
        pk=step_id, status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD]
    )
    if not waiting.values_list("pk", flat=True).first():
        raise StaleStateError(_("What this visit should wait for has ended meanwhile."))


def note_why_held(appointment: Appointment, because: str, *, now: datetime, by: User | None) -> None:
    """Why this visit is held although a quarter of the doctor's week is held already."""
    record(appointment, ABOVE_SHARE, now=now, by=by, detail=because)


@transaction.atomic
def book_for_step(step: Step, visit: Visit, *, now: datetime, by: User | None = None) -> Appointment:
    """Book what a step asks for, or move the visit there is; the step ends “booked”, a VISIT step is linked.

    A step that something else ends (`ends_with`), as one to check an address, stays open.
    While the journey still waits for a result, a step outside the template makes a hold again.
    """
    journey = lock_journey(step.journey_id)
    is_ad_hoc = step.template_step_id is None
    awaited = queries.waited_for_in(journey) if is_ad_hoc else None
    appointment = queries.live_appointment_for(step)
    if appointment:
        _relocate(appointment, visit, now=now, by=by)
    elif awaited:
        until = _hold_until(visit.start, HOLD_LEAD, now=now)
        appointment = hold(visit, awaits=awaited, until=until, now=now, by=by)
    else:
        appointment = book(visit, now=now, by=by)
    if is_ad_hoc:  # its end opens nothing and may end the journey, so the VISIT step comes first
        link(appointment, journey, (), now=now, by=by)
    opened = () if step.ends_with else complete_step(step, BOOKED, now=now, by=by)
    if not is_ad_hoc:
        link(appointment, journey, opened, now=now, by=by)
    return appointment


@transaction.atomic
def settle(
    awaits: Step, opened: Sequence[Step], *, keep: bool, now: datetime, by: User | None = None
) -> list[Appointment]:
    """What held visits waited for has ended: each becomes booked, with its VISIT step, or is released."""
    journey = lock_journey(awaits.journey_id)
    held = Appointment.objects.filter(awaits=awaits, status=AppointmentStatus.PENDING).order_by("pk")
    fresh = [queries.locked(pk) for pk in held.values_list("pk", flat=True)]
    settled = [appointment for appointment in fresh if appointment.status == AppointmentStatus.PENDING]
    unlinked = list(opened)
    if keep and settled:  # the record may have been closed by hand
        keep = all(each.patient.status == PatientStatus.ACTIVE for each in settled)
    for appointment in settled:
        if not keep:
            cancel(appointment, because=gettext_noop("not needed after all"), now=now, by=by)
            continue
        change(appointment, AppointmentStatus.BOOKED, now=now, by=by, hold_until=None)
        link(appointment, journey, unlinked, now=now, by=by)
        unlinked = [step for step in unlinked if step.pk != appointment.step_id]
        for step in opened:
            by_then = confirm_by(step, appointment, now=now)
            if step.kind == StepKind.CONFIRM and step.due_at != by_then:
                move_deadline(step, by_then, now=now, by=by)
    return settled


def confirm_by(step: Step, visit: Appointment, *, now: datetime) -> datetime:
    """By when a visit is confirmed: two hours before it at the latest, and of a nearer one at half-way."""
    latest = max(visit.start - CONFIRM_LEAD, now + (visit.start - now) / 2)
    return min(step.due_at or latest, latest)


def repoint(awaits: Step, to: Step, *, now: datetime) -> int:
    """Visits that waited for the result now wait for its review; that it has come says more than what was kept."""
    stop_telling(awaits.pk, now=now)
    held = Appointment.objects.filter(awaits=awaits, status=AppointmentStatus.PENDING)
    return held.update(awaits=to)


def move(
    appointment: Appointment,
    *,
    start: datetime,
    practitioner: Practitioner | None = None,
    now: datetime,
    by: User | None = None,
    because: str = "",
) -> None:
    """Give a visit another time; a hold's end moves along, and the patient has to confirm anew."""
    visit = replace(visit_of(appointment), start=start)
    if practitioner:
        visit = replace(visit, practitioner=practitioner)
    relocate(appointment, visit, now=now, by=by, because=because)


@transaction.atomic
def relocate(
    appointment: Appointment, visit: Visit, *, now: datetime, by: User | None = None, because: str = ""
) -> None:
    """Move a visit as `move` does, or make it longer or shorter; who was asked to move it has done so."""
    lock_journey_of(appointment)
    _relocate(appointment, visit, now=now, by=by, because=because)
    about = appointment.step_id or appointment.awaits_id
    for asked in queries.steps_to_move(about) if about else ():
        complete_step(asked, BOOKED, now=now, by=by)


def _relocate(
    appointment: Appointment, visit: Visit, *, now: datetime, by: User | None, because: str = ""
) -> None:
    refuse_nonsense(visit, now=now)
    refuse_unless_active(visit.patient.pk)
    until = appointment.hold_until
    if until:
        until = _hold_until(visit.start, appointment.start - until, now=now)
    new = {"practitioner": visit.practitioner, "start": visit.start, "end": visit.end}
    new |= {"visit_type": visit.visit_type} if visit.visit_type else {}
    new |= {"hold_until": until, "confirmed_at": None}
    seen = {"pk": appointment.pk, "status": appointment.status, "start": appointment.start}
    unmoved = Appointment.objects.filter(**seen, practitioner=appointment.practitioner_id)
    if appointment.status not in queries.MOVABLE or not unmoved.update(**new):
        raise StaleStateError(_("This visit was changed by somebody else meanwhile."))
    take_or_refuse(appointment, visit)
    leave_open(appointment, now=now)
    detail = f"{appointment.start:%F %R} -> {visit.start:%F %R} UTC {because}".strip()
    for name, value in new.items():
        setattr(appointment, name, value)
    record(appointment, MOVED, now=now, by=by, detail=detail)
    step = open_step_of(appointment)
    if step:
        move_deadline(step, visit.end, now=now, by=by)


def _hold_until(start: datetime, lead: timedelta, *, now: datetime) -> datetime:
    """So long before the visit as was said; for one too near for that, until it begins."""
    until = start - max(lead, timedelta(0))
    return until if until > now else max(start, now + timedelta(minutes=1))


@transaction.atomic
def cancel(appointment: Appointment, *, because: str, now: datetime, by: User | None = None) -> None:
    """Give the time back; a booked visit's step ends “cancelled”, and its journey asks for another date."""
    journey = give_journey(appointment, now=now, by=by)
    change(appointment, AppointmentStatus.CANCELLED, now=now, by=by, ended_because=because[:200])
    give_back(appointment)
    leave_open(appointment, now=now)
    stop_telling(appointment.awaits_id, now=now, by=by)
    end_step(appointment, journey, CANCELLED, now=now, by=by)


@transaction.atomic
def confirm(appointment: Appointment, *, now: datetime, by: User | None = None) -> None:
    """The patient says yes to the time she saw. Saying it twice is no error."""
    seen = Appointment.objects.filter(pk=appointment.pk, start=appointment.start, status__in=queries.MOVABLE)
    if seen.filter(confirmed_at__isnull=True).update(confirmed_at=now):
        appointment.confirmed_at = now
        record(appointment, CONFIRMED, now=now, by=by)
    elif not seen.exists():
        raise StaleStateError(_("This visit was changed by somebody else meanwhile."))
