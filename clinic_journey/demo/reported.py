"""What makes the reports of the demo worth a look: patients who had to ask, held visits that took place, a price."""

from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User

from appointments.attendance import fulfil, no_show
from appointments.models import Appointment, AppointmentStatus
from clinic_journey.reports.digest_actions import set_digest
from clinic_journey.reports.money_actions import set_visit_value
from clinic_journey.reports.standards_actions import load_standards, rebuild_days
from journeys.chases import log_chase
from journeys.models import Step, StepKind, StepStatus
from patients.actions import RefusedError
from patients.models import Clinic

ASKED = ("What about my images?", "You said you would call.", "Is there any news?", "When is my visit?")
MISSED = 5  # every so many held visits the patient does not come


def make_reports(clinic: Clinic, desk: User, manager: User, *, now: datetime) -> None:
    _attend(clinic, desk, now=now)
    _ask(clinic, desk, now=now)
    set_visit_value(clinic, Decimal(350), "ILS")
    set_digest(manager, clinic, hour=8, language="en", is_on=True)
    load_standards([clinic])
    rebuild_days(clinic, now=now)


def _attend(clinic: Clinic, desk: User, *, now: datetime) -> None:
    over = Appointment.objects.filter(
        clinic=clinic, status=AppointmentStatus.BOOKED, awaits__isnull=False, end__lte=now
    ).select_related("practitioner__clinic", "step", "patient")
    for nth, visit in enumerate(over.order_by("start", "pk"), start=1):
        with suppress(RefusedError):
            (fulfil if nth % MISSED else no_show)(visit, now=visit.end, by=desk)


def _ask(clinic: Clinic, desk: User, *, now: datetime) -> None:
    """Of those who wait longest for us, some have called; always the same ones."""
    waiting = Step.objects.filter(
        clinic=clinic,
        status=StepStatus.ACTIVE,
        kind__in=[StepKind.REVIEW, StepKind.BOOK],
        opened_at__lt=now - timedelta(days=2),
        journey__patient__isnull=False,
    ).select_related("journey")
    for nth, (step, words) in enumerate(zip(waiting.order_by("opened_at", "pk"), ASKED, strict=False)):
        log_chase(step, now=now - timedelta(hours=3 + 9 * nth), by=desk, words=words)
