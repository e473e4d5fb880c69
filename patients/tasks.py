"""Celery shells of the patients app."""

from celery import shared_task
from django.utils import timezone

from patients import actions
from patients.models import Clinic


@shared_task
def load_closed_days() -> int:
    """Public holidays of this year and the next, so that deadlines and contacts far ahead know them."""
    year = timezone.now().year
    return sum(actions.load_closed_days(clinic, [year, year + 1]) for clinic in Clinic.objects.all())
