"""Service cards as the clinic sees them: the share of those seen who have one (N6), and who comes without one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from appointments.models import Appointment, AppointmentEvent, AppointmentStatus
from patients.models import CARD_LASTS, Clinic
from patients.queries import beyond, card_is_complete, named_by
from patients.windows import starts_at

WEEKS = 4
WEEK = timedelta(days=7)
COMING = (AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED)


@dataclass(frozen=True)
class Share:
    """Of the patients seen in one week, how many had a complete card at most six months old."""

    seen: int
    complete: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.complete / self.seen) if self.seen else None


@dataclass(frozen=True)
class Desk:
    """One person at the desk; `user_id` None where the machine or nobody we know noted the arrival."""

    user_id: int | None
    name: str
    weeks: tuple[Share, ...]


@dataclass(frozen=True)
class Rates:
    everybody: tuple[Share, ...]
    by_desk: list[Desk]


def weeks_before(now: datetime, zone: str) -> list[date]:
    """The first days of the last four weeks, the oldest first; the last of them ends today."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return [today + timedelta(days=1) - WEEK * back for back in range(WEEKS, 0, -1)]


def rates_of(clinic: Clinic, *, now: datetime) -> Rates:
    """In two queries, by name and never by rank. A card asked for after the visit counts as well."""
    firsts = weeks_before(now, clinic.time_zone)
    edges = [starts_at(clinic.time_zone, on, time.min) for on in [*firsts, firsts[-1] + WEEK]]
    arrived = AppointmentEvent.objects.filter(
        what=AppointmentStatus.ARRIVED, appointment__clinic=clinic, at__gte=edges[0], at__lt=edges[-1]
    )
    counts = {}
    told = _complete_then()
    for nth in range(WEEKS):
        in_week = Q(at__gte=edges[nth], at__lt=edges[nth + 1])
        counts[f"seen{nth}"] = Count("appointment__patient", distinct=True, filter=in_week)
        counts[f"told{nth}"] = Count("appointment__patient", distinct=True, filter=in_week & told)
    people = arrived.values("by", "by__first_name", "by__last_name", "by__username").annotate(**counts)
    desks = [
        Desk(row["by"], _name(row), _shares(row))
        for row in people.order_by("by__first_name", "by__last_name", "by__username")
    ]
    return Rates(_shares(arrived.aggregate(**counts)), desks)


def _complete_then() -> Q:
    card = "appointment__patient__card__"
    told = Q(
        **{f"{card}days_told": True, f"{card}hours_told": True, f"{card}told_at__gt": F("at") - CARD_LASTS}
    )
    return told & ~Q(**{f"{card}channel": ""})


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['by__first_name'] or ''} {row['by__last_name'] or ''}".strip() or row["by__username"] or ""


def _shares(row: Mapping[str, Any]) -> tuple[Share, ...]:
    return tuple(Share(row[f"seen{nth}"], row[f"told{nth}"]) for nth in range(WEEKS))


def coming_without_card(clinic: Clinic, *, after: str, now: datetime) -> QuerySet[Appointment]:
    """Whoever comes today or tomorrow and whose card is missing, half filled or old, each once, by the hour.

    `after` is the visit last seen; the rest is found by key, so that depth costs nothing.
    """
    today = now.astimezone(ZoneInfo(clinic.time_zone)).date()
    begins = starts_at(clinic.time_zone, today, time.min)
    ends = starts_at(clinic.time_zone, today + timedelta(days=2), time.min)
    visits = Appointment.objects.filter(clinic=clinic, status__in=COMING, start__gte=begins, start__lt=ends)
    earlier = visits.filter(patient=OuterRef("patient")).filter(
        Q(start__lt=OuterRef("start")) | Q(start=OuterRef("start"), pk__lt=OuterRef("pk"))
    )
    found = (
        visits.exclude(card_is_complete(at=now, card="patient__card__"))
        .exclude(Exists(earlier))
        .select_related("patient__card", "practitioner")
        .order_by("start", "pk")
    )
    last = named_by(Appointment.objects.filter(clinic=clinic), after)
    return beyond(found, last, "start", "pk")
