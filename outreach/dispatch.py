"""The outbox: claim, look once more, send, record. The one place from which a message leaves.

A contact is made at most once. Three commits see to that: the claim with its lease; `called_at`, right before
the channel is called; the outcome. A worker that dies before `called_at` has sent nothing, so its attempt is
planned again; one that dies after it may have, so nobody repeats it unless the channel honours our reference.
"""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from journeys.actions import lock_journey
from journeys.claims import TICK_SHARE, Alarm, claim_due
from outreach import door, followup, senders
from outreach.actions import opt_out
from outreach.because import Because
from outreach.channels import (
    FOR_A_MOMENT,
    ChannelError,
    LooksUp,
    Message,
    Receipt,
    Transport,
    Trouble,
    WhenUnclear,
    by_machine,
    pace_of,
)
from outreach.decisions import note_put_off
from outreach.door import Parcel
from outreach.followup import HandOver
from outreach.models import Attempt, AttemptStatus
from outreach.senders import Turn
from outreach.unanswered import count_unanswered
from patients.actions import mark_address
from patients.models import AddressStatus

logger = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=5)
LEASE = timedelta(seconds=90)  # longer than any channel may take to answer
MOMENT = timedelta(seconds=1)
BATCH = 100
BACKOFF = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)
)  # while a channel is down for a moment


@dataclass(frozen=True)
class Counts:
    sent: int = 0
    replanned: int = 0
    retried: int = 0
    failed: int = 0
    unknown: int = 0

    def plus(self, what: str) -> "Counts":
        return replace(self, **{what: getattr(self, what) + 1}) if what else self


def dispatch(*, now: datetime, lasts: timedelta = INTERVAL, limit: int = BATCH) -> Counts:
    """Send what is due on each channel that the machine serves, one after the other."""
    counts = Counts()
    for channel in by_machine():
        counts = dispatch_on(channel, now=now, lasts=lasts, limit=limit, counts=counts)
    return counts


def dispatch_on(
    channel: str,
    *,
    now: datetime,
    lasts: timedelta = INTERVAL,
    limit: int = BATCH,
    counts: Counts | None = None,
) -> Counts:
    """Send what is due on one channel, at its sender's pace, until nothing is left or most of the tick is spent.

    Each channel has its own tick, so that a slow provider keeps nobody waiting but its own patients.
    """
    counts, started = counts or Counts(), monotonic()
    transport, share = by_machine()[channel], lasts * TICK_SHARE
    pace = pace_of(transport)

    def clock() -> datetime:
        """A slow channel must not outlive its lease, nor a window. Parts of a second matter to a pace alone."""
        passed = monotonic() - started
        return now + timedelta(seconds=passed if pace else int(passed))

    while turn := senders.turn_of(channel, now=clock()):
        lease = uuid.uuid4()
        most = 1 if turn.is_try else senders.fitting(pace, now=clock(), until=now + share, limit=limit)
        claimed = _claim([channel], lease, now=now, limit=most)
        parcels = door.open_parcels(claimed, lease, now=clock())
        until = max(now + share, clock())  # the first always goes, however slow the database was
        while parcels:
            free = senders.next_turn(channel, pace, now=clock(), until=until)
            if free is None:
                return _all_back(parcels, counts, now=clock())
            senders.wait_until(free, now=clock())
            what = deliver(parcels.pop(0), transport, turn, now=free)
            counts = counts.plus(what)
            if what != "sent" and channel in senders.resting(now=free):
                return _all_back(parcels, counts, now=clock())
        if len(claimed) < most or turn.is_try or monotonic() - started > share.total_seconds():
            break
    return counts


def _all_back(parcels: Sequence[Parcel], counts: Counts, *, now: datetime) -> Counts:
    """Claimed, but not begun: their turn comes with a later tick, or another way where the sender is down."""
    is_down = bool(parcels) and parcels[0].attempt.channel in senders.down()
    for parcel in parcels:
        lease = parcel.attempt.lease
        if is_down and lease:
            door.put_back(parcel.attempt, lease, Because.SENDER_DOWN, now=now)
        else:
            _again(parcel.attempt)
    return counts


def _claim(channels: Sequence[str], lease: uuid.UUID, *, now: datetime, limit: int) -> list[int]:
    """Lease up to `limit` attempts that are due, one a patient and one an address."""
    if not channels:
        return []
    values = {"lease": lease, "until": now + LEASE}
    try:
        with transaction.atomic():
            return [row[0] for row in claim_due(due_on(channels), now=now, limit=limit, **values)]
    except IntegrityError:  # another worker or a call was quicker with one of these patients
        return _claim_one_by_one(channels, lease, now=now, limit=limit)


def due_on(channels: Sequence[str]) -> Alarm:
    """Planned attempts; of one patient or address the earliest, and none while another is under way."""
    listed = ", ".join(f"'{channel}'" for channel in channels)  # names from our own settings
    table = Attempt._meta.db_table
    ahead = (
        f"(other.status = 'sending' OR other.status = 'planned' AND other.channel IN ({listed})"
        f" AND other.send_at <= {table}.send_at AND (other.send_at < {table}.send_at OR other.id < {table}.id))"
    )
    waits = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {table} other WHERE other.{shared} = {table}.{shared}"  # noqa: S608 - our names
        f" AND other.status IN ('planned', 'sending') AND {ahead})"
        for shared in ("patient_id", "contact_point_id")
    )
    return Alarm(
        model=Attempt,
        column="send_at",
        armed=f"status = 'planned' AND channel IN ({listed}) AND {waits}",
        takes={
            "status": "'sending'",
            "lease": "%(lease)s",
            "lease_until": "%(until)s",
            "called_at": "NULL",
        },
    )


def _claim_one_by_one(channels: Sequence[str], lease: uuid.UUID, *, now: datetime, limit: int) -> list[int]:
    """The same batch row by row, so that one clash costs one row (house.md 8 B 4)."""
    due = Attempt.objects.filter(status=AttemptStatus.PLANNED, channel__in=channels, send_at__lte=now)
    claimed = []
    for pk in list(due.order_by("send_at").values_list("pk", flat=True)[:limit]):
        try:
            with transaction.atomic():
                claimed += [pk] * take(pk, lease, now=now, lasts=LEASE)
        except IntegrityError:
            continue  # the patient or the address is being contacted; its turn comes with the next tick
    return claimed


def take(pk: int, lease: uuid.UUID, *, now: datetime, lasts: timedelta, by: User | None = None) -> int:
    """Lease one planned attempt; 1 when it is ours. IntegrityError where its patient or address is busy."""
    return Attempt.objects.filter(pk=pk, status=AttemptStatus.PLANNED).update(
        status=AttemptStatus.SENDING, lease=lease, lease_until=now + lasts, called_at=None, claimed_by=by
    )


def deliver(parcel: Parcel, transport: Transport, turn: Turn, *, now: datetime) -> str:
    """Commit that the call begins, call with no transaction open, commit what came of it. Returns the count."""
    attempt, lease = parcel.attempt, parcel.attempt.lease
    ours = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.SENDING, lease=lease)
    conditions = door.nothing_forbids(attempt, now=now).values()
    up = senders.lets_out(turn, now=now)
    begun = ours.filter(up, *conditions, lease_until__gt=now).update(
        called_at=now,
        language=parcel.rendered.language,
        subject=parcel.rendered.subject[:200],
        body=parcel.rendered.body,
    )
    if not begun:
        return _not_begun(attempt, turn, now=now)
    try:
        receipt = transport.send(parcel.message)
    except ChannelError as error:
        if error.retry_after is not None and error.trouble == Trouble.BUSY:
            return _waits(attempt, now + max(error.retry_after, MOMENT), now=now)
        if error.trouble in FOR_A_MOMENT:
            senders.failed(attempt.channel, str(error), now=now)
        else:  # the provider is well, it only does not want this one
            senders.worked(turn, now=now)
        return _refused(attempt, error, now=now)
    except Exception as error:
        logger.exception("Attempt %s: the channel broke off; nobody knows whether it arrived.", attempt.pk)
        senders.failed(attempt.channel, type(error).__name__, now=now)
        found = _looked_up(parcel.message, transport, since=now)
        return _sent(attempt, found, now=now) if found else _unclear(attempt, now=now)
    senders.worked(turn, now=now)
    return _sent(attempt, receipt, now=now)


def _not_begun(attempt: Attempt, turn: Turn, *, now: datetime) -> str:
    """Forbidden since the claim, or its sender rests since then, or our lease is over."""
    because = door.forbidden_by(attempt, now=now)
    until = None if turn.is_try else senders.rests_until(attempt.channel, now=now)
    if because is None and until and attempt.channel not in senders.down():
        return _later(attempt, until, now=now)
    because = because or (Because.SENDER_DOWN if until else Because.TOO_LATE)
    lease = attempt.lease
    return "replanned" if lease and door.put_back(attempt, lease, because, now=now) else ""


def _looked_up(message: Message, transport: Transport, *, since: datetime) -> Receipt | None:
    """Whether the provider's own list has the message. Not found says nothing: it may be listed a moment later."""
    if transport.abilities.when_unclear != WhenUnclear.LOOK_UP or not isinstance(transport, LooksUp):
        return None
    try:
        return transport.look_up(message, since=since)
    except Exception as error:  # noqa: BLE001 - whatever it is, the message stays unclear
        logger.info("The look-up failed, too: %s", type(error).__name__)
        return None


def _waits(attempt: Attempt, until: datetime, *, now: datetime) -> str:
    """The provider asks us to wait: certainly not sent, so the same attempt goes out then, if it may still."""
    senders.pause(attempt.channel, until)
    return _later(attempt, until, now=now)


@transaction.atomic
def _later(attempt: Attempt, until: datetime, *, now: datetime) -> str:
    what = _again(attempt, at=until)
    if what:
        note_put_off([attempt], Because.SENDER_RESTS, now=now, until=until)
    return what


def _end(attempt: Attempt, status: AttemptStatus, *, now: datetime, **fields: object) -> bool:
    """Write the outcome while the lease is still ours; False: somebody else decided, and theirs stands."""
    ours = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.SENDING, lease=attempt.lease)
    if not ours.update(status=status, lease=None, lease_until=None, ended_at=now, **fields):
        return False
    count_unanswered([attempt.task_id])
    return True


@transaction.atomic
def _sent(attempt: Attempt, receipt: Receipt, *, now: datetime) -> str:
    lock_journey(attempt.task.step.journey_id)
    reference = receipt.provider_reference[:120]
    if not _end(attempt, AttemptStatus.SENT, now=now, sent_at=now, provider_reference=reference):
        return ""
    followup.after_contact(attempt.task, now=now)
    return "sent"


@transaction.atomic
def _refused(attempt: Attempt, error: ChannelError, *, now: datetime) -> str:
    """Certainly not sent. For good: the next address or channel. For now: the same again, later."""
    lock_journey(attempt.task.step.journey_id)
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
def _unclear(attempt: Attempt, *, now: datetime) -> str:
    """Nobody knows whether it arrived: never repeated blindly, shown to a person instead."""
    lock_journey(attempt.task.step.journey_id)
    if not _end(attempt, AttemptStatus.UNKNOWN, now=now, outcome=HandOver.NOT_KNOWN.value):
        return ""
    followup.hand_over(attempt.task, HandOver.NOT_KNOWN, now=now)
    return "unknown"


def recover(*, now: datetime) -> Counts:
    """Leases that ran out: what never began is planned again; what began is unknown, or safe to repeat."""
    counts = Counts()
    expired = Attempt.objects.filter(status=AttemptStatus.SENDING, lease_until__lte=now).select_related(
        "task__step", "task__patient", "contact_point"
    )
    transports = by_machine()
    for attempt in expired.order_by("lease_until")[:BATCH]:
        transport = transports.get(attempt.channel)
        repeats = transport is not None and transport.abilities.when_unclear == WhenUnclear.REPEAT
        if attempt.called_at is None or repeats:
            counts = counts.plus(_again(attempt))
        else:
            counts = counts.plus(_unclear(attempt, now=now))
    return counts


@transaction.atomic
def _again(attempt: Attempt, *, at: datetime | None = None) -> str:
    """Back to planned under the same reference; past its window the door plans it anew."""
    ours = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.SENDING, lease=attempt.lease)
    moved = {"send_at": at} if at else {}
    back = ours.update(
        status=AttemptStatus.PLANNED, lease=None, lease_until=None, called_at=None, claimed_by=None, **moved
    )
    return "replanned" if back else ""
