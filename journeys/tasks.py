"""Celery shells of the engine."""

from celery import shared_task
from django.utils import timezone

from journeys import watch


@shared_task
def watch_steps() -> int:
    return watch.watch_steps(now=timezone.now())
