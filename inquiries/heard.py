"""What comes back about answers in writing: providers' receipts, reports of mail servers, and words of whoever got one.

The row is the event: outreach keeps what is about no attempt of its own, and a tick here claims it. A receipt moves an
answer forward or changes nothing, in whatever order and however often it comes.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from inquiries.outbox import end_step
from inquiries.sending import locked_inquiry
from inquiries.sent_models import LEFT, SentAnswer
from journeys.actions import AdHoc, open_unidentified
from journeys.clinic_time import soon
from journeys.models import StepKind, StepStatus, isolated
from outreach import incoming, letters
from outreach.channels import Trouble
from outreach.channels.inbound import Receipted, Stage
from outreach.followup import PERSON_WITHIN
from outreach.models import AttemptStatus
from outreach.provider_models import ProviderEvent
from outreach.queries import DELAYED_WORDS
from outreach.receipts import MOVES, TooEarly, named_by
from outreach.replies import receive_reply
from outreach.strangers import address_in
from patients.actions import mark_address
from patients.models import AddressStatus, Channel
from patients.templatetags.phones import phone
from referrals.intake.base import Parsed
from referrals.models import IncomingDocument


def hear(*, now: datetime) -> int:
    """Returns how many receipts and letters were looked at."""
    receipts = incoming.work_through(incoming.HANDED_ON, _work, now=now)
    return receipts + letters.hear_through(letters.HANDED_ON, _hear, now=now)


def _work(event: ProviderEvent, now: datetime) -> str:
    found, channels = incoming.receipt_in(event)
    if not isinstance(found, Receipted):
        return incoming.NOT_OURS
    answer = _answer_of(found, channels)
    if answer is None:
        return incoming.NOT_OURS
    return incoming.MOVED if record_receipt(answer, found, now=now) else incoming.KNOWN


def _hear(letter: IncomingDocument, parsed: Parsed, now: datetime) -> bool:
    """Whoever answers a mail of ours to nobody's patient is nobody's patient, too: a person reads it."""
    report = letters.reported(parsed)
    answer = _answer_of(report, (Channel.EMAIL,))
    if answer is None:
        return False
    if parsed.report:
        record_receipt(answer, report, now=now)
    elif not parsed.is_automatic:
        receive_reply(letters.said_in(letter, parsed, is_answer=True), now=now)
    return True


def _answer_of(receipt: Receipted, channels: tuple[str, ...]) -> SentAnswer | None:
    answers = SentAnswer.objects.select_related("clinic", "step", "inquiry")
    return named_by(receipt, answers, channels=channels)


@transaction.atomic
def record_receipt(answer: SentAnswer, receipt: Receipted, *, now: datetime) -> bool:
    """Whether it moved anything. A repeat, or one that comes after a later one, does not."""
    locked_inquiry(answer.inquiry_id)
    answer.refresh_from_db(fields=["status", "called_at", "sent_at", "step"])
    before = answer.status
    if before == AttemptStatus.SENDING:
        raise TooEarly
    leaves, to = MOVES[receipt.stage]
    fields: dict[str, object] = {"status": to, "sent_at": answer.sent_at or answer.called_at or now}
    if receipt.provider_reference:
        fields["provider_reference"] = receipt.provider_reference[:120]
    if receipt.stage == Stage.FAILED:
        with translation.override(answer.clinic.language):
            fields["trouble"] = str(receipt.trouble.label)
    elif receipt.stage != Stage.TAKEN:
        with translation.override(answer.clinic.language):
            fields["trouble"] = str(DELAYED_WORDS) if receipt.stage == Stage.DELAYED else ""
    same = SentAnswer.objects.filter(pk=answer.pk, status=before, status__in=leaves)
    if not same.update(**fields):
        return False
    _follow(answer, receipt, before, now=now)
    return True


def _follow(answer: SentAnswer, receipt: Receipted, before: str, *, now: datetime) -> None:
    if receipt.stage != Stage.FAILED:
        end_step(answer, now=now)  # a person had it while nobody knew
        return
    point = address_in(answer.clinic, answer.value)
    if receipt.trouble == Trouble.NO_SUCH_ADDRESS and point.pk:
        mark_address(point, AddressStatus.BAD, now=now)
    if before == AttemptStatus.SENT and not _is_answered_otherwise(answer):
        _open_again(answer, receipt, now=now)


def _is_answered_otherwise(answer: SentAnswer) -> bool:
    """Another one took its place, or a person has that one already."""
    others = SentAnswer.objects.filter(inquiry=answer.inquiry_id).exclude(pk=answer.pk)
    return others.filter(Q(step__status=StepStatus.ACTIVE) | Q(pk__gt=answer.pk, status__in=LEFT)).exists()


def _open_again(answer: SentAnswer, receipt: Receipted, *, now: datetime) -> None:
    """A step that has ended cannot be opened again: another one of its kind sees to it that the answer is told."""
    who = isolated(answer.inquiry.name or phone(answer.value, answer.clinic.country))

    def title() -> str:
        return _("%(name)s did not get our answer: %(reason)s") % {
            "name": who,
            "reason": receipt.trouble.label,
        }

    due_at = soon(answer.clinic, PERSON_WITHIN, now=now)
    step = open_unidentified(answer.clinic, AdHoc(StepKind.TELL, title, due_at, about=answer.step), now=now)
    SentAnswer.objects.filter(pk=answer.pk).update(step=step)
