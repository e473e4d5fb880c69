"""What the numbers are counted from: each thing at the moment it counts, found by an index, in a span of days."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.reports.local_days import ONE_DAY, Days
from clinic_journey.reports.stages import judged_journeys
from clinic_journey.reports.standards_cases import Span, told_arrived
from journeys.models import EventKind, Journey, JourneyStatus, LostBecause, StepEvent, StepKind
from outreach.models import Attempt
from outreach.queries import CARRIED_OUT
from patients.models import Clinic

RETURN_WITHIN = timedelta(days=15)
CAME = (AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED)
ONE_MINUTE = timedelta(minutes=1)


class Happened(NamedTuple):
    """When it counts; a wait in minutes or a life in days; one of what is counted, and whether it is of the part."""

    at: datetime
    value: int = 0
    counted: int = 1
    part: int = 0


def asked(clinic: Clinic, days: Days) -> Iterable[Happened]:
    """Journeys that began, and how often a patient had to ask."""
    chases = StepEvent.objects.filter(
        clinic=clinic, kind=EventKind.CHASED, at__gte=days.since, at__lt=days.until
    )
    begun = Journey.objects.filter(
        clinic=clinic,
        status__in=JourneyStatus.values,  # so that the index by status is used
        opened_at__gte=days.since,
        opened_at__lt=days.until,
        patient__isnull=False,
    )
    yield from (Happened(at, counted=0, part=1) for at in chases.values_list("at", flat=True))
    yield from (Happened(at) for at in begun.values_list("opened_at", flat=True))


def told(clinic: Clinic, days: Days) -> Iterable[Happened]:
    """Patients who heard that their result is here, and how many minutes after it came."""
    for case in told_arrived(clinic, Span(days.since, days.until, days.until)):
        if case.done_at and days.since <= case.done_at < days.until:
            yield Happened(case.done_at, (case.done_at - case.started_at) // ONE_MINUTE)


def first_contacts(clinic: Clinic, days: Days) -> QuerySet[Any]:
    """The first contact about coming, of those whose 15 days were over in these days."""
    made = Attempt.objects.filter(clinic=clinic, called_at__isnull=False, status__in=CARRIED_OUT)
    before = Q(called_at__lt=OuterRef("called_at")) | Q(
        called_at=OuterRef("called_at"), pk__lt=OuterRef("pk")
    )
    earlier = Attempt.objects.filter(before, task__step=OuterRef("task__step"), status__in=CARRIED_OUT)
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


def returned(clinic: Clinic, days: Days) -> Iterable[Happened]:
    for at, came in first_contacts(clinic, days).values_list("called_at", "returned"):
        if at:
            yield Happened(at + RETURN_WITHIN, part=int(came))


def holds_over(clinic: Clinic, days: Days) -> QuerySet[Appointment]:
    """Visits that were held for a result, whose time has come."""
    return Appointment.objects.filter(
        clinic=clinic,
        practitioner__clinic=clinic,  # so that the calendar's index is used
        awaits__isnull=False,
        start__gte=days.since,
        start__lt=days.until,
    )


def holds(clinic: Clinic, days: Days) -> Iterable[Happened]:
    for at, status in holds_over(clinic, days).values_list("start", "status"):
        yield Happened(at, part=int(status in CAME))


def ended(clinic: Clinic, days: Days) -> Iterable[Happened]:
    """Journeys that ended, how many days they had lived, and whether the patient was lost."""
    lost = ~Q(lost_because=LostBecause.NOT_LOST) | Q(losing=True)
    journeys = judged_journeys(clinic, days.since, days.until).annotate(lost=lost)
    for opened, at, is_lost in journeys.values_list("opened_at", "ended_at", "lost"):
        yield Happened(at, (at - opened) // ONE_DAY, part=int(is_lost))
