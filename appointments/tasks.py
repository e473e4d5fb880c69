"""Celery shells of the calendar."""

from celery import shared_task
from django.utils import timezone

from appointments import actions, displaced, holds, openings
from appointments.models import Appointment


@shared_task
def settle_holds() -> int:
    return holds.settle_holds(now=timezone.now())


@shared_task
def offer_openings() -> int:
    return openings.offer_openings(now=timezone.now())


@shared_task
def fill_slots() -> int:
    """Cut the days ahead into cells; a visit that a closed day has left without hours asks to be moved."""
    now = timezone.now()
    made = actions.fill_slots(now)
    displaced.ask_to_move_all(Appointment.objects.all(), now=now)
    return made
