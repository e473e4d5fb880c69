"""Freed times, offered in waves to those who wait; run by a tick, and by hand from the desk.

The row is the event: whoever frees a time writes an Opening, and this tick finds it. What has changed since,
a time booked otherwise, an answer that never came, a visit that ended, is seen from the rows each time.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _, gettext_lazy

from appointments import waiting, waitlist
from appointments.models import AppointmentStatus, Practitioner
from appointments.visits import spoken
from appointments.waiting_models import (
    LIVE_ENTRIES,
    Offer,
    OfferStatus,
    Opening,
    OpeningStatus,
    WaitlistEntry,
    WaitStatus,
)
from appointments.waves import NEAREST, WAVE, wave_waits
from journeys import deadlines
from journeys.actions import AdHoc, add_step, lock_journey
from journeys.claims import Alarm, batches
from journeys.clinic_time import soon
from journeys.models import OwnerRole, StepKind, StepStatus
from patients.actions import RefusedError
from patients.models import HoursKind
from patients.queries import clock_of

logger = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=15)
RETRY = timedelta(hours=1)
SHORTEST = timedelta(minutes=1)
TO_ANSWER = timedelta(minutes=10)  # at least
ONE = 1  # a transaction holds one opening
ANSWER_WITHIN = deadlines.Limit(1, deadlines.Unit.WORKING_DAYS)  # then she may be offered something else
GRACE = timedelta(minutes=10)  # for the tick to end an offer before its step counts as late
SOONER, FREE = "sooner_time", "free_time"  # messages: to one who keeps a date, to one who has none
OFFER_TITLE = gettext_lazy("Offer %(time)s with %(doctor)s")

NEXT_WAVE = Alarm(
    model=Opening, column="wave_from", armed="status = 'open'", takes={"wave_from": "wave_from"}
)


def offer_openings(*, now: datetime, lasts: timedelta = INTERVAL) -> int:
    """End what is over, then ask the next wave about each time that is still free. Returns how many were asked."""
    _each(list(_entries_over(now=now)), _end_entry, now=now)
    _each(_offers_over(now=now), _end_offer, now=now)
    asked = 0
    for rows in batches(NEXT_WAVE, now=now, limit=ONE, lasts=lasts):
        asked += sum(_ask_or_wait(pk, now=now) for (pk,) in rows)
    return asked


def _each(rows: Iterable[WaitlistEntry | Offer], act: Callable[..., None], *, now: datetime) -> None:
    """Each in a transaction of its own; one that fails stops no other and is tried again by the next tick."""
    for row in rows:
        try:
            with transaction.atomic():
                act(row, now=now)
        except Exception:
            logger.exception("%s %s could not be ended.", type(row).__name__, row.pk)


def _entries_over(*, now: datetime) -> QuerySet[WaitlistEntry]:
    """Her visit has ended or begun, her step has ended, or the last day she named is over."""
    visit_over = Q(appointment__isnull=False) & (
        ~Q(appointment__status=AppointmentStatus.BOOKED) | Q(appointment__start__lte=now)
    )
    step_over = Q(appointment__isnull=True) & ~Q(step__status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD])
    too_late = Q(latest_on__lt=(now - timedelta(hours=14)).date())  # over in every zone
    live = WaitlistEntry.objects.filter(status__in=LIVE_ENTRIES)
    return live.filter(visit_over | step_over | too_late).select_related("step")


def _end_entry(entry: WaitlistEntry, *, now: datetime) -> None:
    lock_journey(entry.journey_id)
    got_one = entry.appointment_id is None and entry.step is not None and entry.step.outcome == "booked"
    waitlist.end_entry(entry, WaitStatus.PLACED if got_one else WaitStatus.EXPIRED, now=now)


def _offers_over(*, now: datetime) -> list[Offer]:
    """Of those whose step still runs, a set that the people under way bound, the ones with nothing to wait for."""
    unsettled = Offer.objects.filter(is_settled=False).select_related("step", "entry", "opening")
    looked_at = waiting.marked_taken(unsettled)
    return [
        offer
        for offer in looked_at
        if offer.status != OfferStatus.OPEN or _ends_as(offer, now=now) is not None
    ]


def _end_offer(offer: Offer, *, now: datetime) -> None:
    lock_journey(offer.entry.journey_id)
    offer.refresh_from_db(fields=["status"])
    offer.step.refresh_from_db(fields=["status", "outcome"])
    ends_as = _ends_as(offer, now=now) if offer.status == OfferStatus.OPEN else None
    if ends_as:
        waitlist.end_offer(offer, ends_as, now=now)
    waitlist.settle_step(offer, now=now)


def _ends_as(offer: Offer, *, now: datetime) -> OfferStatus | None:
    """Only the patient or a person says no; a step that ended in another way has no answer."""
    if offer.step.status != StepStatus.ACTIVE:
        declined = offer.step.outcome == OfferStatus.DECLINED
        return OfferStatus.DECLINED if declined else OfferStatus.EXPIRED
    if getattr(offer, "is_taken", False):
        return OfferStatus.TAKEN
    return OfferStatus.EXPIRED if offer.answer_by <= now else None


def _ask_or_wait(pk: int, *, now: datetime) -> int:
    """One opening that cannot be offered stops no other; it is tried again in an hour."""
    try:
        with transaction.atomic():
            return _next_wave(Opening.objects.select_related("practitioner__clinic").get(pk=pk), now=now)
    except Exception:
        logger.exception("Opening %s could not be offered.", pk)
        Opening.objects.filter(pk=pk, status=OpeningStatus.OPEN).update(wave_from=now + RETRY)
        return 0


def _next_wave(opening: Opening, *, now: datetime) -> int:
    """Under the opening's lock."""
    if opening.start < now + NEAREST:
        _close(opening, OpeningStatus.EXPIRED)
        return 0
    if not waiting.free_stretches(opening):
        _close(opening, OpeningStatus.GONE)
        return 0
    asked = _make_offers(opening, waiting.who_fits(opening, now=now), now=now)
    wave = opening.wave + bool(asked)
    Opening.objects.filter(pk=opening.pk).update(wave=wave, wave_from=_next_look(opening, now=now))
    return asked


def _close(opening: Opening, status: OpeningStatus) -> None:
    """The offers it may have end by their own clocks."""
    Opening.objects.filter(pk=opening.pk).update(status=status, wave_from=None)


def _next_look(opening: Opening, *, now: datetime) -> datetime:
    """When the wave has waited: minutes in which no message may leave do not count, as nobody could have answered.

    When it becomes too near to be offered at the latest, so that it is closed then.
    """
    clinic = opening.practitioner.clinic
    hours = clock_of(clinic, now=now).hours(clinic.pk, HoursKind.MESSAGE)
    try:
        waited = deadlines.open_for(now, wave_waits(opening.start - now), hours)
    except deadlines.NoWorkingTime:
        waited = now + RETRY
    return max(now + SHORTEST, min(waited, opening.start - NEAREST + SHORTEST))


def _make_offers(
    opening: Opening, fitting: Sequence[tuple[WaitlistEntry, datetime]], *, now: datetime, most: int = WAVE
) -> int:
    """Offer to the first `most`; somebody who has just been offered something else is left out."""
    answer_by = _answer_by(opening, now=now)
    made = 0
    for entry, start in fitting:
        if made == most:
            break
        made += _offer(opening, entry, start, answer_by=answer_by, now=now)
    return made


def _offer(
    opening: Opening, entry: WaitlistEntry, start: datetime, *, answer_by: datetime, now: datetime
) -> bool:
    waits = WaitlistEntry.objects.filter(pk=entry.pk, status=WaitStatus.WAITING)
    if not waits.update(status=WaitStatus.OFFERED):
        return False
    doctor = opening.practitioner
    with translation.override(doctor.clinic.language):
        title = str(OFFER_TITLE) % {"time": spoken(start, doctor), "doctor": doctor.name}
    new = AdHoc(
        StepKind.AWAIT_PATIENT,
        title,
        answer_by + GRACE,
        role=OwnerRole.PATIENT,
        message_key=SOONER if entry.appointment_id else FREE,
    )
    step = add_step(entry.journey, new, now=now)
    Offer.objects.create(
        opening=opening,
        entry=entry,
        step=step,
        start=start,
        end=start + timedelta(minutes=entry.minutes),
        wave=opening.wave + 1,
        made_at=now,
        answer_by=min(answer_by, max(now + TO_ANSWER, start - NEAREST)),
    )
    return True


def _answer_by(opening: Opening, *, now: datetime) -> datetime:
    clinic = opening.practitioner.clinic
    a_day = soon(clinic, ANSWER_WITHIN, now=now)
    return max(now + TO_ANSWER, min(a_day, opening.start - NEAREST))


@transaction.atomic
def offer_by_hand(
    practitioner: Practitioner, start: datetime, chosen: Iterable[int], *, now: datetime
) -> int:
    """Offer this free time at once to the entries chosen at the desk. Returns to how many.

    It goes on by itself from there, in waves. Refused in words where the time is not free or nobody chosen fits.
    """
    opening = waiting.opening_at(practitioner, start, now=now)
    if opening is None:
        raise RefusedError(_("This time is not free any more, or too near to be offered."))
    if not opening.pk:
        Opening.objects.bulk_create([opening], ignore_conflicts=True)
        opening = Opening.objects.get(practitioner=practitioner, start=start, status=OpeningStatus.OPEN)
    opening = Opening.objects.select_for_update(no_key=True, of=("self",)).get(pk=opening.pk)
    wanted = set(chosen)
    fitting = [found for found in waiting.who_fits(opening, now=now) if found[0].pk in wanted]
    asked = _make_offers(opening, fitting, now=now, most=len(wanted))
    if not asked:
        raise RefusedError(_("Nobody chosen waits for this time any more. Look at the list again."))
    Opening.objects.filter(pk=opening.pk).update(
        wave=opening.wave + 1, wave_from=_next_look(opening, now=now)
    )
    return asked
