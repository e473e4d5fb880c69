"""Fetching what came with somebody's words: pictures, voices, papers, each by the ability of its own channel.

The row says what is still to be fetched, how often that was tried and when it is tried next, so nothing is lost with a
worker. What came is kept as a document before the row says that it is here.
"""

import logging
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from journeys.claims import TICK_SHARE, Alarm, claim_due
from outreach.answers import ask_once_more
from outreach.channels import OF_A_FILE, ChannelError, Fetches, Trouble, by_machine
from outreach.channels.inbound import Said
from outreach.dispatch import Clock
from outreach.enclosed_models import ReplyFile
from outreach.held import MAYBE_STOP
from outreach.models import NOT_ME, Reply
from outreach.said import storable
from referrals.arrivals import Arrival, receive
from referrals.intake.sniff import safe_filename
from referrals.models import IncomingDocument, Source

logger = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=5)
LEASE = timedelta(minutes=3)  # longer than a provider may take over one file
AT_ONCE = 2  # workers that may wait for files at a time; the others serve whatever else is due
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)  # doubled from try to try
KEEPS_TRYING = timedelta(days=3)  # over a weekend; WhatsApp keeps a file for seven days
A_MINUTE = timedelta(minutes=1)
SETTLED_BY_A_PERSON = (NOT_ME, MAYBE_STOP)  # words that do again what they did, if they waited again
THEIRS = frozenset({Trouble.UNREACHABLE, Trouble.BUSY})  # of the provider, not of one file

TO_FETCH = Alarm(
    model=ReplyFile,
    column="fetch_from",
    armed="fetch_from IS NOT NULL",
    # A lease at the same time: whoever dies over one leaves it to be claimed again.
    takes={"fetch_from": "%(again)s", "lease_until": "%(again)s", "tries": "tries + 1"},
)


def enclose(reply: Reply, said: Said, *, now: datetime) -> None:
    """Note down what is to be fetched, with the words it came with. Inside atomic().

    Words that were changed name their file anew; it is fetched where it is another one, or nobody knew of it.
    """
    known = ReplyFile.objects.filter(
        reply__contact_point__kind=said.kind, reply__contact_point__value=said.value
    )
    told = (
        set(known.values_list("provider_reference", flat=True)) if said.is_changed and said.files else set()
    )
    ReplyFile.objects.bulk_create(
        ReplyFile(
            reply=reply,
            position=position,
            kind=file.kind,
            provider_reference=storable(file.reference)[:500],
            name=storable(safe_filename(file.name))[:255],
            asked_at=now,
            fetch_from=now,
        )
        for position, file in enumerate(said.files, start=1)
        if storable(file.reference)[:500] not in told
    )


def fetch_files(*, now: datetime, lasts: timedelta = INTERVAL) -> int:
    """One file at a time, with no transaction open while its provider answers. Returns how many are here."""
    fetched, clock, stop = 0, Clock(now, exact=False), monotonic() + lasts.total_seconds() * TICK_SHARE
    while monotonic() < stop and _may_begin(now=clock()):
        with transaction.atomic():
            rows = claim_due(TO_FETCH, now=clock(), limit=1, again=clock() + LEASE)
        if not rows:
            break
        file = ReplyFile.objects.select_related("reply__clinic", "reply__contact_point").get(pk=rows[0][0])
        fetched += _fetch_or_put_off(file, clock)
    return fetched


def _may_begin(*, now: datetime) -> bool:
    """Slow files keep AT_ONCE workers at most, as slow providers do (senders.turn_of)."""
    under_way = ReplyFile.objects.filter(fetch_from__isnull=False, lease_until__gt=now)
    return under_way.count() < AT_ONCE


def _fetch_or_put_off(file: ReplyFile, clock: Clock) -> int:
    try:
        document = _fetched(file, clock)
    except ChannelError as error:
        _put_off(file, error, now=clock())
    except Exception as error:  # noqa: BLE001 - its neighbours go on; its own text may hold an address
        logger.error("File %s of a reply: %s, try %s", file.pk, type(error).__name__, file.tries)  # noqa: TRY400
        _put_off(file, None, now=clock())
    else:
        return _leased(file).update(document=document, fetch_from=None, lease_until=None, trouble="")
    return 0


def source_id_of(file: ReplyFile) -> str:
    """Under which it is kept, once."""
    return f"reply-file-{file.pk}"


def _fetched(file: ReplyFile, clock: Clock) -> IncomingDocument:
    """Kept under the row's own key, and looked for there: a worker may have died right after it was kept."""
    key = source_id_of(file)
    kept = IncomingDocument.objects.filter(source=Source.MESSAGE, source_id=key)
    if document := kept.first():
        return document
    transport = by_machine().get(file.reply.channel)
    if transport is None or not isinstance(transport, Fetches):
        raise ChannelError(Trouble.UNREACHABLE)
    content = transport.fetch(file.provider_reference, most=settings.MAX_ATTACHMENT_BYTES)
    point = file.reply.contact_point
    arrival = Arrival(
        file.reply.clinic,
        Source.MESSAGE,
        key,
        content,
        sender=point.value if point else "",
        subject=file.name,
    )
    return receive(arrival, now=clock()) or kept.get()


def _put_off(file: ReplyFile, error: ChannelError | None, *, now: datetime) -> None:
    """Later, with longer and longer pauses; in the end a person asks for it again. Nothing makes a file smaller."""
    trouble = _trouble_of(error)
    if trouble == Trouble.TOO_LARGE or now - file.asked_at >= KEEPS_TRYING:
        _give_up(file, trouble, now=now)
        return
    pause = min(FIRST_PAUSE * 2 ** min(file.tries - 1, 10), LONGEST_PAUSE)
    asked_to = error.retry_after if error else None
    again = now + max(pause, asked_to or pause)
    _leased(file).update(fetch_from=again, lease_until=None, trouble=trouble)
    if error and trouble in THEIRS and not error.of_one:
        until = now + (asked_to or A_MINUTE)
        others = ReplyFile.objects.filter(reply__channel=file.reply.channel, fetch_from__lt=until)
        others.exclude(pk=file.pk).update(fetch_from=until)


@transaction.atomic
def _give_up(file: ReplyFile, trouble: Trouble, *, now: datetime) -> None:
    """Whoever has the words reads there that it cannot be had; where they were dealt with, a person asks for it now."""
    ended = {"fetch_from": None, "lease_until": None, "given_up_at": now, "trouble": trouble}
    if _leased(file).update(**ended) and file.reply.meaning not in SETTLED_BY_A_PERSON:
        ask_once_more(file.reply, now=now)


def _trouble_of(error: ChannelError | None) -> Trouble:
    """In words of a file: whatever else a provider says to us, it says of messages."""
    if error is None:
        return Trouble.UNEXPECTED
    return error.trouble if error.trouble in OF_A_FILE else Trouble.WITHHELD


def _leased(file: ReplyFile) -> QuerySet[ReplyFile]:
    """Ours, unless another worker has taken it up after our lease."""
    return ReplyFile.objects.filter(pk=file.pk, tries=file.tries, fetch_from__isnull=False)
