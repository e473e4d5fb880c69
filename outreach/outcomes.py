"""What came of calls, written down: what was taken for a whole batch at once, whatever is unusual row by row.

An outcome is written while the lease is still ours; else somebody else decided, and theirs stands.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from journeys.actions import lock_journey
from journeys.claims import Changes, change_each
from journeys.models import Journey
from outreach import followup, senders
from outreach.actions import opt_out
from outreach.because import Because
from outreach.channels import ChannelError, Trouble
from outreach.decisions import note_put_off
from outreach.followup import HandOver
from outreach.models import Attempt, AttemptStatus
from outreach.unanswered import count_unanswered
from patients.actions import lock_patient, mark_address
from patients.models import AddressStatus

logger = logging.getLogger(__name__)

MOMENT = timedelta(seconds=1)
BACKOFF = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)
)  # while a channel is down for a moment

# Leased is under way, by constraint. Naming the status, too, would lead PostgreSQL to the index of all that are,
# which it believes to be none, instead of to the row by its key.
UNDER_OUR_LEASE = "outreach_attempt.lease = v.lease"
TAKEN = {"id": "bigint", "lease": "uuid", "at": "timestamptz", "reference": "text"}
NOTED = Changes(Attempt, TAKEN, {"sent_at": "v.at", "provider_reference": "v.reference"}, UNDER_OUR_LEASE)
SENT = Changes(
    Attempt,
    TAKEN,
    {**NOTED.takes, "status": "'sent'", "ended_at": "v.at", "lease": "NULL", "lease_until": "NULL"},
    UNDER_OUR_LEASE,
)


@dataclass(frozen=True)
class Taken:
    """A message that its channel took, called at this moment."""

    attempt: Attempt
    at: datetime
    reference: str = ""

    def row(self) -> dict[str, object]:
        return {
            "id": self.attempt.pk,
            "lease": self.attempt.lease,
            "at": self.at,
            "reference": self.reference[:120],
        }


def settle(taken: Sequence[Taken], *, now: datetime) -> int:
    """Write that these were sent, and all that follows. Returns how many were still ours.

    What fails costs one row: it stays under its lease, and recover() looks at it again.
    """
    try:
        return _settle(taken, now=now)
    except Exception:
        if len(taken) == 1:
            logger.exception("Attempt %s was sent, but what follows fails.", taken[0].attempt.pk)
            return 0
        logger.info("A batch of %s sent messages is settled one by one.", len(taken))
        return sum(settle([each], now=now) for each in taken)


@transaction.atomic
def _settle(taken: Sequence[Taken], *, now: datetime) -> int:
    journeys = {each.attempt.task.step.journey_id for each in taken}
    list(Journey.objects.select_for_update(no_key=True).filter(pk__in=journeys).order_by("pk").values("pk"))
    ours = change_each(SENT, [each.row() for each in taken])
    tasks = [each.attempt.task for each in taken if each.attempt.pk in ours]
    if tasks:
        count_unanswered([task.pk for task in tasks])
        followup.after_contacts(tasks, now=now)
    return len(tasks)


def _end(attempt: Attempt, status: AttemptStatus, *, now: datetime, **fields: object) -> bool:
    """False: not ours any more."""
    ours = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.SENDING, lease=attempt.lease)
    if not ours.update(status=status, lease=None, lease_until=None, ended_at=now, **fields):
        return False
    count_unanswered([attempt.task_id])
    return True


@transaction.atomic
def refused(attempt: Attempt, error: ChannelError, *, now: datetime) -> str:
    """Certainly not sent. For good: the next address or channel. For now: the same again, later."""
    lock_journey(attempt.task.step.journey_id)
    if error.trouble == Trouble.OPTED_OUT:
        lock_patient(attempt.patient_id)  # before the attempts, as whoever hears a STOP does
    outcome = "bad_address" if error.address_is_bad else error.trouble.value
    if not _end(attempt, AttemptStatus.FAILED, now=now, outcome=outcome, error=str(error)[:300]):
        return ""
    if error.address_is_bad:
        mark_address(attempt.contact_point, AddressStatus.BAD, now=now)
    if error.trouble == Trouble.OPTED_OUT:
        opt_out(attempt.patient, attempt, now=now, words=str(error))
    if error.permanent:
        followup.plan_again(attempt.task, at=now)
        return "failed"
    failed = attempt.task.attempts.filter(status=AttemptStatus.FAILED).count()
    if failed > len(BACKOFF):
        followup.hand_over(attempt.task, HandOver.CHANNEL_DOWN, now=now)
        return "failed"
    followup.plan_again(attempt.task, at=now + BACKOFF[failed - 1])
    return "retried"


@transaction.atomic
def unclear(attempt: Attempt, *, now: datetime) -> str:
    """Nobody knows whether it arrived: never repeated blindly, shown to a person instead."""
    lock_journey(attempt.task.step.journey_id)
    if not _end(attempt, AttemptStatus.UNKNOWN, now=now, outcome=HandOver.NOT_KNOWN.value, sent_at=None):
        return ""
    followup.hand_over(attempt.task, HandOver.NOT_KNOWN, now=now)
    return "unknown"


def waits(attempt: Attempt, until: datetime, *, now: datetime) -> str:
    """The provider asks us to wait: certainly not sent, so the same attempt goes out then, if it may still."""
    what = later(
        attempt, until, now=now
    )  # before the pause: where that is long, this one, too, goes another way
    senders.pause(attempt.channel, until, now=now)
    return what


@transaction.atomic
def later(attempt: Attempt, until: datetime, *, now: datetime) -> str:
    what = again(attempt, at=until)
    if what:
        note_put_off([attempt], Because.SENDER_RESTS, now=now, until=until)
    return what


@transaction.atomic
def again(attempt: Attempt, *, at: datetime | None = None) -> str:
    """Back to planned under the same reference; past its window the door plans it anew."""
    ours = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.SENDING, lease=attempt.lease)
    moved = {"send_at": at} if at else {}
    back = ours.update(
        status=AttemptStatus.PLANNED, lease=None, lease_until=None, called_at=None, claimed_by=None, **moved
    )
    return "replanned" if back else ""
