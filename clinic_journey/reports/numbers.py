"""The numbers that matter: each with how many it rests on, its 28 days, and the 28 before (S1.10-S1.16).

Those that are shares of a standard are read from its days; the rest are counted in a span of 28 days, found by an
index, so that none costs more when the clinic is older.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.reports.standards import DAYS, ONE_DAY, Share, begins, local_day
from clinic_journey.reports.standards_cases import Span, told_arrived
from journeys.models import (
    OPEN_JOURNEYS,
    EventKind,
    Journey,
    JourneyStatus,
    Step,
    StepEvent,
    StepKind,
    StepStatus,
)
from outreach.models import WAITED_FOR, Attempt, Reply
from outreach.queries import CARRIED_OUT
from patients.models import Channel, Clinic

RETURN_WITHIN = timedelta(days=15)
UNCHANGED = timedelta(days=14)
CAME = (AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED)
LISTED = 100  # what must be none is counted no further


@dataclass(frozen=True)
class Days:
    """Local days: `since` begins the first, `until` is now or ends the last."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Figure:
    """`value` in percent, or a number of its own kind; `n`: how many it rests on."""

    value: float | None
    n: int
    part: int = 0


def last_days(clinic: Clinic, *, now: datetime) -> tuple[Days, Days]:
    """The last 28 days up to now, and the 28 before them."""
    zone = clinic.time_zone
    today = local_day(now, zone)
    first, before = (begins(zone, today - ONE_DAY * (DAYS * n - 1)) for n in (1, 2))
    return Days(first, now), Days(before, first)


def of_share(share: Share) -> Figure:
    return Figure(share.percent, share.counted, share.met)


def chase_rate(clinic: Clinic, days: Days) -> Figure:
    """How often patients had to ask, for each hundred journeys that began in these days."""
    chases = StepEvent.objects.filter(
        clinic=clinic, kind=EventKind.CHASED, at__gte=days.since, at__lt=days.until
    ).count()
    begun = Journey.objects.filter(
        clinic=clinic,
        status__in=JourneyStatus.values,  # so that the index by status is used
        opened_at__gte=days.since,
        opened_at__lt=days.until,
        patient__isnull=False,
    ).count()
    return Figure(100 * chases / begun if begun else None, begun, chases)


def hours_to_tell(clinic: Clinic, days: Days) -> Figure:
    """Half of the patients whose result came in these days and who were told, heard of it within so many hours."""
    cases = told_arrived(clinic, Span(days.since, days.until, days.until))
    waits = [
        (case.done_at - case.started_at) / timedelta(hours=1)
        for case in cases
        if case.done_at and days.since <= case.started_at < days.until
    ]
    return Figure(median(waits) if waits else None, len(waits))


def first_contacts(clinic: Clinic, days: Days) -> QuerySet[Any]:
    """The first contact about coming, of those whose 15 days were over in these days."""
    made = Attempt.objects.filter(clinic=clinic, called_at__isnull=False, status__in=CARRIED_OUT)
    earlier = Attempt.objects.filter(
        task__step=OuterRef("task__step"), called_at__lt=OuterRef("called_at"), status__in=CARRIED_OUT
    )
    visits = Appointment.objects.filter(
        patient=OuterRef("patient"),
        status__in=CAME,
        start__gt=OuterRef("called_at"),
        start__lte=OuterRef("called_at") + RETURN_WITHIN,
    )
    return (
        made.filter(
            task__step__kind__in=[StepKind.BOOK, StepKind.RECALL],
            called_at__gte=days.since - RETURN_WITHIN,
            called_at__lt=days.until - RETURN_WITHIN,
        )
        .exclude(Exists(earlier))
        .annotate(returned=Exists(visits))
    )


def returned(clinic: Clinic, days: Days) -> Figure:
    row = first_contacts(clinic, days).aggregate(n=Count("pk"), came=Count("pk", filter=Q(returned=True)))
    return of_share(Share(row["came"], row["n"]))


def holds_over(clinic: Clinic, days: Days) -> QuerySet[Appointment]:
    """Visits that were held for a result, whose time has come."""
    return Appointment.objects.filter(
        clinic=clinic,
        practitioner__clinic=clinic,  # so that the calendar's index is used
        awaits__isnull=False,
        start__gte=days.since,
        start__lt=days.until,
    )


def holds_kept(clinic: Clinic, days: Days) -> Figure:
    row = holds_over(clinic, days).aggregate(n=Count("pk"), kept=Count("pk", filter=Q(status__in=CAME)))
    return of_share(Share(row["kept"], row["n"]))


def nothing_planned(clinic: Clinic) -> QuerySet[Journey]:
    """Open journeys without any step to come: must be none (surfaces.md 0)."""
    waiting = Step.objects.filter(
        journey=OuterRef("pk"), status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD, StepStatus.PLANNED]
    )
    return (
        Journey.objects.filter(clinic=clinic, status__in=OPEN_JOURNEYS)
        .exclude(Exists(waiting))
        .order_by("opened_at", "pk")
    )


def called_unchanged(clinic: Clinic, *, now: datetime) -> QuerySet[Attempt]:
    """The last call to each patient of 14 days after whom nothing has happened: no word, no visit, no step (C12)."""
    calls = Attempt.objects.filter(channel=Channel.PHONE, status__in=CARRIED_OUT).exclude(
        task__message_key__in=WAITED_FOR
    )
    later = calls.filter(patient=OuterRef("patient"), called_at__gt=OuterRef("called_at"))
    at, hers = OuterRef("called_at"), OuterRef("patient")
    changed = (
        Exists(Reply.objects.filter(patient=hers, at__gt=at))
        | Exists(Appointment.objects.filter(patient=hers, made_at__gte=at))
        | Exists(
            Step.objects.filter(journey__patient=hers, status=StepStatus.COMPLETED, completed_at__gte=at)
        )
        | Exists(Journey.objects.filter(patient=hers, ended_at__gte=at))
    )
    return (
        calls.filter(clinic=clinic, called_at__gte=now - UNCHANGED, called_at__lte=now)
        .exclude(Exists(later))
        .exclude(changed)
        .order_by("-called_at", "-pk")
    )


COUNTED: dict[str, Callable[[Clinic, Days], Figure]] = {
    "chases": chase_rate,
    "told": hours_to_tell,
    "returned": returned,
    "holds": holds_kept,
}


def both_spans(key: str, clinic: Clinic, *, now: datetime) -> tuple[Figure, Figure]:
    lately, before = last_days(clinic, now=now)
    return COUNTED[key](clinic, lately), COUNTED[key](clinic, before)


def up_to(rows: QuerySet[Attempt] | QuerySet[Journey]) -> int:
    return len(rows.values_list("pk")[:LISTED])
