"""How a patient ties a messenger to her record: a one-time link, opened on her own phone while she is with us.

Nobody's identity is guessed from a number or a name: the link is given to the patient in person, works once, and
for an hour.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from outreach.channels import in_use
from outreach.channels.inbound import Said
from outreach.provider_models import MessengerLink
from patients.actions import RefusedError, add_address, mark_address, record_consent
from patients.models import (
    AddressKind,
    AddressStatus,
    CardSource,
    Channel,
    ConsentStatus,
    Patient,
    PatientContact,
    PatientStatus,
    ServiceCard,
)

LASTS = timedelta(hours=1)
START = "/start "


def link_for(patient: Patient, *, now: datetime, by: User | None) -> str:
    """A fresh link to our bot, for the patient's own phone."""
    if Channel.TELEGRAM not in in_use() or not settings.TELEGRAM_BOT_NAME:
        raise RefusedError(_("Telegram is not set up here; a manager finds out why under Channels."))
    token = secrets.token_urlsafe(24)
    MessengerLink.objects.create(
        patient=patient,
        channel=Channel.TELEGRAM,
        token_hash=_hash(token),
        made_at=now,
        expires_at=now + LASTS,
        made_by=by,
    )
    return f"https://t.me/{settings.TELEGRAM_BOT_NAME}?start={token}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def is_link(said: Said) -> bool:
    return said.channel == Channel.TELEGRAM and said.text.startswith(START)


@transaction.atomic
def tie_to_messenger(said: Said, *, now: datetime) -> PatientContact | None:
    """The patient whose link it is gets the address; None where the link is unknown, used or too old.

    She has just asked for this channel with her own hand, so her card says so, and having blocked us before
    holds no longer. Under a record that was merged meanwhile she is who it was merged into.
    """
    token = _hash(said.text.removeprefix(START).strip())
    ours = MessengerLink.objects.filter(token_hash=token, used_at__isnull=True, expires_at__gt=now)
    if not ours.update(used_at=now):
        return None
    made_for = MessengerLink.objects.select_related("patient__merged_into").get(token_hash=token).patient
    patient = made_for.record_now
    if patient.status != PatientStatus.ACTIVE:
        return None
    rank = patient.contacts.count() + 1
    tie = add_address(patient, AddressKind.TELEGRAM, said.value, rank=rank)
    PatientContact.objects.filter(pk=tie.pk).update(
        may_be_called=False, may_leave_voicemail=False, confirmed_at=now
    )
    mark_address(tie.contact_point, AddressStatus.WORKING, now=now)
    record_consent(
        patient, tie.contact_point, Channel.TELEGRAM, ConsentStatus.GRANTED, now=now, words="/start"
    )
    ServiceCard.objects.filter(patient=patient).update(
        channel=Channel.TELEGRAM, told_at=now, told_to=None, source=CardSource.PATIENT
    )
    return tie
