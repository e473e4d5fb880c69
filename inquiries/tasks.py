"""Celery shells of inquiries."""

from celery import shared_task
from django.utils import timezone

from inquiries import heard, outbox


@shared_task
def send_answers() -> int:
    return outbox.send_answers(now=timezone.now())


@shared_task
def hear() -> int:
    return heard.hear(now=timezone.now())
