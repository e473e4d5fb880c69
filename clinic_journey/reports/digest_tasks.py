"""The Celery shell of the managers' morning."""

from celery import shared_task
from django.utils import timezone

from clinic_journey.reports.digest_actions import send_digests as send


@shared_task
def send_digests() -> int:
    return send(now=timezone.now())
