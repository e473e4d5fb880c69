"""The Celery shells of the reports."""

import logging

from celery import shared_task
from django.utils import timezone

from clinic_journey.reports import (
    digest_actions,
    numbers_days,
    numbers_silent,
    standards_actions,
    summaries,
    weekly_actions,
)
from patients.models import Clinic

log = logging.getLogger(__name__)


@shared_task
def count_stages() -> int:
    """One clinic whose numbers cannot be counted does not stop the others."""
    weeks = 0
    for clinic in Clinic.objects.order_by("pk"):
        try:
            weeks += summaries.catch_up(clinic, now=timezone.now())
        except Exception:
            log.exception("stages of clinic %s were not counted", clinic.pk)
    return weeks


@shared_task
def send_weekly_reports() -> int:
    return weekly_actions.send_due(timezone.now())


@shared_task
def rebuild_standard_days() -> int:
    """A clinic that fails leaves its days to be counted live, and the others theirs."""
    now, written = timezone.now(), 0
    for clinic in Clinic.objects.order_by("pk"):
        try:
            written += standards_actions.rebuild_days(clinic, now=now)
            written += numbers_days.rebuild_numbers(clinic, now=now)
            numbers_silent.count_silent(clinic, now=now)
        except Exception:
            log.exception("The days of clinic %s were not counted.", clinic.pk)
    return written


@shared_task
def send_digests() -> int:
    return digest_actions.send_digests(now=timezone.now())
