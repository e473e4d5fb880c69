"""How well a clinic keeps its standards: today live, the days before from what each night has written.

A day that no night has written is counted live, so a number never depends on the nightly command having run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clinic_journey.reports.local_days import FOUR_WEEKS, ONE_DAY, begins, local_day
from clinic_journey.reports.parts import part
from clinic_journey.reports.standards_cases import LOOKBACK, Span
from clinic_journey.reports.standards_clock import WorkingClock
from clinic_journey.reports.standards_measures import MEASURES
from clinic_journey.reports.standards_models import Standard, StandardDay
from clinic_journey.reports.standards_verdict import Case, Verdict, due_in_hours, judged
from journeys.deadlines import Limit, NoWorkingTime, Unit
from patients.models import Clinic
from patients.queries import User, opening_hours

DAYS = FOUR_WEEKS
ONE_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Share:
    met: int = 0
    counted: int = 0

    @property
    def percent(self) -> int | None:
        """Never rounded up to a hundred while there is a breach."""
        if not self.counted:
            return None
        return 100 if self.met == self.counted else min(99, round(100 * self.met / self.counted))

    @property
    def breaches(self) -> int:
        return self.counted - self.met

    def __add__(self, other: "Share") -> "Share":
        return Share(self.met + other.met, self.counted + other.counted)


@dataclass(frozen=True)
class Kept:
    """One standard on the screen: today, its last 28 days, the 28 before them, and whose time runs out next."""

    standard: Standard
    today: Share
    days: list[tuple[date, Share]]  # the last 28, the oldest first, today the last
    before: Share
    next_breach: Verdict | None
    has_failed: bool = False  # its measure could not be read; the others stand

    @property
    def lately(self) -> Share:
        return sum((share for _on, share in self.days), Share())

    @property
    def is_below(self) -> bool:
        percent = self.lately.percent
        return percent is not None and percent < self.standard.goal

    @property
    def none_yet(self) -> str:
        if self.next_breach:
            return _("Nothing has come due yet.")
        return str(MEASURES[self.standard.measure].none_yet)


def standards_visible_to(user: User) -> QuerySet[Standard]:
    return Standard.objects.filter(clinic__memberships__user_id=user.pk).select_related("clinic")


def standards_of(clinic: Clinic) -> QuerySet[Standard]:
    """Those whose measure this version knows, in the order of the catalogue."""
    return Standard.objects.filter(clinic=clinic, measure__in=MEASURES)


def unknown_to_us(clinic: Clinic) -> QuerySet[Standard]:
    """Those that this version cannot count: they say so, and vanish from no page."""
    return Standard.objects.filter(clinic=clinic).exclude(measure__in=MEASURES)


def clock_for(clinic: Clinic, since: datetime, *, now: datetime) -> WorkingClock:
    """For verdicts from `since` on: what they are about began before."""
    start = since - LOOKBACK
    return WorkingClock(opening_hours(clinic, now=start), start, now + LOOKBACK)


def verdicts(
    standard: Standard, clinic: Clinic, span: Span, clock: WorkingClock | None = None
) -> list[Verdict]:
    """Every case that was looked at; `within` picks those that count in the span."""
    working = clock or clock_for(clinic, span.since, now=span.now)
    found = MEASURES[standard.measure].cases(clinic, span)
    return [_judged(case, standard.limit, working, now=span.now) for case in found]


def within(found: Iterable[Verdict], span: Span) -> list[Verdict]:
    return [each for each in found if each.at is not None and span.since <= each.at < span.until]


def _judged(case: Case, limit: Limit | None, clock: WorkingClock, *, now: datetime) -> Verdict:
    done = case.done_at
    if limit and done and done <= now and clock.is_surely_in_time(case.started_at, done, limit):
        return Verdict(case, None, met=True, at=done)
    return judged(case, _due_at(case, limit, clock), now=now)


def _due_at(case: Case, limit: Limit | None, clock: WorkingClock) -> datetime | None:
    if limit is None:
        return case.due_at
    if case.hours is not None and limit.unit == Unit.WORKING_HOURS:
        try:
            return due_in_hours(case.started_at, limit, clock.opening, case.hours)
        except NoWorkingTime:
            pass
    return clock.due_at(case.started_at, limit)


def counted_by_day(found: Iterable[Verdict], zone: str) -> dict[date, Share]:
    days: dict[date, Share] = {}
    for each in found:
        if each.at is not None:
            on = local_day(each.at, zone)
            days[on] = days.get(on, Share()) + Share(int(bool(each.met)), 1)
    return days


def kept_now(clinic: Clinic, *, now: datetime, only: Sequence[Standard] | None = None) -> list[Kept]:
    """All standards that are on, with 56 days of each, in a number of statements that no data makes grow."""
    listed = [each for each in (standards_of(clinic) if only is None else only) if each.is_on]
    today = local_day(now, clinic.time_zone)
    first = today - ONE_DAY * (2 * DAYS - 1)
    written = _written(listed, first, today)
    clock = clock_for(clinic, begins(clinic.time_zone, first), now=now)

    def read(each: Standard) -> Kept:
        found = part(lambda: _kept(each, clinic, written.get(each.pk, {}), clock=clock, now=now, first=first))
        return found or Kept(each, Share(), [], Share(), None, has_failed=True)

    return [read(each) for each in listed]


def _written(listed: Sequence[Standard], first: date, today: date) -> dict[int, dict[date, Share]]:
    rows = StandardDay.objects.filter(standard__in=listed, on__gte=first, on__lt=today)
    found: dict[int, dict[date, Share]] = {}
    for standard, on, met, counted in rows.values_list("standard", "on", "met", "counted"):
        found.setdefault(standard, {})[on] = Share(met, counted)
    return found


def _kept(
    standard: Standard,
    clinic: Clinic,
    written: dict[date, Share],
    *,
    clock: WorkingClock,
    now: datetime,
    first: date,
) -> Kept:
    """What is written, and live from the first day on that is not."""
    zone, today = clinic.time_zone, first + ONE_DAY * (2 * DAYS - 1)
    asked = [first + ONE_DAY * n for n in range(2 * DAYS)]
    live_from = next(on for on in asked if on not in written)
    span = Span(begins(zone, live_from), begins(zone, today + ONE_DAY), now)
    found = verdicts(standard, clinic, span, clock)
    live = counted_by_day(within(found, span), zone)
    days = [(on, written[on] if on < live_from else live.get(on, Share())) for on in asked]
    waiting = [each for each in found if each.is_open and each.due_at is not None]
    return Kept(
        standard,
        live.get(today, Share()),
        days[DAYS:],
        sum((share for _on, share in days[:DAYS]), Share()),
        min(waiting, key=lambda each: (each.due_at or now, each.case.key), default=None),
    )


def newest_breaches(found: Iterable[Verdict]) -> list[Verdict]:
    broken = [each for each in found if each.met is False and each.at is not None]
    return sorted(broken, key=lambda each: (each.at, each.case.key), reverse=True)


def share_of(found: Iterable[Verdict]) -> Share:
    listed = list(found)
    return Share(sum(bool(each.met) for each in listed), len(listed))
