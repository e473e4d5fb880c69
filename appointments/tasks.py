"""Celery shells of the calendar."""

from celery import shared_task
from django.utils import timezone

from appointments import actions, holds


@shared_task
def settle_holds() -> int:
    return holds.settle_holds(now=timezone.now())


@shared_task
def fill_slots() -> int:
    return actions.fill_slots(timezone.now())
