"""Celery shells of outreach."""

from dataclasses import asdict

from celery import shared_task
from django.utils import timezone

from outreach import actions, dispatch as outbox


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
def recover() -> dict[str, int]:
    return asdict(outbox.recover(now=timezone.now()))
