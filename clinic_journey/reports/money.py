"""Money at risk: the value of the next step times the clinic's own loss rate at that age, as a range (S1.14)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Min, Q, QuerySet

from appointments.models import Appointment
from clinic_journey.reports.money_models import VisitValue
from clinic_journey.reports.money_range import AGES, Waiting, by_age, in_all
from clinic_journey.reports.numbers_days import days_of
from inquiries.models import Offering, money
from journeys.models import Journey, JourneyStatus, StepKind, StepStatus
from outreach.queries import LIVE_VISITS
from patients.models import Clinic

A_YEAR, ONE_DAY = timedelta(days=365), timedelta(days=1)
# Steps before the next visit. A check-up that is months away, a thank-you and a promise earn nothing by themselves.
BEFORE_A_VISIT = (
    StepKind.AWAIT_RESULT,
    StepKind.AWAIT_PATIENT,
    StepKind.REVIEW,
    StepKind.TELL,
    StepKind.CONFIRM,
    StepKind.REFER,
    StepKind.BOOK,
    StepKind.CALL,
)


@dataclass(frozen=True)
class Risk:
    """What may be lost, by how long the patients have waited; each figure a range."""

    value: VisitValue
    rows: list[Waiting]

    @property
    def people(self) -> int:
        return sum(row.people for row in self.rows)

    @property
    def is_default(self) -> bool:
        return any(row.rate.is_default for row in self.rows)

    @property
    def words(self) -> tuple[str, str]:
        return self._said(*in_all(self.rows))

    @property
    def said_rows(self) -> list[tuple[Waiting, str, str]]:
        return [(row, *self._said(*row.at_risk)) for row in self.rows]

    def _said(self, low: Decimal, high: Decimal) -> tuple[str, str]:
        currency = self.value.currency
        return money(Decimal(round(low)), currency), money(Decimal(round(high)), currency)


def waiting_journeys(clinic: Clinic) -> QuerySet[Any]:
    """Open journeys with a step before their next visit, each with since when it waits."""
    waits = Q(steps__status=StepStatus.ACTIVE, steps__kind__in=BEFORE_A_VISIT)
    return (
        Journey.objects.filter(waits, clinic=clinic, status=JourneyStatus.ACTIVE, patient__isnull=False)
        .annotate(waits_since=Min("steps__opened_at"))
        .order_by("waits_since", "pk")
    )


def at_risk(clinic: Clinic, *, now: datetime) -> Risk | None:
    """None until a manager has said what a visit is worth."""
    value = VisitValue.objects.filter(clinic=clinic).first()
    if value is None:
        return None
    rows = waiting_journeys(clinic).values_list("pk", "waits_since")
    worth = Worth(clinic, value)
    waits = [((now - since) / ONE_DAY, worth.of(journey)) for journey, since in rows if since is not None]
    return Risk(value, by_age(waits, lost_by_age(clinic, now=now)))


class Worth:
    """What the next visit of a journey is worth: the price of its kind, else what a visit is worth on average."""

    def __init__(self, clinic: Clinic, value: VisitValue) -> None:
        self._prices, self._kinds = _prices(clinic, value.currency), _types_of_visits(clinic)
        self._usual = value.amount

    def of(self, journey: int) -> Decimal:
        return self._prices.get(self._kinds.get(journey), self._usual)


def _types_of_visits(clinic: Clinic) -> dict[int, int]:
    """Of the visits that are held or booked, by the journey that waits for them."""
    visits = Appointment.objects.filter(clinic=clinic, status__in=LIVE_VISITS, visit_type__isnull=False)
    rows = visits.order_by("-start").values_list("step__journey", "awaits__journey", "visit_type")
    return {journey or other: kind for journey, other, kind in rows if (journey or other) and kind}


def _prices(clinic: Clinic, currency: str) -> dict[int | None, Decimal]:
    """Of what the clinic offers, by type of visit; the highest that is named."""
    offered = Offering.objects.filter(
        clinic=clinic, is_active=True, visit_type__isnull=False, price__isnull=False, currency=currency
    )
    rows = offered.order_by("price").values_list("visit_type", "price")
    return {kind: price for kind, price in rows if price is not None}


def lost_by_age(clinic: Clinic, *, now: datetime) -> dict[int, tuple[int, int]]:
    """Of the journeys that ended within a year: how many had lived so long, and how many of them were lost."""
    lives = [(days, sums) for (_on, days), sums in days_of(clinic, "ended", now=now).items()]
    return {
        age: (
            sum(counted for days, (counted, _lost) in lives if days >= age),
            sum(lost for days, (_counted, lost) in lives if days >= age),
        )
        for age in AGES
    }
