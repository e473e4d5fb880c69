"""How a messenger is tied to a patient's record: a one-time link, opened on a phone that is here with its owner.

Nobody's identity is guessed from a number or a name: the link is given in person, works once, and for an hour. Whose
phone it is, hers or that of a parent who stands there with her, is said when it is made.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from outreach.channels import in_use
from outreach.channels.inbound import Said
from outreach.confidence import end_links_unless_hers
from outreach.provider_models import MessengerLink
from patients.actions import (
    RefusedError,
    add_address,
    lock_patient,
    mark_address,
    record_consent,
    void_hers_alone,
)
from patients.models import (
    GUARDIANS,
    AddressKind,
    AddressStatus,
    CardSource,
    Channel,
    ConsentStatus,
    Patient,
    PatientContact,
    PatientStatus,
    Relation,
    ServiceCard,
)
from patients.told import told_among

LASTS = timedelta(hours=1)
PRESSED_START = "/start "
MAY_BE_LINKED = (Relation.SELF, Relation.PARENT, Relation.GUARDIAN)  # to others nothing is written


def link_for(
    patient: Patient, whose: str, *, now: datetime, by: User | None, other_parent: bool = False
) -> str:
    """A fresh link to our bot, for the patient's own phone or for a parent's (`whose`: a Relation)."""
    if whose not in MAY_BE_LINKED:
        raise RefusedError(_("Say whose phone it is: the patient's own, a parent's or a guardian's."))
    if Channel.TELEGRAM not in in_use() or not settings.TELEGRAM_BOT_NAME:
        raise RefusedError(_("Telegram is not set up here; a manager finds out why under Channels."))
    token = secrets.token_urlsafe(24)
    MessengerLink.objects.create(
        patient=patient,
        channel=Channel.TELEGRAM,
        relation=whose,
        other_parent=other_parent and whose in GUARDIANS,
        token_hash=_hash(token),
        made_at=now,
        expires_at=now + LASTS,
        made_by=by,
    )
    return f"https://t.me/{settings.TELEGRAM_BOT_NAME}?start={token}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def is_link(said: Said) -> bool:
    return said.channel == Channel.TELEGRAM and said.text.startswith(PRESSED_START)


@transaction.atomic
def tie_to_messenger(said: Said, *, now: datetime) -> PatientContact | None:
    """The patient whose link it is gets the address, as that of whom the link was made for; None where the link is
    unknown, used or too old.

    Whoever holds the phone has just asked for this channel with their own hand, so having blocked us before holds no
    longer. Others who are reached at this address keep it as theirs. Under a record that was merged meanwhile she is
    who it was merged into.
    """
    token = _hash(said.text.removeprefix(PRESSED_START).strip())
    ours = MessengerLink.objects.filter(token_hash=token, used_at__isnull=True, expires_at__gt=now)
    if not ours.update(used_at=now):
        return None
    links = MessengerLink.objects.select_related("patient__clinic", "patient__merged_into__clinic", "made_by")
    link = links.get(token_hash=token)
    patient = link.patient.record_now
    if patient.status != PatientStatus.ACTIVE:
        return None
    lock_patient(patient.pk)
    rank = patient.contacts.count() + 1
    tie = add_address(patient, AddressKind.TELEGRAM, said.value, rank=rank, relation=link.relation)
    end_links_unless_hers(tie, link.relation, now=now)
    void_hers_alone([tie.contact_point], patient)  # locks the address, which comes before the tie
    PatientContact.objects.filter(pk=tie.pk).update(
        relation=link.relation,
        other_parent=link.other_parent,
        may_be_called=False,
        may_leave_voicemail=False,
        confirmed_at=now,
        hers_alone_at=tie.hers_alone_at if link.relation == Relation.SELF else None,
    )
    mark_address(tie.contact_point, AddressStatus.WORKING, now=now)
    record_consent(
        patient, tie.contact_point, Channel.TELEGRAM, ConsentStatus.GRANTED, now=now, words="/start"
    )
    _note_on_card(patient, tie, link, now=now)
    return tie


def _note_on_card(patient: Patient, tie: PatientContact, link: MessengerLink, *, now: datetime) -> None:
    """Her card says so where she is told there herself, and where a parent is who is told for her; else it is theirs
    to say who are.
    """
    on = now.astimezone(ZoneInfo(patient.zone)).date()
    told = told_among(patient, patient.contacts.select_related("contact_point"), on=on)
    if all(each.pk != tie.pk for each in told):
        return
    is_hers = link.relation == Relation.SELF
    ServiceCard.objects.filter(patient=patient).update(
        channel=Channel.TELEGRAM,
        told_at=now,
        told_to=None if is_hers else link.made_by,
        source=CardSource.PATIENT if is_hers else CardSource.DESK,
    )
