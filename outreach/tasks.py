"""Celery shells of outreach."""

from dataclasses import asdict

from celery import shared_task
from django.utils import timezone

from outreach import actions, closing, dispatch as outbox


@shared_task
def open_tasks() -> int:
    return actions.open_tasks(now=timezone.now())


@shared_task
def plan_attempts() -> int:
    return actions.plan_attempts(now=timezone.now())


@shared_task
def dispatch() -> dict[str, int]:
    return asdict(outbox.dispatch(now=timezone.now()))


@shared_task
def close_forgotten() -> int:
    return closing.close_forgotten(now=timezone.now())


@shared_task
def recover() -> dict[str, int]:
    """What was left lying: leases of dead workers, calls nobody made in time, plans about steps that ended."""
    now = timezone.now()
    return asdict(outbox.recover(now=now)) | {
        "missed_calls": actions.plan_missed_calls(now=now),
        "not_needed": actions.cancel_for_steps(now=now),
    }
