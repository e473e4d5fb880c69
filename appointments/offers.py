"""The times offered for a visit: on several days, first those at hours the patient can come (surfaces.md 4.4)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby, islice, tee
from zoneinfo import ZoneInfo

from appointments.models import Practitioner
from appointments.queries import find_times, fitting_starts
from patients.models import Patient
from patients.queries import coming_hours, opening_hours
from patients.windows import ALWAYS, Hours, Interval, open_intervals, starts_at

AHEAD = timedelta(days=45)
SOON = timedelta(days=14)  # what cannot be had by then is said, with the nearest that can
COLLEAGUES = 4
DAYS = 3
MOMENT = timedelta(minutes=1)


@dataclass(frozen=True)
class Offer:
    start: datetime
    suits: bool  # inside the hours at which the patient said she can come
    is_asked: bool = False  # the one that was pressed in the calendar
    doctor: Practitioner | None = None  # another than the one asked for


@dataclass(frozen=True)
class Wanted:
    """What is looked for: a visit of so many minutes, not before that day, perhaps at that very time."""

    doctor: Practitioner
    minutes: int
    not_before: date | None = None
    at: datetime | None = None
    only_open: bool = False  # nothing outside the clinic's opening hours, not even where little else is free
    colleagues: tuple[Practitioner, ...] = ()  # who else may be offered
    always_colleagues: bool = False  # not only where the doctor has no time that suits


@dataclass(frozen=True)
class Offers:
    suiting: list[Offer]
    others: list[Offer]
    hours_known: bool
    unfit: datetime | None = None  # the asked time, if the visit does not fit there
    none_soon: bool = False  # none that suits in the next two weeks
    elsewhere: list[Offer] = field(default_factory=list)  # with colleagues, at hours that suit


def suiting_hours(patient: Patient, *, now: datetime) -> tuple[Hours, ...]:
    """What a time has to lie in to suit: when she can come, and when we are open. The same at every way in."""
    return coming_hours(patient), opening_hours(patient.clinic, now=now)


def offers_for(patient: Patient, wanted: Wanted, *, now: datetime, nearest: list[datetime]) -> Offers:
    """Six times at most that suit, six at most that do not; `nearest` are what a refusal has named already."""
    within = suiting_hours(patient, now=now)
    asked = _asked(wanted, now=now)
    zone = wanted.doctor.clinic.time_zone
    after = max(now, starts_at(zone, wanted.not_before, time.min)) if wanted.not_before else now
    # Read once for both: where few times are free, the calendar is looked through to its end.
    fitting = fitting_starts(wanted.doctor, wanted.minutes, after=after, before=after + AHEAD)
    if wanted.only_open:
        fitting = (start for start in fitting if _suits(start, wanted, within[1:]))
    starts, again = tee(fitting)
    suiting = _over_days(wanted, (start for start in starts if _suits(start, wanted, within)))
    others = [start for start in _over_days(wanted, again) if not _suits(start, wanted, within)]
    none_soon = not suiting or suiting[0] > after + SOON
    asks_colleagues = wanted.always_colleagues or none_soon
    found = {*asked, *nearest, *suiting, *others}
    marked = [Offer(start, _suits(start, wanted, within), start in asked) for start in sorted(found)]
    return Offers(
        suiting=[offer for offer in marked if offer.suits],
        others=[offer for offer in marked if not offer.suits],
        hours_known=within[0].windows != ALWAYS,
        unfit=wanted.at if wanted.at and not asked else None,
        none_soon=none_soon,
        elsewhere=_with_colleagues(wanted, after, within) if asks_colleagues else [],
    )


def _with_colleagues(wanted: Wanted, after: datetime, within: tuple[Hours, ...]) -> list[Offer]:
    """The nearest time that suits with each colleague, soonest first."""
    found = [
        Offer(start, suits=True, doctor=colleague)
        for colleague in wanted.colleagues
        for start in find_times(
            colleague, wanted.minutes, after=after, before=after + SOON, within=within, limit=1
        )
    ]
    return sorted(found, key=lambda offer: offer.start)[:COLLEAGUES]


def _asked(wanted: Wanted, *, now: datetime) -> list[datetime]:
    at = wanted.at
    if at is None or at + timedelta(minutes=wanted.minutes) <= now:
        return []
    return find_times(wanted.doctor, wanted.minutes, after=at, before=at + MOMENT, limit=1)


def _over_days(wanted: Wanted, starts: Iterator[datetime]) -> list[datetime]:
    """Two times on each of the next days that have any, one after the other: days to choose from, not minutes."""
    zone, lasting = ZoneInfo(wanted.doctor.clinic.time_zone), timedelta(minutes=wanted.minutes)
    found: list[datetime] = []
    for _on, of_day in islice(groupby(starts, key=lambda start: start.astimezone(zone).date()), DAYS):
        first = next(of_day)
        second = next((start for start in of_day if start >= first + lasting), None)
        found += [first, second] if second else [first]
    return found


def is_among_offers(patient: Patient, wanted: Wanted, *, now: datetime) -> bool:
    """Whether `wanted.at` could be offered while the clinic is open: it does not say that it is free.

    The hours at which she can come only order the times: who chooses another one herself knows better.
    """
    at = wanted.at
    is_ahead = at is not None and now < at < now + AHEAD
    return at is not None and is_ahead and _suits(at, wanted, (opening_hours(patient.clinic, now=now),))


def _suits(start: datetime, wanted: Wanted, within: tuple[Hours, ...]) -> bool:
    visit = Interval(start, start + timedelta(minutes=wanted.minutes))
    return all(open_intervals(hours, visit.start, visit.end) == [visit] for hours in within)
