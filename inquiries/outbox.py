"""The way out of answers to whoever is nobody's patient: claim, look once more, send, record (docs/decisions/037).

The same three commits as in the patients' outbox keep a message from leaving twice: the claim with its lease; that the
call begins, right before it; the outcome. What broke off in between is shown to a person and never repeated blindly.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from inquiries.actions import KEPT
from inquiries.sending import LEAVES_WITHIN
from inquiries.sent_models import SentAnswer
from journeys.actions import complete_step
from journeys.claims import Alarm, claim_due
from journeys.models import StepStatus
from outreach import senders
from outreach.channels import FOR_A_MOMENT, ChannelError, Message, Transport, WhenUnclear, by_machine, pace_of
from outreach.models import ANSWER, AttemptStatus
from outreach.opt_out import notice_of
from outreach.senders import Turn, Turns
from outreach.strangers import address_in, hours_of_messages, leaves_at, open_until, refuse_to_send
from patients.actions import RefusedError, mark_address
from patients.models import AddressStatus, ContactPoint, Purpose
from patients.windows import DAY

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)  # longer than any channel may take to answer
BATCH = 5  # so few that a slow channel answers all of them within the lease
AGAIN = timedelta(minutes=1)  # while its sender rests, or its provider is down for a moment
TURN_LASTS = timedelta(seconds=4)
DUE = Alarm(
    model=SentAnswer,
    column="send_at",
    armed="status = 'planned'",
    takes={"status": "'sending'", "lease": "%(lease)s", "lease_until": "%(until)s", "called_at": "NULL"},
)


@dataclass(frozen=True)
class Ready:
    """What may leave now, and how long it may still arrive."""

    answer: SentAnswer
    transport: Transport
    turn: Turn
    open_for: timedelta


def send_answers(*, now: datetime) -> int:
    """What is due leaves; returns how many did."""
    _recover(now=now)
    lease = uuid.uuid4()
    with transaction.atomic():
        claimed = [row[0] for row in claim_due(DUE, now=now, limit=BATCH, lease=lease, until=now + LEASE)]
    ours = SentAnswer.objects.filter(pk__in=claimed, lease=lease).select_related("clinic", "step")
    return sum(_carry(answer, now=now) for answer in ours.order_by("send_at"))


def _carry(answer: SentAnswer, *, now: datetime) -> bool:
    with translation.override(answer.clinic.language):  # of what is noted for the desk
        ready = _looked_at(answer, now=now)
        if ready is None:
            return False
        begun = _ours(answer).filter(called_at__isnull=True, lease_until__gt=now).update(called_at=now)
        return bool(begun) and _call(ready, now=now)


def _looked_at(answer: SentAnswer, *, now: datetime) -> Ready | None:
    """Whether everything still holds; else it waits for its hour or its sender, or is with a person."""
    if answer.expires_at <= now:
        _end(answer, AttemptStatus.CANCELLED, trouble=_("It could not leave within the hour."))
        return None
    try:
        refuse_to_send(address_in(answer.clinic, answer.value), answer.channel)
    except RefusedError as refusal:
        _end(answer, AttemptStatus.CANCELLED, trouble=str(refusal))
        return None
    until = open_until(hours_of_messages(answer.clinic, now=now), now, now + DAY)
    if until is None:
        opens = leaves_at(answer.clinic, now=now) or now + DAY
        _back(answer, opens, expires_at=opens + LEAVES_WITHIN)
        return None
    turn, transport = senders.turn_of(answer.channel, now=now), by_machine()[answer.channel]
    turns = Turns(answer.channel, pace_of(transport), clock=lambda: now, until=now + TURN_LASTS)
    at = turns.next(1) if turn else None
    if turn is None or at is None:
        _back(answer, now + AGAIN)
        return None
    senders.wait_until(at, now=now)
    return Ready(answer, transport, turn, until - now)


def _call(ready: Ready, *, now: datetime) -> bool:
    """With no transaction open."""
    answer, channel = ready.answer, ready.answer.channel
    try:
        receipt = ready.transport.send(_message(ready))
    except ChannelError as error:
        _refused(ready, error, now=now)
        return False
    except Exception as error:
        logger.exception("Answer %s: the channel broke off; nobody knows whether it arrived.", answer.pk)
        senders.failed(channel, type(error).__name__, now=now)
        _unclear(answer, now=now)
        return False
    senders.worked(ready.turn, now=now)
    return _sent(answer, receipt.provider_reference, now=now)


def _message(ready: Ready) -> Message:
    answer, clinic = ready.answer, ready.answer.clinic
    sender = clinic.sender_name or clinic.name
    kind = {"key": ANSWER, "purpose": Purpose.SERVICE.value}
    notice = notice_of(clinic, channel=answer.channel, language=answer.language, **kind)
    return Message(
        reference=str(answer.reference),
        to=answer.value,
        sender=sender,
        reply_to=clinic.intake_address or clinic.email,
        language=answer.language,
        subject=sender,
        body=notice.after(answer.body),
        open_for=ready.open_for,
    )


@transaction.atomic
def _sent(answer: SentAnswer, provider_reference: str, *, now: datetime) -> bool:
    taken = {"sent_at": now, "provider_reference": provider_reference[:120]}
    if not _end(answer, AttemptStatus.SENT, **taken):
        return False
    # From now on it is known here: what comes back from there finds this clinic.
    ContactPoint.objects.get_or_create(clinic=answer.clinic, kind=answer.kind, value=answer.value)
    end_step(answer, now=now)
    return True


def end_step(answer: SentAnswer, *, now: datetime) -> None:
    answer.step.refresh_from_db()
    if answer.step.status == StepStatus.ACTIVE:
        complete_step(answer.step, KEPT, now=now)


def _refused(ready: Ready, error: ChannelError, *, now: datetime) -> None:
    """Certainly not sent: for now, the same again later; for good, it is with a person."""
    answer = ready.answer
    if error.trouble in FOR_A_MOMENT:
        _sender_waits(ready.turn, error, now=now)
        _back(answer, now + (error.retry_after or AGAIN))
        return
    point = address_in(answer.clinic, answer.value)
    if error.address_is_bad and point.pk:
        mark_address(point, AddressStatus.BAD, now=now)
    _end(answer, AttemptStatus.FAILED, trouble=str(error.trouble.label))


def _sender_waits(turn: Turn, error: ChannelError, *, now: datetime) -> None:
    """As after a message to a patient: one full mailbox says nothing of the provider, which is well."""
    if error.of_one:
        senders.worked(turn, now=now)
    elif error.retry_after is None:
        senders.failed(turn.channel, str(error), now=now)
    else:
        senders.pause(turn.channel, now + error.retry_after, now=now)


def _unclear(answer: SentAnswer, *, now: datetime) -> None:
    transport = by_machine().get(answer.channel)
    if transport and transport.abilities.when_unclear == WhenUnclear.REPEAT:
        _back(answer, now + AGAIN)
    else:
        _end(answer, AttemptStatus.UNKNOWN)


def _recover(*, now: datetime) -> None:
    """Leases of dead workers: what had not begun goes back, what had is unclear."""
    lost = SentAnswer.objects.filter(status=AttemptStatus.SENDING, lease_until__lte=now)
    for answer in lost.order_by("lease_until")[:BATCH]:
        if answer.called_at is None:
            _back(answer, now)
        else:
            _unclear(answer, now=now)


def _ours(answer: SentAnswer) -> QuerySet[SentAnswer]:
    return SentAnswer.objects.filter(pk=answer.pk, status=AttemptStatus.SENDING, lease=answer.lease)


def _end(answer: SentAnswer, status: AttemptStatus, **fields: object) -> bool:
    """False: not ours any more. What did not leave keeps its step, which a person sees when it is due."""
    return bool(_ours(answer).update(status=status, lease=None, lease_until=None, **fields))


def _back(answer: SentAnswer, at: datetime, **fields: object) -> None:
    free = {"lease": None, "lease_until": None, "called_at": None}
    _ours(answer).update(status=AttemptStatus.PLANNED, send_at=at, **free, **fields)
