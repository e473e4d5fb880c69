"""What was planned and cannot leave as it was: withdrawn, said why, and planned another way. Nothing is left lying."""

from datetime import datetime, timedelta
from operator import attrgetter

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from journeys.claims import BATCH
from journeys.models import StepKind
from outreach.because import Because
from outreach.channels import PHONE, in_use
from outreach.decisions import note_stopped
from outreach.followup import CHUNK, REPLANNED, withdraw
from outreach.held import IN_DOUBT
from outreach.models import WAITED_FOR, Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.told import ties_to_use
from patients.models import GUARDIANS, Channel, Patient, PatientContact
from patients.told import ties_at, who_turned
from referrals.actions import FOLLOWS_A_DECISION

BIRTHDAYS = timedelta(days=7)  # should the clockwork have stood still; the door looks at each all the same
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


def plan_held(*, now: datetime) -> int:
    """A call about a decision that the doctor looks at once more leaves the list; it is planned again afterwards.

    A message is held at the door; a call has none but whoever makes it, who cannot know.
    """
    calls = PLANNED.filter(channel=PHONE, task__step__kind__in=FOLLOWS_A_DECISION, task__step__in=IN_DOUBT)
    calls = calls.exclude(task__step__kind=StepKind.CALL, task__step__template_step=None)  # her own question
    return _some_anew(calls, Because.DECIDED_ANEW, now=now)


def plan_after_birthdays(*, now: datetime) -> int:
    """What was to go to a parent, and is told to her from this birthday on: the call leaves the list."""
    turned = who_turned(attrgetter("own_word_age"), attrgetter("age_of_majority"), within=BIRTHDAYS, now=now)
    of_parents = PatientContact.objects.filter(
        patient=OuterRef("patient"), contact_point=OuterRef("contact_point"), relation__in=GUARDIANS
    )
    planned = PLANNED.filter(Exists(of_parents), patient__in=Patient.objects.filter(turned))
    planned = planned.exclude(task__message_key__in=WAITED_FOR).order_by("send_at", "pk")
    with_ties = planned.select_related("task__patient__clinic", "task__step__journey")
    some = with_ties.prefetch_related(ties_at("task__patient__contacts"))[:BATCH]
    others_told = [attempt.pk for attempt in some if _is_not_told(attempt, now=now)]
    return _some_anew(PLANNED.filter(pk__in=others_told), Because.NO_LONGER_TOLD, now=now)


def _is_not_told(attempt: Attempt, *, now: datetime) -> bool:
    usable = ties_to_use(attempt.task, now=now)
    return all(tie.contact_point_id != attempt.contact_point_id for tie in usable)


def _some_anew(attempts: QuerySet[Attempt], rule: Because, *, now: datetime) -> int:
    some = list(attempts.values_list("pk", flat=True)[:BATCH])
    return plan_anew(attempts.filter(pk__in=some), rule, now=now) if some else 0
