"""Mails of patients, and reports that a mail of ours did not arrive: what `referrals` found to be no result.

An answer by mail acts like any other only where it names the message of ours that it answers, for whoever knows a
patient's address can write under it. What names a mail that is no attempt waits, under the same alarm, for whoever
looks down on it from above. All else is read by a person.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import F

from journeys.claims import TICK_SHARE, Alarm, claim_due
from outreach.channels import Trouble
from outreach.channels.inbound import Receipted, Said, Stage
from outreach.models import Attempt
from outreach.quoted import own_words
from outreach.receipts import TooEarly, attempt_of, record_receipt
from outreach.replies import receive_reply
from patients.models import AddressKind, Channel
from referrals import arrivals
from referrals.intake.base import Parsed
from referrals.intake.letters import DELAYED, DELIVERED, FAILED
from referrals.models import DocumentStatus, IncomingDocument
from referrals.queries import is_of_a_patient

logger = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=5)
AGAIN, MOMENT = timedelta(minutes=1), timedelta(seconds=5)
STAGES = {FAILED: Stage.FAILED, DELAYED: Stage.DELAYED, DELIVERED: Stage.DELIVERED}
NO_SUCH_MAILBOX = "5.1."  # what the receiving server says of the address itself (RFC 3463)

TO_HEAR = Alarm(
    model=IncomingDocument,
    column="letter_from",
    armed="letter_from IS NOT NULL AND NOT is_handed_on",
    # A lease at the same time: whoever dies over one leaves it to be claimed again.
    takes={"letter_from": "%(again)s", "tries": "tries + 1"},
)
HANDED_ON = replace(TO_HEAR, armed="letter_from IS NOT NULL AND is_handed_on")
Hear = Callable[[IncomingDocument, Parsed, datetime], bool]  # False: it was not meant for us


def hear_letters(*, now: datetime, lasts: timedelta = INTERVAL) -> int:
    """Read what has come. Returns how many were heard."""
    return hear_through(TO_HEAR, _hear, now=now, lasts=lasts)


def hear_through(alarm: Alarm, hear: Hear, *, now: datetime, lasts: timedelta = INTERVAL) -> int:
    """One mail at a time. One that fails stops no other: after three tries it is a person's."""
    heard, stop = 0, monotonic() + lasts.total_seconds() * TICK_SHARE
    while monotonic() < stop:
        with transaction.atomic():
            rows = claim_due(alarm, now=now, limit=1, again=now + AGAIN)
        if not rows:
            break
        letter = IncomingDocument.objects.select_related("clinic").get(pk=rows[0][0])
        heard += _hear_or_hand_over(letter, hear, now=now)
    return heard


def _hear_or_hand_over(letter: IncomingDocument, hear: Hear, *, now: datetime) -> int:
    try:
        with transaction.atomic():
            return _heard_once(letter, hear, now=now)
    except TooEarly:
        IncomingDocument.objects.filter(pk=letter.pk).update(letter_from=now + MOMENT, tries=F("tries") - 1)
    except Exception as error:  # noqa: BLE001 - its neighbours go on; its own text may quote the mail
        logger.error("Letter %s could not be read: %s", letter.pk, type(error).__name__)  # noqa: TRY400
    return 0


def _heard_once(letter: IncomingDocument, hear: Hear, *, now: datetime) -> int:
    """What brought a file is with somebody already; a letter that is nobody's words goes to a person now."""
    ours = IncomingDocument.objects.filter(pk=letter.pk, tries=letter.tries, letter_from__isnull=False)
    is_letter = letter.status == DocumentStatus.LETTER
    if not ours.update(letter_from=None, ended_at=now if is_letter else letter.ended_at):
        return 0  # another worker took it up after our lease
    parsed = arrivals.read(letter) if letter.tries <= arrivals.MAX_TRIES else None
    if parsed and hear(letter, parsed, now):
        return 1
    if parsed and parsed.answers and not letter.is_handed_on:
        on = {"letter_from": now, "is_handed_on": True, "tries": 0, "ended_at": letter.ended_at}
        IncomingDocument.objects.filter(pk=letter.pk).update(**on)
    elif is_letter:
        arrivals.hand_over_letter(letter, now=now)
    return 1


def _hear(letter: IncomingDocument, parsed: Parsed, now: datetime) -> bool:
    """False where it is neither a patient's nor about a message of ours."""
    if parsed.report:
        return _reported_on(parsed, now=now)
    is_answer = (
        bool(parsed.answers)
        and Attempt.objects.filter(reference=parsed.answers, channel=Channel.EMAIL).exists()
    )
    if not (is_answer or is_of_a_patient(parsed.sender)):
        return False
    if not parsed.is_automatic:  # that somebody is on holiday is kept, and asks nothing of us
        receive_reply(said_in(letter, parsed, is_answer=is_answer), now=now)
    return True


def _reported_on(parsed: Parsed, *, now: datetime) -> bool:
    report = reported(parsed)
    attempt = attempt_of(report, channels=(Channel.EMAIL,))
    if attempt is None:
        return False
    record_receipt(attempt, report, now=now)
    return True


def reported(parsed: Parsed) -> Receipted:
    """Refused by the receiving server after ours had taken it, the address is bad, or another way is tried; what is
    late is still being tried.
    """
    bad = parsed.bounce.startswith(NO_SUCH_MAILBOX)
    trouble = Trouble.NO_SUCH_ADDRESS if bad else Trouble.NOT_DELIVERED
    return Receipted(parsed.answers, "", STAGES.get(parsed.report, Stage.TAKEN), trouble, parsed.bounce)


def said_in(letter: IncomingDocument, parsed: Parsed, *, is_answer: bool) -> Said:
    words = own_words(parsed.text)
    if not is_answer and parsed.subject:
        words = f"{parsed.subject}\n{words}".strip()
    return Said(
        channel=Channel.EMAIL,
        kind=AddressKind.EMAIL,
        value=parsed.sender.casefold(),
        text=words or parsed.subject,
        at=letter.received_at,
        to=next(iter(parsed.recipients), ""),
        reference=parsed.answers if is_answer else "",
        may_act=is_answer,
    )
