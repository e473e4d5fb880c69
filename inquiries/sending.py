"""An answer in writing for whoever asks for one: into the outbox, told by when it leaves, stopped before it has."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _, gettext_lazy

from inquiries.actions import KEPT, will_think
from inquiries.models import Inquiry, Outcome
from inquiries.sent_models import LEFT, UNDER_WAY, SentAnswer
from journeys.actions import AdHoc, cancel_journey, complete_step, open_unidentified
from journeys.models import StepKind, StepStatus
from outreach.models import AttemptStatus
from outreach.strangers import address_in, channel_to, leaves_at, refuse_to_send
from patients.actions import RefusedError, StaleStateError
from patients.models import AddressKind

LEAVES_AFTER = timedelta(seconds=20)  # so that it can be stopped, as after every save
LEAVES_WITHIN = timedelta(hours=1)  # else it is with a person
LONGEST = 1000  # letters; more is hardly read on a phone
ON_ITS_WAY = gettext_lazy(
    "Another answer is on its way to the caller. Stop it first, or wait until it has left."
)


@dataclass(frozen=True)
class Letter:
    """The words, where they go, and the language they are in."""

    to: str
    words: str
    language: str


@transaction.atomic
def send_answer(inquiry: Inquiry, letter: Letter, *, now: datetime, by: User) -> SentAnswer:
    """Put it into the outbox. Pressed twice it is sent once, and others wait for one that is on its way; who has not
    decided yet thinks about it.

    It has a step of its own, so that one which never leaves is seen in Today like anything else that is late.
    """
    locked = locked_inquiry(inquiry.pk)
    if locked.answered_at is None:
        raise RefusedError(_("Answer the question first."))
    if locked.patient_id is not None:
        raise StaleStateError(_("This is our patient now. Write from the conversation with the patient."))
    made = _made(locked, letter, now=now)
    if running := locked.sendings.filter(status__in=UNDER_WAY).first():
        if (running.value, running.body) == (made.value, made.body):
            return running
        raise StaleStateError(ON_ITS_WAY)
    _end_steps(locked, now=now, by=by)
    who = locked.name or made.value

    def title() -> str:
        return _("Send %(name)s our answer") % {"name": who}

    made.step = open_unidentified(locked.clinic, AdHoc(StepKind.TELL, title, made.expires_at), now=now)
    made.sent_by = by
    made.save(force_insert=True)
    if locked.outcome == Outcome.OPEN:
        will_think(locked, now=now)
    if made.kind == AddressKind.PHONE:
        Inquiry.objects.filter(pk=locked.pk, patient=None, phone="").update(phone=made.value)
    inquiry.refresh_from_db()
    return made


def _made(inquiry: Inquiry, letter: Letter, *, now: datetime) -> SentAnswer:
    words = letter.words.strip()
    if not words or not letter.to.strip():
        raise RefusedError(_("Write the words, and where they go."))
    if len(words) > LONGEST:
        raise RefusedError(_("This is too long to be read on a phone. Shorten it, or call."))
    point = address_in(inquiry.clinic, letter.to)
    channel = channel_to(point)
    refuse_to_send(point, channel)
    same = inquiry.sendings.filter(value=point.value, body=words, status__in=LEFT)
    if same.exists():
        raise StaleStateError(_("This has been sent there already."))
    at = leaves_at(inquiry.clinic, now=now + LEAVES_AFTER)
    if at is None or channel is None:
        raise RefusedError(_("No message may leave at this hour. Write in the hours of messages, or call."))
    return SentAnswer(
        inquiry=inquiry,
        clinic=inquiry.clinic,
        kind=point.kind,
        value=point.value,
        channel=channel,
        language=letter.language,
        body=words,
        send_at=at,
        expires_at=at + LEAVES_WITHIN,
    )


def locked_inquiry(key: int) -> Inquiry:
    return Inquiry.objects.select_for_update(no_key=True, of=("self",)).get(pk=key)


@transaction.atomic
def do_not_send(inquiry: Inquiry, reference: str, *, now: datetime, by: User) -> None:
    """Stopped before it has left: the one that stood on the page, never one that was written since."""
    planned = locked_inquiry(inquiry.pk).sendings.filter(status=AttemptStatus.PLANNED)
    meant = [each.pk for each in planned if str(each.reference) == reference]
    if not planned.filter(pk__in=meant).update(status=AttemptStatus.CANCELLED):
        raise StaleStateError(_("It has left already, or was stopped."))
    _end_steps(inquiry, now=now, by=by)


@transaction.atomic
def told_otherwise(inquiry: Inquiry, *, now: datetime, by: User) -> None:
    """What did not arrive in writing was said by word of mouth."""
    locked = locked_inquiry(inquiry.pk)
    if locked.sendings.filter(status__in=UNDER_WAY).exists():
        raise StaleStateError(ON_ITS_WAY)
    for each in locked.sendings.exclude(status__in=UNDER_WAY).select_related("step"):
        if each.step.status == StepStatus.ACTIVE:
            complete_step(each.step, KEPT, now=now, by=by)


def _end_steps(inquiry: Inquiry, *, now: datetime, by: User) -> None:
    """Those of messages that did not leave and that nobody waits for any more."""
    for each in inquiry.sendings.exclude(status__in=UNDER_WAY).select_related("step__journey"):
        if each.step.status == StepStatus.ACTIVE:
            cancel_journey(each.step.journey, reason=_("Not needed any more"), now=now, by=by)
