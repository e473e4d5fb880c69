"""The Celery shell of imports."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from clinic_journey.importing import forget, work

LASTS = timedelta(seconds=4)  # less than the interval of the tick


@shared_task
def go_on_importing() -> int:
    return work.work(timezone.now, lasts=LASTS)


@shared_task
def forget_imports() -> int:
    return forget.forget_imports(timezone.now())
