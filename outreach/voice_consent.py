"""What a patient said about automated calls at a number: read for the desk, and written down there."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from outreach.actions import opt_out_at
from outreach.channels import in_use
from outreach.voice_rules import rule_of
from patients.actions import record_consent, refuse_unless_active
from patients.country import AutomatedVoice
from patients.models import AddressKind, Channel, Consent, ConsentStatus, PatientContact, Purpose


def standing_at(tie: PatientContact) -> str:
    """What holds at a number now: "agreed" or "not_agreed"; empty where no machine could call anyway."""
    rule = rule_of(tie.patient.clinic)
    is_possible = Channel.VOICE in in_use() and tie.contact_point.kind == AddressKind.PHONE
    if not is_possible or rule == AutomatedVoice.OFF:
        return ""
    said = Consent.objects.filter(
        patient=tie.patient_id,
        contact_point=tie.contact_point_id,
        channel=Channel.VOICE,
        purpose=Purpose.SERVICE,
        superseded_at__isnull=True,
    ).first()
    agreed = said.status == ConsentStatus.GRANTED if said else rule == AutomatedVoice.ALLOWED
    return "agreed" if agreed else "not_agreed"


@transaction.atomic
def record_word(tie: PatientContact, *, agrees: bool, now: datetime, by: User) -> None:
    """The patient's own word, in the ledger. A "no" also stops what is queued."""
    refuse_unless_active(tie.patient_id)
    words = _("at the desk")
    if agrees:
        record_consent(
            tie.patient,
            tie.contact_point,
            Channel.VOICE,
            ConsentStatus.GRANTED,
            now=now,
            words=words,
            by=by,
        )
    else:
        opt_out_at(tie.patient, tie.contact_point, Channel.VOICE, now=now, words=words, by=by)
