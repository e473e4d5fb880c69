"""The outbox: claim, look once more, send, record. The one place from which a message leaves.

A contact is made at most once. Three commits see to that: the claim with its lease; `called_at`, right before
the channel is called; the outcome. A worker that dies before `called_at` has sent nothing, so its attempt is
planned again; one that dies after it may have, so nobody repeats it unless the channel honours our reference.

The commit that begins a call also notes that the one before it was taken, so one message at a time is in doubt;
what follows from that is written for many at once, and by recover() where a worker died in between. Only where the
channel honours our reference does one commit begin many calls (docs/decisions/029).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, transaction

from journeys.claims import TICK_SHARE, Alarm, claim_due
from outreach import door, outcomes, senders
from outreach.channels import Transport, WhenUnclear, by_machine, pace_of
from outreach.models import Attempt, AttemptStatus
from outreach.outcomes import Taken
from outreach.senders import Turns
from outreach.tour import Tour

INTERVAL = timedelta(seconds=5)
LEASE = timedelta(seconds=90)  # longer than any channel may take to answer
BATCH = 100
MANY = 500  # where a tick has carried all, the next batch is twice as large: what they share is read once
FAST = 20  # messages a second
GATHERS = timedelta(milliseconds=200)  # what becomes due so near together is claimed together


@dataclass(frozen=True)
class Counts:
    sent: int = 0
    replanned: int = 0
    retried: int = 0
    failed: int = 0
    unknown: int = 0

    def plus(self, what: str, count: int = 1) -> "Counts":
        return replace(self, **{what: getattr(self, what) + count}) if what else self


class Clock:
    """Goes on from `now`: a slow channel must not outlive its lease, nor a window.

    Parts of a second matter to a pace alone.
    """

    def __init__(self, now: datetime, *, exact: bool) -> None:
        self._now, self._started, self._exact = now, monotonic(), exact

    def __call__(self) -> datetime:
        passed = monotonic() - self._started
        return self._now + timedelta(seconds=passed if self._exact else int(passed))


def dispatch(*, now: datetime, lasts: timedelta = INTERVAL, limit: int = 0) -> Counts:
    """Send what is due on each channel that the machine serves, one after the other."""
    counts = Counts()
    for channel in by_machine():
        counts = dispatch_on(channel, now=now, lasts=lasts, limit=limit, counts=counts)
    return counts


def serve(channel: str, *, now: datetime, lasts: timedelta = INTERVAL) -> Counts:
    """One tick of one channel: send what is due, and what becomes due before the next tick comes.

    Each channel has its own tick, so that a slow provider keeps nobody waiting but its own patients.
    """
    counts, clock, until = Counts(), Clock(now, exact=True), now + lasts
    while True:
        at = clock()
        counts = dispatch_on(channel, now=at, lasts=max(until - at, timedelta(0)), counts=counts)
        coming = Attempt.objects.filter(
            channel=channel, status=AttemptStatus.PLANNED, send_at__gt=clock(), send_at__lte=until
        )
        due = coming.order_by("send_at").values_list("send_at", flat=True).first()
        if due is None:
            return counts
        senders.wait_until(max(due, clock() + GATHERS), now=clock())


def ticks_for(transport: Transport) -> int:
    """Two where a sender is so fast that one tick would leave gaps while it claims and looks at a batch."""
    return 2 if pace_of(transport) > FAST else 1


def dispatch_on(
    channel: str,
    *,
    now: datetime,
    lasts: timedelta = INTERVAL,
    limit: int = 0,
    counts: Counts | None = None,
) -> Counts:
    """Send what is due on one channel, at its sender's pace, until nothing is left or the tick is spent.

    A sender with a pace needs the whole tick: what it left out would never be made good.
    """
    transport, counts = by_machine()[channel], counts or Counts()
    pace = pace_of(transport)
    clock = Clock(now, exact=pace > 0)
    until = now + (lasts if pace else lasts * TICK_SHARE)
    limit, grows_to = (limit, limit) if limit else (BATCH, MANY)
    turns = Turns(channel, pace, clock=clock, until=until)
    turn = senders.turn_of(channel, now=clock())
    with Tour(transport, turns) as tour:
        while turn:
            lease = uuid.uuid4()
            most = 1 if turn.is_try else senders.fitting(pace, now=clock(), until=until, limit=limit)
            claimed = _claim([channel], lease, now=clock(), limit=most)
            parcels = door.open_parcels(claimed, lease, now=clock())
            turns.until = max(until, clock())  # the first always goes, however slow the database was
            is_tried = turn.is_try and bool(parcels)
            tour.carry(parcels, turn)
            if parcels or len(claimed) < most or is_tried or clock() > until:
                break
            limit = min(limit * 2, grows_to)
            if not turn.is_try:  # else what could not leave said nothing of the provider: the next is tried
                turn = senders.turn_of(channel, now=clock())
    for what, count in tour.counted.items():
        counts = counts.plus(what, count)
    return counts


def _claim(channels: Sequence[str], lease: uuid.UUID, *, now: datetime, limit: int) -> list[int]:
    """Lease up to `limit` attempts that are due, one a patient and one an address."""
    if not channels:
        return []
    values = {"lease": lease, "until": now + LEASE}
    try:
        with transaction.atomic():
            return [row[0] for row in claim_due(due_on(channels), now=now, limit=limit, **values)]
    except (
        IntegrityError,
        OperationalError,
    ):  # another worker or a call was quicker with one of these patients
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
        in_turn=True,
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


def recover(*, now: datetime) -> Counts:
    """Leases that ran out. What was taken is settled, and what never began is planned again; what began and is not
    known to have been taken is unknown, or safe to repeat.
    """
    counts = Counts()
    expired = Attempt.objects.filter(status=AttemptStatus.SENDING, lease_until__lte=now).select_related(
        "task__step__template_step", "task__patient__clinic", "contact_point"
    )
    transports = by_machine()
    for attempt in expired.order_by("lease_until")[:BATCH]:
        transport = transports.get(attempt.channel)
        repeats = transport is not None and transport.abilities.when_unclear == WhenUnclear.REPEAT
        noted = attempt.sent_at and Taken(attempt, attempt.sent_at, attempt.provider_reference)
        if noted and outcomes.settle([noted], now=now):
            counts = counts.plus("sent")
        elif attempt.called_at is None or (repeats and not noted):
            counts = counts.plus(outcomes.again(attempt))
        else:
            counts = counts.plus(outcomes.unclear(attempt, now=now))
    return counts
