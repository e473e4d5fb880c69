"""What was planned and cannot leave as it was: withdrawn, said why, and planned another way. Nothing is left lying."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from journeys.claims import BATCH
from outreach.because import Because
from outreach.channels import PHONE, in_use
from outreach.decisions import note_stopped
from outreach.followup import CHUNK, REPLANNED, withdraw
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from patients.models import Channel

PLANNED = Attempt.objects.filter(status=AttemptStatus.PLANNED)


@transaction.atomic
def plan_anew(attempts: QuerySet[Attempt], rule: Because, *, now: datetime) -> int:
    """Returns how many of their tasks are planned again; one that is under way on another channel is not."""
    stopped = withdraw(attempts, REPLANNED, now=now)
    note_stopped(stopped, rule, now=now)
    listed, planned = sorted({each.task_id for each in stopped}), 0
    for start in range(0, len(listed), CHUNK):
        some = OutreachTask.objects.filter(pk__in=listed[start : start + CHUNK], status=TaskStatus.OPEN)
        planned += some.exclude(attempts__status=AttemptStatus.SENDING).update(plan_from=now)
    return planned


def plan_missed(*, now: datetime) -> int:
    """What was not made before its window closed is planned anew, never late: calls that nobody made, and messages
    whose sender was down.
    """
    missed = PLANNED.filter(channel__in=Channel.values, send_at__lte=now, expires_at__lte=now)
    calls, messages = missed.filter(channel=PHONE), missed.exclude(channel=PHONE)
    return _some_anew(calls, Because.NOT_MADE, now=now) + _some_anew(messages, Because.TOO_LATE, now=now)


def plan_switched_off(*, now: datetime) -> int:
    """A channel that is off, or has lost a key, serves nobody: what was planned on it goes another way."""
    off = PLANNED.filter(channel__in=set(Channel.values) - in_use())
    return _some_anew(off, Because.CHANNEL_OFF, now=now)


def _some_anew(attempts: QuerySet[Attempt], rule: Because, *, now: datetime) -> int:
    some = list(attempts.values_list("pk", flat=True)[:BATCH])
    return plan_anew(attempts.filter(pk__in=some), rule, now=now) if some else 0
