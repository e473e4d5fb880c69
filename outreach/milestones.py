"""Thanks at milestones: after a stage, after a year. At most one a month, and never a word of money (S2.5).

After a stage the journey's own template thanks (journeys/catalogue); a year is found here.
"""

import logging
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from appointments.models import Appointment, AppointmentStatus
from journeys.actions import NewJourney, start_journey
from journeys.models import Journey
from outreach.message_keys import THANKS
from outreach.models import Attempt, AttemptStatus, OutreachTask
from patients.actions import RefusedError, lock_patient
from patients.models import Patient, PatientStatus

logger = logging.getLogger(__name__)

MONTH, YEAR = timedelta(days=30), timedelta(days=366)
YEAR_THANKS = "year_thanks"  # the template of the catalogue
STILL_A_YEAR = timedelta(days=40)  # longer than a month, so that another thank-you only postpones this one
NEVER_LEFT = (AttemptStatus.CANCELLED, AttemptStatus.FAILED)


def is_too_soon(task: OutreachTask, *, now: datetime) -> bool:
    """Whether this would be the second thank-you within a month. Inside atomic()."""
    if task.message_key not in THANKS:
        return False
    lock_patient(task.patient_id)  # two thanks planned at once must see each other
    return _thanks_to(task.patient_id, now=now).exclude(task=task).exists()


def _thanks_to(patient_id: int, *, now: datetime) -> QuerySet[Attempt]:
    sent = Attempt.objects.filter(patient=patient_id, task__message_key__in=THANKS, send_at__gt=now - MONTH)
    return sent.exclude(status__in=NEVER_LEFT)


def thank_for_a_year(*, now: datetime) -> int:
    """Start the thanks of patients who came to us a year ago and were here since. Returns how many."""
    return sum(_thank(patient_id, now=now) for patient_id in with_us_for_a_year(now=now))


def with_us_for_a_year(*, now: datetime) -> list[int]:
    a_year_ago = _a_year_before(now.date())
    here_since = Appointment.objects.filter(
        status=AppointmentStatus.FULFILLED, start__gt=now - YEAR, patient__isnull=False
    ).exclude(step__journey__is_confidential=True)  # her parents would learn from it that she was here
    found = Patient.objects.filter(
        status=PatientStatus.ACTIVE,
        since_on__lte=a_year_ago,
        since_on__gt=a_year_ago - STILL_A_YEAR,
        pk__in=here_since.values("patient"),
    )
    thanked = Journey.objects.filter(template__key=YEAR_THANKS, patient__isnull=False).values("patient")
    return list(found.exclude(pk__in=thanked).values_list("pk", flat=True))


@transaction.atomic
def _thank(patient_id: int, *, now: datetime) -> bool:
    """Once; under the patient's lock, for two workers may have found the same. Within a month of others: later."""
    patient = lock_patient(patient_id)
    if (
        patient.journeys.filter(template__key=YEAR_THANKS).exists()
        or _thanks_to(patient_id, now=now).exists()
    ):
        return False
    try:
        with transaction.atomic():
            start_journey(patient, NewJourney(YEAR_THANKS), now=now)
    except RefusedError as refusal:  # a clinic without hours; it is looked at again tomorrow
        logger.info("Patient %s is not thanked for the year: %s", patient_id, type(refusal).__name__)
        return False
    return True


def _a_year_before(day: date) -> date:
    """29 February has its year on the 28th."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
