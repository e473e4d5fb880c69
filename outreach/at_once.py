"""Whether a message that somebody waits for may leave at this moment, and if not, why, in words."""

from datetime import datetime

from django.utils.translation import gettext as _

from outreach.attested import may_use
from outreach.channels import BY_VOICE, in_use
from outreach.gate import BARRED, Gates
from outreach.reach import channels_of
from patients.actions import RefusedError
from patients.models import (
    AddressStatus,
    Channel,
    ContactPoint,
    HoursKind,
    MaySay,
    Patient,
    PatientContact,
    Purpose,
)
from patients.queries import clock_of, lawful_hours, withdrawn
from patients.windows import is_open


def channels_at(tie: PatientContact) -> list[Channel]:
    """On which channels something can be written to this address; none where nothing may be written."""
    is_bad = tie.contact_point.status == AddressStatus.BAD
    if is_bad or tie.may_say != MaySay.EVERYTHING or tie.suspended_at is not None:
        return []
    possible = channels_of(tie.contact_point.kind)
    return [channel for channel in possible if channel not in BY_VOICE and channel in in_use()]


def is_silenced(patient: Patient, point: ContactPoint, channel: str) -> bool:
    """Whether she asked us not to write here about her care."""
    here = withdrawn(patient=patient, contact_point=point, channel=channel, purpose=Purpose.SERVICE)
    return here.exists()


def refuse_to_write(tie: PatientContact, channel: str, *, now: datetime) -> None:
    """Her own hours do not hold, as she waits for it; what she withdrew and the hours of the law do."""
    if channel not in channels_at(tie):
        raise RefusedError(_("No message can be sent to this address in this way. Choose another."))
    if not may_use(tie.patient.clinic, channel):
        raise RefusedError(
            _("The country's rules ask an administrator to answer for this channel first, under Channels.")
        )
    if bar := Gates([tie.patient.clinic]).bar(tie.contact_point, channel):
        raise RefusedError(str(BARRED[bar]))
    if is_silenced(tie.patient, tie.contact_point, channel):
        raise RefusedError(_("The patient asked us not to write here. Nothing is sent until she allows it."))
    clinic = tie.patient.clinic
    kind = HoursKind.MESSAGE
    if not is_open(now, clock_of(clinic, now=now).hours(clinic.pk, kind), lawful_hours(tie.patient, kind)):
        raise RefusedError(_("No message may leave at this hour. Write in the hours of messages, or call."))
