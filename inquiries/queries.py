"""What screens and programs read about offerings, their stock and inquiries. Users get them by `*_visible_to`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet

from appointments.models import Appointment, AppointmentStatus, Practitioner
from appointments.queries import fitting_starts
from inquiries.finding import Entry, Found, find
from inquiries.models import Inquiry, Offering
from inquiries.stock import Batch, Stock, is_available, is_fresh, stock_of
from patients.models import Clinic
from patients.queries import User
from patients.windows import Hours, Interval, WeeklyWindow, open_intervals

NAMED = 3  # times said on the phone; more are not remembered
LEAD = timedelta(minutes=30)  # nobody is here sooner
AHEAD = timedelta(days=14)
DONE_WITHIN = timedelta(days=182)  # who has done it since is known to do it


def offerings_visible_to(user: User) -> QuerySet[Offering]:
    return (
        Offering.objects.filter(clinic__memberships__user_id=user.pk)
        .select_related("clinic", "visit_type")
        .prefetch_related("batches", "done_by", "walk_in")
    )


def inquiries_visible_to(user: User) -> QuerySet[Inquiry]:
    return Inquiry.objects.filter(clinic__memberships__user_id=user.pk).select_related(
        "clinic", "offering", "taken_by", "step", "patient", "journey", "wants_with"
    )


def offered_by(clinic: Clinic) -> QuerySet[Offering]:
    """What a clinic offers now, with what an answer needs."""
    return (
        Offering.objects.filter(clinic=clinic, is_active=True)
        .select_related("visit_type")
        .prefetch_related("batches", "walk_in")
    )


@dataclass(frozen=True)
class FreeTime:
    at: datetime
    practitioner: Practitioner

    @property
    def key(self) -> str:
        """As a button carries it."""
        return f"{self.practitioner.pk} {self.at.isoformat()}"


@dataclass(frozen=True)
class WalkIn:
    """The next stretch in which one may come without an appointment; `is_now`: it has begun."""

    start: datetime
    until: datetime
    is_now: bool


@dataclass(frozen=True)
class Answer:
    """All that can be said about one thing, before anything is asked of who asks."""

    offering: Offering
    available: bool | None  # empty: not known
    stock: Stock | None
    times: tuple[FreeTime, ...] = ()
    is_to_check: bool = False  # counted long ago
    is_price_to_check: bool = False  # nobody has looked at it for long
    is_nobodys: bool = False  # times were asked for, and nobody is known to do it
    walk_in: WalkIn | None = None  # when one may come next without an appointment

    @property
    def price(self) -> Decimal | None:
        return self.offering.price

    @property
    def may_be_given(self) -> bool:
        """What is not known is promised, never guessed."""
        return self.available is not None


@dataclass(frozen=True)
class Matches:
    fitting: list[Offering]
    near: list[Offering]


def matching(text: str, offerings: Iterable[Offering]) -> Matches:
    by_key = {each.pk: each for each in offerings}
    found: Found = find(text, [entry_of(each) for each in by_key.values()])
    return Matches([by_key[key] for key in found.fitting], [by_key[key] for key in found.near])


def entry_of(offering: Offering) -> Entry:
    others = offering.other_words.replace("\n", ",").replace("،", ",").split(",")
    return Entry(offering.pk, (*offering.names.values(), *filter(None, map(str.strip, others))))


def stock_now(offering: Offering, clinic: Clinic, *, now: datetime) -> Stock | None:
    """Of an offering with its batches loaded; by the clinic's own day."""
    batches = [Batch(each.quantity, each.expires_on, each.counted_at) for each in offering.batches.all()]
    return stock_of(batches, now.astimezone(ZoneInfo(clinic.time_zone)).date())


def answer_about(
    offering: Offering,
    clinic: Clinic,
    *,
    opening: Hours | None = None,
    with_times: bool = True,
    now: datetime,
) -> Answer:
    """Availability, price and, with `opening`, when one may come: without an appointment, or at the next free times."""
    stock = stock_now(offering, clinic, now=now) if offering.is_counted else None
    available = is_available(stock, is_counted=offering.is_counted)
    visit = offering.visit_type if opening and with_times and available is not False else None
    doers = who_does(offering, clinic, now=now) if visit else []
    return Answer(
        offering,
        available,
        stock,
        _times_of(doers, visit.minutes, opening, now=now) if visit and opening else (),
        is_to_check=bool(stock and stock.is_to_check(now)),
        is_price_to_check=offering.price is not None and not is_fresh(offering.looked_at, now),
        is_nobodys=visit is not None and not doers,
        walk_in=_walk_in(offering, opening, now=now) if opening and available else None,
    )


def _walk_in(offering: Offering, opening: Hours, *, now: datetime) -> WalkIn | None:
    """By the offering's own hours and the clinic's closed days; nobody is told to come within minutes of the end."""
    week = [WeeklyWindow(row.weekday, row.start, row.end) for row in offering.walk_in.all()]
    hours = Hours.of(opening.zone, week, dict(opening.closed))
    found = open_intervals(hours, now + LEAD, now + AHEAD)
    return WalkIn(found[0].start, found[0].end, is_now=found[0].start <= now + LEAD) if found else None


def who_does(offering: Offering, clinic: Clinic, *, now: datetime) -> list[Practitioner]:
    """Those who were said to do it; where nobody was, whoever did such visits lately, or who receives alone.

    Nobody else: a time with somebody who does not do it is no answer (docs/decisions/032).
    """
    receiving = list(clinic.practitioners.filter(is_active=True).order_by("name", "pk"))
    named = set(offering.done_by.values_list("pk", flat=True))
    if named or len(receiving) == 1:
        return [each for each in receiving if each.pk in named or not named]
    took_place = Appointment.objects.filter(
        practitioner=OuterRef("pk"),
        visit_type=offering.visit_type_id,
        status=AppointmentStatus.FULFILLED,
        start__range=(now - DONE_WITHIN, now),
    )
    did = set(clinic.practitioners.filter(Exists(took_place)).values_list("pk", flat=True))
    return [each for each in receiving if each.pk in did]


def next_times(offering: Offering, clinic: Clinic, opening: Hours, *, now: datetime) -> tuple[FreeTime, ...]:
    """The soonest of each of the next days with a free time, with whoever does it then; none without a visit."""
    if offering.visit_type is None:
        return ()
    doers = who_does(offering, clinic, now=now)
    return _times_of(doers, offering.visit_type.minutes, opening, now=now)


def _times_of(
    doers: Iterable[Practitioner], minutes: int, opening: Hours, *, now: datetime
) -> tuple[FreeTime, ...]:
    found: dict[date, FreeTime] = {}
    for practitioner in doers:
        for on, start in _first_of_days(practitioner, minutes, opening, now=now).items():
            if on not in found or start < found[on].at:
                found[on] = FreeTime(start, practitioner)
    return tuple(found[on] for on in sorted(found)[:NAMED])


def _first_of_days(
    practitioner: Practitioner, minutes: int, opening: Hours, *, now: datetime
) -> dict[date, datetime]:
    """The first start on each of the next days with one, by the clinic's clock; two times a day offer no choice."""
    found: dict[date, datetime] = {}
    lasting, zone = timedelta(minutes=minutes), ZoneInfo(opening.zone)
    for start in fitting_starts(practitioner, minutes, after=now + LEAD, before=now + AHEAD):
        visit, on = Interval(start, start + lasting), start.astimezone(zone).date()
        if on not in found and open_intervals(opening, visit.start, visit.end) == [visit]:
            found[on] = start
        if len(found) >= NAMED:
            break
    return found


def answered_within(inquiries: QuerySet[Inquiry]) -> dict[str, list[timedelta]]:
    """How long each answer took, by who paid; empty: nobody asked who pays."""
    took: dict[str, list[timedelta]] = {}
    rows = inquiries.filter(answered_at__isnull=False).values_list("payer", "asked_at", "answered_at")
    for payer, asked_at, answered_at in rows:
        if answered_at is not None:
            took.setdefault(payer, []).append(answered_at - asked_at)
    return took
