"""Celery shells of outreach."""

from dataclasses import asdict

from celery import shared_task
from django.utils import timezone

from outreach import (
    actions,
    anew,
    closing,
    dispatch as outbox,
    enclosed,
    incoming,
    letters,
    milestones,
    of_age,
    praise,
)
from outreach.channels import by_machine


@shared_task
def open_tasks() -> int:
    return actions.open_tasks(now=timezone.now())


@shared_task
def plan_attempts() -> int:
    return actions.plan_attempts(now=timezone.now())


@shared_task
def dispatch() -> None:
    """A tick of its own for each channel, so that none waits for another one's provider."""
    for channel, transport in by_machine().items():
        for _tick in range(outbox.ticks_for(transport)):
            dispatch_on.apply_async((channel,), expires=outbox.INTERVAL.total_seconds())


@shared_task
def dispatch_on(channel: str) -> dict[str, int]:
    return asdict(outbox.serve(channel, now=timezone.now()))


@shared_task
def work_events() -> int:
    return incoming.work_events(now=timezone.now())


@shared_task
def fetch_files() -> int:
    return enclosed.fetch_files(now=timezone.now())


@shared_task
def hear_letters() -> int:
    return letters.hear_letters(now=timezone.now())


@shared_task
def prompt_recognition() -> int:
    return praise.prompt_recognition(now=timezone.now())


@shared_task
def close_forgotten() -> int:
    return closing.close_forgotten(now=timezone.now())


@shared_task
def recover() -> dict[str, int]:
    """What was left lying: leases of dead workers, what was not made in time, calls about a decision in doubt or to who
    is told no longer, plans on channels that are off, or about steps that ended.
    """
    now = timezone.now()
    return asdict(outbox.recover(now=now)) | {
        "missed": anew.plan_missed(now=now),
        "held": anew.plan_held(now=now),
        "birthdays": anew.plan_after_birthdays(now=now),
        "switched_off": anew.plan_switched_off(now=now),
        "not_needed": actions.cancel_for_steps(now=now),
        "emptied": incoming.empty_old_events(now=now),
    }


@shared_task
def thank_for_a_year() -> int:
    return milestones.thank_for_a_year(now=timezone.now())


@shared_task
def ask_who_came_of_age() -> int:
    return of_age.ask_who_came_of_age(now=timezone.now())
