"""When a patient has changed her card, what is planned for her is planned anew where it no longer fits."""

from datetime import datetime

from django.db import transaction

from outreach.followup import REPLANNED, withdraw
from outreach.models import WAITED_FOR, Attempt, AttemptStatus, OutreachTask, TaskStatus
from patients.models import Patient, ServiceCard
from patients.queries import patient_hours
from patients.windows import is_open


@transaction.atomic
def plan_by_card(patient: Patient, card: ServiceCard, *, now: datetime) -> int:
    """Contacts outside her hours, or on another channel than she asked for; the next tick plans them. How many.

    What is on its way is not called back, what fits stays as it is, and so does what she waits for now, as our
    answer to her.
    """
    hours = patient_hours(patient, card)
    planned = Attempt.objects.filter(patient=patient, status=AttemptStatus.PLANNED)
    unfit = [
        attempt
        for attempt in planned.exclude(task__message_key__in=WAITED_FOR)
        if not is_open(attempt.send_at, hours) or (card.channel and attempt.channel != card.channel)
    ]
    ended = withdraw(planned.filter(pk__in=[attempt.pk for attempt in unfit]), REPLANNED, now=now)
    tasks = OutreachTask.objects.filter(pk__in=[attempt.task_id for attempt in unfit], status=TaskStatus.OPEN)
    tasks.exclude(attempts__status=AttemptStatus.SENDING).update(plan_from=now)
    return len(ended)
