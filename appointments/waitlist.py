"""Every write about who waits: join, leave, and the answers to an offer. The first yes wins.

Whoever writes locks in the house's order: her journey, her visit, the cells; only then the offers of the others.
So of many who say yes at once one gets the cells, and nobody waits in a ring.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _, gettext_noop

from appointments import actions
from appointments.models import Appointment, AppointmentStatus, Practitioner, VisitType
from appointments.ties import give_journey
from appointments.visits import SlotTakenError, Visit, free_up
from appointments.waiting_models import (
    LIVE_ENTRIES,
    Offer,
    OfferStatus,
    Opening,
    OpeningStatus,
    WaitlistEntry,
    WaitStatus,
)
from journeys import deadlines
from journeys.actions import AdHoc, add_step, complete_step, lock_journey
from journeys.clinic_time import refuse_without_hours, soon
from journeys.models import OPEN_JOURNEYS, Journey, Step, StepKind, StepStatus
from patients.actions import RefusedError, StaleStateError, lock_patient, refuse_unless_active
from patients.models import Patient

DATE_WITHIN = deadlines.Limit(5, deadlines.Unit.WORKING_DAYS)  # for one who waits with no visit at all
NOT_THIS_TIME = "not_this_time"  # the outcome of an offer's step
TAKES_YES = (OfferStatus.OPEN, OfferStatus.EXPIRED, OfferStatus.DECLINED)  # late, or after a change of mind


class OfferTakenError(RefusedError):
    """Somebody said yes first, the time was booked otherwise, or it has begun. She loses nothing by it."""

    def __init__(self, *, keeps_date: bool) -> None:
        super().__init__(
            _("This time has just been taken. You keep your date, and your place on the list.")
            if keeps_date
            else _("This time has just been taken. You keep your place on the list.")
        )


@dataclass(frozen=True)
class Wanted:
    """What one who joins would take; no practitioner means any."""

    minutes: int
    practitioner: Practitioner | None = None
    earliest_on: date | None = None
    latest_on: date | None = None
    visit_type: VisitType | None = None  # of a first visit; who has one waits for its type


@transaction.atomic
def wait_for_sooner(
    visit: Appointment, wanted: Wanted, *, now: datetime, by: User | None = None
) -> WaitlistEntry:
    """Wait for an earlier day than the booked one, which is kept. `by` None: the patient herself asks.

    Who asked not to be offered anything sooner is put back only at her own word. Joining twice is no error.
    """
    if visit.status != AppointmentStatus.BOOKED or visit.start <= now:
        raise RefusedError(_("Only a booked visit that is still to come can become sooner."))
    if by and WaitlistEntry.objects.filter(appointment=visit, wants_no_more=True).exists():
        raise RefusedError(_("The patient asked not to be offered anything sooner for this visit."))
    journey = give_journey(visit, now=now, by=by)
    if journey is None:
        raise StaleStateError(_("This visit was changed by somebody else meanwhile."))
    if by is None:
        WaitlistEntry.objects.filter(appointment=visit, wants_no_more=True).update(wants_no_more=False)
    return _join(WaitlistEntry(appointment=visit, journey=journey), wanted, now=now, by=by)


@transaction.atomic
def wait_for_any(
    patient: Patient, step: Step | None, wanted: Wanted, *, now: datetime, by: User | None = None
) -> WaitlistEntry:
    """Wait for a first date. Without a step that asks for one, a step of the reception is opened: its clock.

    Joining twice is no error: the patient's lock makes the second press find what the first one made.
    """
    if step is None:
        lock_patient(patient.pk)
        before = WaitlistEntry.objects.filter(
            patient=patient,
            appointment__isnull=True,
            step__template_step__isnull=True,
            journey__template__isnull=True,
            status__in=LIVE_ENTRIES,
        ).first()
        if before:
            return before
        refuse_without_hours(patient.clinic, now=now)
        refuse_unless_active(patient.pk)
        journey = Journey.objects.create(clinic_id=patient.clinic_id, patient=patient, opened_at=now)
        due_at = soon(patient.clinic, DATE_WITHIN, now=now)
        step = add_step(
            journey, AdHoc(StepKind.BOOK, _("Find a date; on the waiting list"), due_at), now=now, by=by
        )
    elif step.status != StepStatus.ACTIVE or step.kind not in {StepKind.BOOK, StepKind.RECALL}:
        raise RefusedError(_("This step does not ask for a visit any more."))
    return _join(WaitlistEntry(step=step, journey_id=step.journey_id), wanted, now=now, by=by)


def _join(entry: WaitlistEntry, wanted: Wanted, *, now: datetime, by: User | None) -> WaitlistEntry:
    about = {"appointment": entry.appointment_id} if entry.appointment_id else {"step": entry.step_id}
    journey = Journey.objects.get(pk=entry.journey_id)
    refuse_unless_active(journey.patient_id or 0)
    entry.clinic_id, entry.patient_id = journey.clinic_id, journey.patient_id or 0
    entry.minutes, entry.practitioner = wanted.minutes, wanted.practitioner
    entry.visit_type = entry.appointment.visit_type if entry.appointment else wanted.visit_type
    entry.earliest_on, entry.latest_on = wanted.earliest_on, wanted.latest_on
    entry.since_at, entry.made_by = now, by
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError:
        return WaitlistEntry.objects.get(**about, status__in=LIVE_ENTRIES)
    return entry


@transaction.atomic
def leave(entry: WaitlistEntry, *, now: datetime, no_more: bool = False) -> None:
    """Off the list; with `no_more` nothing sooner is offered for this visit again. Leaving twice is no error."""
    lock_journey(entry.journey_id)
    end_entry(entry, WaitStatus.WITHDRAWN, now=now)
    if no_more:
        left = WaitlistEntry.objects.filter(pk=entry.pk, status=WaitStatus.WITHDRAWN)
        left.update(wants_no_more=True)


def end_entry(entry: WaitlistEntry, status: WaitStatus, *, now: datetime, **fields: object) -> bool:
    """Take a live entry off the list, with the offer it may have. Inside atomic()."""
    live = WaitlistEntry.objects.filter(pk=entry.pk, status__in=LIVE_ENTRIES)
    if not live.update(status=status, ended_at=now, **fields):
        return False
    Offer.objects.filter(entry=entry, status=OfferStatus.OPEN).update(
        status=OfferStatus.WITHDRAWN, ended_at=now
    )
    return True


def end_offer(offer: Offer, status: OfferStatus, *, now: datetime) -> bool:
    """Close an open offer; she waits on in her place. Inside atomic()."""
    if not Offer.objects.filter(pk=offer.pk, status=OfferStatus.OPEN).update(status=status, ended_at=now):
        return False
    WaitlistEntry.objects.filter(pk=offer.entry_id, status=WaitStatus.OFFERED).update(
        status=WaitStatus.WAITING
    )
    return True


@transaction.atomic
def decline(offer: Offer, *, now: datetime, by: User | None = None, no_more: bool = False) -> None:
    """No: she stays on the list, and this time is not offered to her again. Saying it twice is no error."""
    lock_journey(offer.entry.journey_id)
    end_offer(offer, OfferStatus.DECLINED, now=now)
    if no_more:
        leave(offer.entry, now=now, no_more=True)
    settle_step(offer, now=now, by=by)


def accept(offer: Offer, *, now: datetime, by: User | None = None) -> Appointment:
    """Yes: the visit is hers if she is the first. Saying it twice is no error; too late, she keeps what she has."""
    try:
        return _accept(offer, now=now, by=by)
    except (SlotTakenError, OfferTakenError) as late:
        with transaction.atomic():
            lock_journey(offer.entry.journey_id)
            end_offer(offer, OfferStatus.TAKEN, now=now)
            settle_step(offer, now=now, by=by)
        raise OfferTakenError(keeps_date=offer.entry.appointment_id is not None) from late


@transaction.atomic
def _accept(offer: Offer, *, now: datetime, by: User | None) -> Appointment:
    lock_journey(offer.entry.journey_id)
    offer = Offer.objects.select_related("opening__practitioner__clinic", "step").get(pk=offer.pk)
    entry = WaitlistEntry.objects.select_related("journey", "patient__clinic", "step", "visit_type").get(
        pk=offer.entry_id
    )
    if offer.status == OfferStatus.ACCEPTED:
        return Appointment.objects.get(waiting_entries=entry)
    if offer.status not in TAKES_YES or offer.opening.status == OpeningStatus.TAKEN or offer.start <= now:
        raise OfferTakenError(keeps_date=entry.appointment_id is not None)
    if not entry.is_live:
        raise StaleStateError(_("This was settled meanwhile; the page shows how it stands."))
    visit = _placed(entry, offer, now=now, by=by)
    actions.confirm(visit, now=now, by=by)
    _win(offer, entry, visit, now=now)
    settle_step(offer, now=now, by=by)
    return visit


def _placed(entry: WaitlistEntry, offer: Offer, *, now: datetime, by: User | None) -> Appointment:
    """Her visit moves there, and what she had becomes free; or the first one is booked, as its step asks."""
    doctor = offer.opening.practitioner
    if entry.appointment_id:
        kept = Appointment.objects.select_related("practitioner__clinic", "patient", "step").get(
            pk=entry.appointment_id
        )
        actions.move(
            kept,
            start=offer.start,
            practitioner=doctor,
            now=now,
            by=by,
            because=gettext_noop("from the waiting list"),
        )
        return kept
    if entry.step is None:
        raise StaleStateError(_("This was settled meanwhile; the page shows how it stands."))
    visit = Visit(entry.patient, doctor, offer.start, entry.minutes, entry.journey.name, entry.visit_type)
    return actions.book_for_step(entry.step, visit, now=now, by=by)


def _win(offer: Offer, entry: WaitlistEntry, visit: Appointment, *, now: datetime) -> None:
    """The cells are ours by now, so nobody else gets here: the other offers of this time end."""
    opening = offer.opening
    Offer.objects.filter(pk=offer.pk).update(status=OfferStatus.ACCEPTED, ended_at=now)
    end_entry(entry, WaitStatus.PLACED, now=now, appointment=visit)
    Opening.objects.filter(pk=opening.pk).update(status=OpeningStatus.TAKEN, wave_from=None)
    others = Offer.objects.filter(opening=opening, status=OfferStatus.OPEN)
    losers = list(others.values_list("entry_id", flat=True))
    others.update(status=OfferStatus.TAKEN, ended_at=now)
    WaitlistEntry.objects.filter(pk__in=losers, status=WaitStatus.OFFERED).update(status=WaitStatus.WAITING)
    if not opening.by_hand:  # what a shorter visit leaves of it
        for start, end in ((opening.start, visit.start), (visit.end, opening.end)):
            if start < end:
                free_up(opening.practitioner, start, end, now=now, kind=opening.visit_type_id)


def settle_step(offer: Offer, *, now: datetime, by: User | None = None) -> None:
    """End the step of an offer that has ended, so that nothing more is sent about it. Under the journey's lock."""
    ended = Offer.objects.select_related("step__journey", "step__template_step").get(pk=offer.pk)
    if ended.status == OfferStatus.OPEN or ended.is_settled:
        return
    if ended.step.status == StepStatus.ACTIVE and ended.step.journey.status in OPEN_JOURNEYS:
        # A no to one time is no refusal of care, which would need the patient's own words.
        outcome = NOT_THIS_TIME if ended.status == OfferStatus.DECLINED else ended.status
        complete_step(ended.step, outcome, now=now, by=by)
    Offer.objects.filter(pk=offer.pk).update(is_settled=True)


def minutes_of(visit: Appointment) -> int:
    return (visit.end - visit.start) // timedelta(minutes=1)
