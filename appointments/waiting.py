"""What is read about the waiting list: who waits, whom a freed time suits, what was offered and answered."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from appointments.models import (
    LONGEST_MINUTES,
    TAKES_TIME,
    Appointment,
    Practitioner,
    SlotUse,
)
from appointments.queries import free_cells
from appointments.waiting_models import (
    LIVE_ENTRIES,
    Offer,
    OfferStatus,
    Opening,
    OpeningStatus,
    WaitlistEntry,
    WaitStatus,
)
from appointments.waves import NEAREST, FreeTime, Wish, next_to_ask
from journeys.models import OPEN_JOURNEYS, Journey
from patients.models import PatientStatus
from patients.queries import User, coming_hours
from patients.windows import Interval

LONGEST_BEFORE = timedelta(
    minutes=LONGEST_MINUTES
)  # and after: how far a visit may reach out of a freed time
LONGEST_BY_HAND = timedelta(hours=2)
CONSIDERED = 500  # of those who wait for one time, longest waiting first


def entries_visible_to(user: User) -> QuerySet[WaitlistEntry]:
    return WaitlistEntry.objects.filter(clinic__memberships__user_id=user.pk).select_related(
        "patient__clinic",
        "practitioner",
        "visit_type",
        "appointment__practitioner",
        "step__template_step",
        "journey__template",
    )


def openings_visible_to(user: User) -> QuerySet[Opening]:
    return Opening.objects.filter(clinic__memberships__user_id=user.pk).select_related("practitioner__clinic")


def offers_visible_to(user: User) -> QuerySet[Offer]:
    return Offer.objects.filter(entry__clinic__memberships__user_id=user.pk).select_related(
        "opening__practitioner__clinic", "entry__patient__clinic", "entry__journey", "step"
    )


def free_stretches(opening: Opening) -> list[FreeTime]:
    """What is free of it now, cut where somebody has booked in the middle."""
    return _stretches(opening, opening.start, opening.end)


def free_around(opening: Opening) -> list[FreeTime]:
    """As `free_stretches`, with the free time that joins it on both sides, for a visit longer than what was freed.

    What the desk offers by hand begins where the desk said.
    """
    if opening.by_hand:
        return free_stretches(opening)
    freed = Interval(opening.start, opening.end)
    around = _stretches(opening, opening.start - LONGEST_BEFORE, opening.end + LONGEST_BEFORE)
    return [
        replace(free, freed=freed) for free in around if free.starts[0] < freed.end and freed.start < free.end
    ]


def _stretches(opening: Opening, first: datetime, last: datetime) -> list[FreeTime]:
    found: list[list[Interval]] = []
    for cell in free_cells(opening.practitioner, first, last):
        if found and found[-1][-1].end == cell.start:
            found[-1].append(Interval(cell.start, cell.end))
        else:
            found.append([Interval(cell.start, cell.end)])
    zone = opening.practitioner.clinic.time_zone
    return [
        FreeTime(opening.practitioner_id, zone, tuple(cell.start for cell in cells), cells[-1].end)
        for cells in found
    ]


def who_fits(opening: Opening, *, now: datetime) -> list[tuple[WaitlistEntry, datetime]]:
    """Who waits, was not asked about this time, and whom it suits, with her start, in the order of asking."""
    free = free_around(opening)
    waits = WaitlistEntry.objects.filter(
        Q(practitioner__isnull=True) | Q(practitioner=opening.practitioner_id),
        clinic=opening.clinic_id,
        status=WaitStatus.WAITING,
        patient__status=PatientStatus.ACTIVE,
        journey__status__in=OPEN_JOURNEYS,
        minutes__lte=max((_minutes_of(stretch) for stretch in free), default=0),
    )
    if opening.visit_type_id:  # the same kind of visit, where both say which
        waits = waits.filter(Q(visit_type__isnull=True) | Q(visit_type=opening.visit_type_id))
    if opening.pk:
        waits = waits.exclude(offers__opening=opening)
    entries = list(
        waits.select_related("journey", "appointment", "patient__clinic", "patient__card")
        .prefetch_related("patient__card__coming_windows")
        .order_by("since_at")[:CONSIDERED]
    )
    busy = _busy(entries, opening)
    wishes = [_wish_of(entry, busy[entry.pk]) for entry in entries]
    by_key = {entry.pk: entry for entry in entries}
    found = next_to_ask(wishes, free, now=now)
    return [(by_key[wish.key], start) for wish, start in found]


def _minutes_of(free: FreeTime) -> int:
    return (free.end - free.starts[0]) // timedelta(minutes=1)


def _busy(entries: Iterable[WaitlistEntry], opening: Opening) -> dict[int, list[Interval]]:
    """Other visits of theirs at that time, wherever they are."""
    visits = Appointment.objects.filter(
        patient__in=[entry.patient_id for entry in entries],
        status__in=TAKES_TIME,
        start__lt=opening.end + LONGEST_BEFORE,
        end__gt=opening.start - LONGEST_BEFORE,
    ).values_list("patient_id", "start", "end")
    found: dict[int, list[Interval]] = defaultdict(list)
    by_patient: dict[int, list[Interval]] = defaultdict(list)
    for patient, start, end in visits:
        by_patient[patient].append(Interval(start, end))
    for entry in entries:
        found[entry.pk] = by_patient[entry.patient_id]
    return found


def _wish_of(entry: WaitlistEntry, busy: list[Interval]) -> Wish:
    return Wish(
        key=entry.pk,
        minutes=entry.minutes,
        since=entry.since_at,
        practitioner=entry.practitioner_id,
        is_urgent=entry.is_urgent,
        earliest=entry.earliest_on,
        latest=entry.latest_on,
        has=entry.appointment.start if entry.appointment else None,
        busy=tuple(busy),
        comes=coming_hours(entry.patient),
    )


def opening_at(practitioner: Practitioner, start: datetime, *, now: datetime) -> Opening | None:
    """The opening that is being offered at this start, else a new one over the free time from there, not saved."""
    found = (
        Opening.objects.filter(practitioner=practitioner, start=start, status=OpeningStatus.OPEN)
        .select_related("practitioner__clinic")
        .first()
    )
    if found or start < now + NEAREST:
        return found
    opening = Opening(
        clinic_id=practitioner.clinic_id,
        practitioner=practitioner,
        start=start,
        end=start + LONGEST_BY_HAND,
        freed_at=now,
        wave_from=now,
        by_hand=True,
    )
    free = free_stretches(opening)
    if not free or free[0].starts[0] != start:
        return None
    opening.end = free[0].end
    return opening


def openings_under_way(openings: QuerySet[Opening]) -> QuerySet[Opening]:
    """Those somebody was asked about, the nearest first, each with its offers in the order they were made."""
    asked = Offer.objects.select_related("entry__patient").order_by("wave", "pk")
    return (
        openings.filter(status=OpeningStatus.OPEN, wave__gt=0)
        .prefetch_related(Prefetch("offers", queryset=asked))
        .order_by("start")
    )


def live_entries(entries: QuerySet[WaitlistEntry]) -> QuerySet[WaitlistEntry]:
    """In the order of the list, each with what it was offered."""
    offered = Offer.objects.select_related("opening__practitioner").order_by("-made_at")
    return (
        entries.filter(status__in=LIVE_ENTRIES)
        .prefetch_related(Prefetch("offers", queryset=offered))
        .order_by("since_at", "pk")
    )


def answers_since(offers: QuerySet[Offer], since: datetime) -> dict[str, int]:
    """How many were made, and how many of them got a yes."""
    yes = Count("pk", filter=Q(status=OfferStatus.ACCEPTED))
    return offers.filter(made_at__gte=since).order_by().aggregate(offered=Count("pk"), accepted=yes)


def entry_of_visit(visit: Appointment) -> WaitlistEntry | None:
    """The live entry of a visit, else the one by which she asked not to be offered anything sooner."""
    entries = visit.waiting_entries.filter(Q(status__in=LIVE_ENTRIES) | Q(wants_no_more=True))
    return entries.order_by("-since_at").first()


def live_entry_in(journey: Journey, visit: Appointment | None) -> WaitlistEntry | None:
    """How the patient of this journey waits: for a day sooner than `visit`, or for a first one."""
    entries = journey.waiting_entries.filter(status__in=LIVE_ENTRIES)
    return (entries.filter(appointment=visit) if visit else entries).first()


def offer_to_answer(journey: Journey, *, now: datetime) -> Offer | None:
    """The last offer she may still answer, or hear that it is gone. An answer after its time may be in luck."""
    shown = [OfferStatus.OPEN, OfferStatus.EXPIRED, OfferStatus.TAKEN]
    offers = Offer.objects.filter(
        entry__journey=journey, entry__status__in=LIVE_ENTRIES, status__in=shown, start__gt=now
    )
    with_doctor = offers.select_related("opening__practitioner", "entry")
    return marked_taken(with_doctor).order_by("-made_at").first()


def marked_taken(offers: QuerySet[Offer]) -> QuerySet[Offer]:
    """Each with `is_taken`: somebody has a cell of its time."""
    uses = SlotUse.objects.filter(
        slot__practitioner=OuterRef("opening__practitioner"),
        slot__start__gte=OuterRef("start"),
        slot__start__lt=OuterRef("end"),
    )
    return offers.annotate(is_taken=Exists(uses))
