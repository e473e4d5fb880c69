"""A message to an address that is no patient's: what may leave there, by which channel, and at which moment.

Whoever asks for an answer in writing waits for it, so hours of her own do not hold; the clinic's hours for messages and
the law's do, with all that keeps a message to a patient at the door.
"""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from outreach.attested import may_use
from outreach.channels import BY_VOICE, by_machine
from outreach.gate import BARRED, Gates
from outreach.held import MAYBE_STOP
from outreach.models import Reply
from outreach.reach import channels_of
from outreach.said import START, STOP
from patients.actions import RefusedError
from patients.addresses import normal_address
from patients.models import AddressKind, AddressStatus, Channel, Clinic, ContactPoint, HoursKind, Purpose
from patients.queries import clock_of, lawful_hours_in, withdrawn
from patients.windows import Hours, next_open, open_together


def address_in(clinic: Clinic, text: str) -> ContactPoint:
    """The number or e-mail that was told, as the clinic knows it; one that nobody has here yet is not kept."""
    kind = AddressKind.EMAIL if "@" in text else AddressKind.PHONE
    value = normal_address(clinic, kind, text)
    known = ContactPoint.objects.filter(clinic=clinic, kind=kind, value=value).first()
    return known or ContactPoint(clinic=clinic, kind=kind, value=value)


def channel_to(point: ContactPoint) -> Channel | None:
    """On which our own words may begin a talk; a number is not taken for an identity with a messenger."""
    served = by_machine()
    possible = (channel for channel in channels_of(point.kind) if channel not in BY_VOICE)
    return next((each for each in possible if each in served and _may_begin(each)), None)


def _may_begin(channel: str) -> bool:
    can = by_machine()[channel].abilities
    return can.can_write_first and not can.only_approved_words


def refuse_to_send(point: ContactPoint, channel: str | None) -> None:
    """What holds whenever it leaves; asked when it is planned, and again at the door."""
    if channel is None or channel not in by_machine() or point.status == AddressStatus.BAD:
        raise RefusedError(_("No message can be sent to this address in this way. Choose another."))
    if not may_use(point.clinic, channel):
        raise RefusedError(
            _("The country's rules ask an administrator to answer for this channel first, under Channels.")
        )
    if bar := Gates([point.clinic]).bar(point, channel):
        raise RefusedError(str(BARRED[bar]))
    here = {"contact_point__clinic": point.clinic_id, "contact_point__value": point.value}
    asked = withdrawn(contact_point__kind=point.kind, channel=channel, purpose=Purpose.SERVICE, **here)
    if asked.exists() or _was_stopped(point, channel):
        raise RefusedError(_("At this address we were asked not to write. Tell it by word of mouth."))


def _was_stopped(point: ContactPoint, channel: str) -> bool:
    """By somebody who is no patient, and has not asked for messages again since."""
    said = Reply.objects.filter(
        patient=None,
        channel=channel,
        contact_point__clinic=point.clinic_id,
        contact_point__kind=point.kind,
        contact_point__value=point.value,
        meaning__in=[STOP, MAYBE_STOP, START],
    )
    last = said.order_by("-at", "-pk").values_list("meaning", flat=True).first()
    return last is not None and last != START


def hours_of_messages(clinic: Clinic, *, now: datetime) -> tuple[Hours, Hours]:
    """The clinic's and the law's."""
    ours = clock_of(clinic, now=now).hours(clinic.pk, HoursKind.MESSAGE)
    return ours, lawful_hours_in(clinic, HoursKind.MESSAGE)


def leaves_at(clinic: Clinic, *, now: datetime) -> datetime | None:
    """The first moment at which it may leave; none where no hour is open."""
    return next_open(now, *hours_of_messages(clinic, now=now))


def open_until(hours: Iterable[Hours], start: datetime, end: datetime) -> datetime | None:
    """How long it may still arrive, if it may leave at `start`."""
    found = open_together(tuple(hours), start, end)
    return found[0].end if found and found[0].start <= start else None
