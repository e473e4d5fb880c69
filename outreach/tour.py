"""Claimed messages on their way out: each call is begun by a commit, made with no transaction open, and recorded."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from math import ceil
from operator import and_
from time import monotonic
from typing import Self

from django.db import connection
from django.db.models.sql import Query

from journeys.claims import Both, Changes
from outreach import door, outcomes, senders
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
)
from outreach.door import Parcel
from outreach.models import Attempt
from outreach.outcomes import MOMENT, NOTED, UNDER_OUR_LEASE, Taken
from outreach.senders import Turn, Turns
from patients.models import Clinic

logger = logging.getLogger(__name__)

TAKEN = "taken"
WORDS = {"id": "bigint", "lease": "uuid", "language": "text", "subject": "text", "body": "text"}
BEGINS = {"called_at": "%(now)s", "language": "v.language", "subject": "v.subject", "body": "v.body"}
IN_TIME = "outreach_attempt.lease_until > %(now)s AND outreach_attempt.expires_at > %(now)s"
IS_UP = (
    "NOT EXISTS (SELECT 1 FROM outreach_sender s"
    " WHERE s.channel = outreach_attempt.channel AND s.paused_until > %(now)s)"
)
AT_ONCE = 500  # calls begun by one commit, where our reference is honoured
TIME_TO_SETTLE = timedelta(milliseconds=50)


class Tour:
    """What one tick carries on one channel, batch by batch. Used in `with`, for as long as the tick lasts."""

    def __init__(self, transport: Transport, turns: Turns) -> None:
        self.transport, self.turn, self.turns = transport, Turn(turns.channel), turns
        self.counted: Counter[str] = Counter()
        self.taken: list[Taken] = []  # by the channel, and not settled yet
        self.since = monotonic()
        self.repeats = transport.abilities.when_unclear == WhenUnclear.REPEAT
        self.at_once = AT_ONCE if self.repeats else 1
        self.begins: Beginning | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_about: object) -> None:
        if self.begins and not failed:
            self.begins.over()

    def carry(self, parcels: list[Parcel], turn: Turn) -> None:
        """Deliver them in their order. What is left in the list has gone back: its turn comes with a later tick."""
        if not parcels:
            return
        self.turn, begins = turn, self._begins_for(parcels, turn)
        try:
            while parcels:
                at = self.turns.next(len(parcels))
                if at is None or not self._deliver_some(parcels, begins, at=at):
                    self._all_back(parcels)
                    break
        finally:
            self._settle()

    def _begins_for(self, parcels: Sequence[Parcel], turn: Turn) -> "Beginning":
        """That of the batch before, unless this one is of a clinic that it does not speak of."""
        clinics = {parcel.attempt.clinic_id: parcel.attempt.patient.clinic for parcel in parcels}
        if self.begins and self.begins.fits(clinics, turn):
            return self.begins
        if self.begins:
            self.begins.over()
            clinics = self.begins.clinics | clinics
        self.begins = Beginning(clinics, turn, of_one=not self.repeats)
        return self.begins

    def _deliver_some(self, parcels: list[Parcel], begins: "Beginning", *, at: datetime) -> bool:
        """Begin as many calls as may be in doubt together, and make them. False: the tick or its sender is done.

        What was begun more than a moment ago is begun anew, so that a STOP is seen in time.
        """
        self._use_the_time_until(at - self.turns.lead if self.turns.pace else at)
        some, started = parcels[: self.at_once], monotonic()
        begun = begins.begin(some, [] if self.repeats else self.taken[-1:], now=at)
        self.turns.lead = min(timedelta(seconds=monotonic() - started), MOMENT)
        moment: datetime | None = at
        for nth, parcel in enumerate(some):
            if nth and monotonic() - started > MOMENT.total_seconds():
                self.at_once = nth
                return True
            if parcel.attempt.pk not in begun:
                what = not_begun(parcel.attempt, self.turn, now=at)
            elif moment := self._kept(moment, len(parcels)):
                what, moment = self._call(parcel, now=moment), None
            else:
                return False
            del parcels[0]
            if what == TAKEN:
                continue
            self.counted.update([what] if what else [])
            if self.turns.channel in senders.resting(now=at):
                return False
        self.at_once = min(self.at_once * 2, AT_ONCE) if self.repeats else 1
        return True

    def _kept(self, at: datetime | None, wanted: int) -> datetime | None:
        """This moment, or the next where it has passed, also while it was waited for. None: this tick has no more."""
        while at is None or self.turns.has_passed(at):
            at = self.turns.next(wanted)
            if at is None:
                return None
            senders.wait_until(at, now=self.turns.clock())
        if self.turns.clock() < at:
            senders.wait_until(at, now=self.turns.clock())
            return self._kept(at, wanted)
        return at

    def _use_the_time_until(self, at: datetime) -> None:
        """Settle what has gathered, or while there is time; then wait."""
        enough = ceil(self.turns.pace / 5) or AT_ONCE
        gathered = len(self.taken) >= enough or monotonic() - self.since > MOMENT.total_seconds()
        if gathered or at - self.turns.clock() > TIME_TO_SETTLE:
            self._settle()
        senders.wait_until(at, now=self.turns.clock())

    def _settle(self) -> None:
        taken, self.taken = self.taken, []
        if taken:
            self.counted["sent"] += outcomes.settle(taken, now=taken[-1].at)

    def _call(self, parcel: Parcel, *, now: datetime) -> str:
        """Call with no transaction open; write at once what is unusual. Returns the count."""
        attempt = parcel.attempt
        try:
            receipt = self.transport.send(parcel.message)
        except ChannelError as error:
            if error.retry_after is not None and error.trouble == Trouble.BUSY and not error.of_one:
                return outcomes.waits(attempt, now + max(error.retry_after, MOMENT), now=now)
            if error.trouble in FOR_A_MOMENT and not error.of_one:
                self._failed(str(error), now=now)
            else:  # the provider is well, it only does not want this one
                self._worked(now=now)
            return outcomes.refused(attempt, error, now=now)
        except Exception as error:
            logger.exception(
                "Attempt %s: the channel broke off; nobody knows whether it arrived.", attempt.pk
            )
            self._failed(type(error).__name__, now=now)
            found = _looked_up(parcel.message, self.transport, since=now)
            if found is None:
                return outcomes.unclear(attempt, now=now)
            receipt = found
        else:
            self._worked(now=now)
        if not self.taken:
            self.since = monotonic()
        self.taken.append(Taken(attempt, now, receipt.provider_reference))
        return TAKEN

    def _worked(self, *, now: datetime) -> None:
        senders.worked(self.turn, now=now)
        if self.turn.was_failing:
            self.turn = replace(self.turn, was_failing=False)

    def _failed(self, trouble: str, *, now: datetime) -> None:
        """From here on a message that is taken says that the sender is well again."""
        senders.failed(self.turn.channel, trouble, now=now)
        self.turn = replace(self.turn, was_failing=True)

    def _all_back(self, parcels: Sequence[Parcel]) -> None:
        """Not called: their turn comes with a later tick, or another way where the sender is down."""
        is_down = bool(parcels) and self.turns.channel in senders.down()
        for parcel in parcels:
            lease = parcel.attempt.lease
            if is_down and lease:
                door.put_back(parcel.attempt, lease, Because.SENDER_DOWN, now=self.turns.clock())
            else:
                outcomes.again(parcel.attempt)


class Beginning:
    """The statement that begins calls, with all that must still be true of each, made once for some clinics.

    The rules are the door's, said once; here they stand as conditions of the write itself.
    """

    def __init__(self, clinics: dict[int, Clinic], turn: Turn, *, of_one: bool) -> None:
        self.clinics, self._is_try = clinics, turn.is_try
        forbids = door.nothing_forbids(turn.channel, clinics.values())
        query = Query(Attempt)
        compiler = query.get_compiler(connection=connection)
        where, values = compiler.compile(query.build_where(reduce(and_, forbids.values())))
        kept = {f"value_{nth}": value for nth, value in enumerate(values)}
        named = where % tuple(f"%({name})s" for name in kept)
        holds = [UNDER_OUR_LEASE, IN_TIME, *([] if turn.is_try else [IS_UP]), named]
        self._both = Both(NOTED, Changes(Attempt, WORDS, BEGINS, " AND ".join(holds)), of_one=of_one, **kept)
        self.over = self._both.over

    def fits(self, clinics: Collection[int], turn: Turn) -> bool:
        return turn.is_try == self._is_try and self.clinics.keys() >= set(clinics)

    def begin(self, parcels: Sequence[Parcel], taken: Sequence[Taken], *, now: datetime) -> set[int]:
        """Commit that these calls begin, and with it that those before were taken. The keys of what may be called."""
        rows = [
            {
                "id": parcel.attempt.pk,
                "lease": parcel.attempt.lease,
                "language": parcel.rendered.language,
                "subject": parcel.rendered.subject[:200],
                "body": parcel.rendered.body,
            }
            for parcel in parcels
        ]
        return self._both.change([each.row() for each in taken], rows, now=now)


def not_begun(attempt: Attempt, turn: Turn, *, now: datetime) -> str:
    """Forbidden since the claim, or its sender rests since then, or our lease is over."""
    because = door.forbidden_by(attempt, now=now)
    until = None if turn.is_try else senders.rests_until(attempt.channel, now=now)
    if because is None and until and attempt.channel not in senders.down():
        return outcomes.later(attempt, until, now=now)
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
