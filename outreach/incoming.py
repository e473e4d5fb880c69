"""Providers' events: kept as they came, once each, and worked by a tick.

What cannot be worked is set aside, and a person has it: words are with the desk, all else with the managers. A receipt
for a message that is no attempt waits, under the same alarm, for whoever looks down on it from above.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from journeys.claims import TICK_SHARE, Alarm, claim_due
from journeys.models import Words
from outreach.channels.hooks import HOOKS
from outreach.channels.inbound import Inbound, Receipted, Said
from outreach.provider_models import ProviderEvent
from outreach.receipts import TooEarly, attempt_of, record_receipt
from outreach.replies import receive_reply
from outreach.said import storable
from outreach.to_mend import tell_the_managers, was_read
from outreach.unknown_writers import ask_who_it_is
from patients.models import Channel

logger = logging.getLogger(__name__)

INTERVAL, BATCH = timedelta(seconds=5), 100
AGAIN, MOMENT = timedelta(minutes=1), timedelta(seconds=5)
TRIES = 3
SET_ASIDE, READ_BY_A_PERSON = "set_aside", "read_by_a_person"
UNREADABLE = "unreadable:"  # begins the id of a request that could not be taken apart
MOVED, KNOWN = "moved", "known_already"
NOT_OURS = "not_ours"  # about no attempt; it may be about a message of an app above
EMPTIED_AFTER = timedelta(days=30)  # by then nobody asks what exactly the provider said

TO_WORK = Alarm(
    model=ProviderEvent,
    column="work_from",
    armed=f"work_from IS NOT NULL AND outcome <> '{NOT_OURS}'",
    # A lease at the same time: whoever dies over one leaves it to be claimed again.
    takes={"work_from": "%(again)s", "tries": "tries + 1"},
)
HANDED_ON = replace(TO_WORK, armed=f"work_from IS NOT NULL AND outcome = '{NOT_OURS}'")


def keep(provider: str, pieces: Iterable[tuple[str, str]], *, now: datetime) -> None:
    """One row a piece; one that is there already stays as it is, so a repeat changes nothing."""
    ProviderEvent.objects.bulk_create(
        [
            ProviderEvent(
                provider=provider,
                event_id=storable(event_id)[:200],
                received_at=now,
                body=storable(body),
                work_from=now,
            )
            for event_id, body in pieces
        ],
        ignore_conflicts=True,
    )


def work_events(*, now: datetime, lasts: timedelta = INTERVAL, limit: int = BATCH) -> int:
    """Work what has come in. Returns how many were."""
    return work_through(TO_WORK, _work, now=now, lasts=lasts, limit=limit)


def work_through(
    alarm: Alarm,
    work: Callable[[ProviderEvent, datetime], str],
    *,
    now: datetime,
    lasts: timedelta = INTERVAL,
    limit: int = BATCH,
) -> int:
    """One that fails stops no other: it is tried again, and then set aside for a person."""
    done, stop = 0, monotonic() + lasts.total_seconds() * TICK_SHARE
    while True:
        with transaction.atomic():
            rows = claim_due(alarm, now=now, limit=limit, again=now + AGAIN)
        claimed = ProviderEvent.objects.filter(pk__in=[row[0] for row in rows]).order_by("received_at", "pk")
        for event in claimed:
            done += _work_or_set_aside(event, work, now=now)
        if len(rows) < limit or monotonic() > stop:
            return done


def _work_or_set_aside(
    event: ProviderEvent, work: Callable[[ProviderEvent, datetime], str], *, now: datetime
) -> int:
    try:
        with transaction.atomic():
            outcome = work(event, now)
            _close(event, outcome, now=now)
        return 1
    except TooEarly:
        ProviderEvent.objects.filter(pk=event.pk).update(work_from=now + MOMENT, tries=F("tries") - 1)
    except Exception:
        logger.exception("Event %s of a provider could not be worked.", event.pk)
        if event.tries >= TRIES:
            _set_aside(event, now=now)
    return 0


def _set_aside(event: ProviderEvent, *, now: datetime) -> None:
    """Somebody's words go to the desk as they are; what is none, or will not go there either, to the managers."""
    try:
        with transaction.atomic():
            said = _read(event)
            if isinstance(said, Said):
                ask_who_it_is(said, None, now=now)
                _close(event, READ_BY_A_PERSON, now=now)
                return
    except Exception:
        logger.exception("Event %s of a provider is with the managers.", event.pk)
    with transaction.atomic():
        _close(event, SET_ASIDE, now=now)
        channel = HOOKS[event.provider].channels[0]
        tell_the_managers(was_read(channel), _words(channel), now=now)


def _words(channel: str) -> Words:
    return lambda: (
        _("Something that came by %(channel)s could not be read: ask whoever looks after the server.")
        % {"channel": Channel(channel).label}
    )


def _close(event: ProviderEvent, outcome: str, *, now: datetime) -> None:
    """What is not ours, and has been looked at by nobody above yet, keeps its alarm for them."""
    is_handed_on = outcome == NOT_OURS and event.outcome != NOT_OURS
    after = {"work_from": now, "tries": 0} if is_handed_on else {"work_from": None, "worked_at": now}
    ProviderEvent.objects.filter(pk=event.pk).update(outcome=outcome, **after)


class UnreadableError(Exception):
    """Nobody knows what the provider said."""


def _read(event: ProviderEvent) -> Inbound | None:
    if event.event_id.startswith(UNREADABLE):
        raise UnreadableError
    return HOOKS[event.provider].read_at(event.body, event.received_at)


def receipt_in(event: ProviderEvent) -> tuple[Inbound | None, tuple[str, ...]]:
    """What it says, and the channels that its provider serves."""
    return _read(event), HOOKS[event.provider].channels


def _work(event: ProviderEvent, now: datetime) -> str:
    found, channels = receipt_in(event)
    if found is None:
        return "nothing_to_do"
    if not isinstance(found, Receipted):
        return receive_reply(found, now=now)
    attempt = attempt_of(found, channels=channels)
    if attempt is None:
        return NOT_OURS
    return MOVED if record_receipt(attempt, found, now=now) else KNOWN


def work_again(events: QuerySet[ProviderEvent]) -> int:
    """What was set aside, with the next tick, once the product can read it. Returns how many there were.

    A request that could not be taken apart stays: its headers, which that needs, are not kept.
    """
    aside = events.filter(outcome=SET_ASIDE).exclude(body="").exclude(event_id__startswith=UNREADABLE)
    return aside.update(work_from=F("received_at"), worked_at=None, outcome="", tries=0)


def empty_old_events(*, now: datetime) -> int:
    """The words and numbers in them are kept no longer than they are of use; that they came, is."""
    old = ProviderEvent.objects.filter(worked_at__lt=now - EMPTIED_AFTER).exclude(body="")
    ids = list(old.values_list("pk", flat=True)[:BATCH])
    return ProviderEvent.objects.filter(pk__in=ids).update(body="")
