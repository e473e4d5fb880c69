"""STOP and the way back: one last word that there will be no more here, and START, which opens the address again."""

from datetime import datetime

from outreach.at_once import channels_at
from outreach.conversations import Way
from outreach.gate import Gates
from outreach.models import STOPPED
from outreach.rendering import CannotRender, Facts, Texts
from outreach.written import Written, journey_of_its_own, put_out
from patients.actions import record_consent
from patients.country import profile_of
from patients.models import Channel, Consent, ConsentStatus, ContactPoint, Patient, PatientStatus, Purpose


def is_silenced(patient: Patient, point: ContactPoint, channel: str) -> bool:
    withdrawn = Consent.objects.filter(
        patient=patient,
        contact_point=point,
        channel=channel,
        purpose=Purpose.SERVICE,
        status=ConsentStatus.WITHDRAWN,
        superseded_at__isnull=True,
    )
    return withdrawn.exists()


def confirm_stop(patient: Patient, point: ContactPoint, channel: str, *, now: datetime) -> bool:
    """Once, at the first STOP, where the country's rules allow it; where it cannot leave, it is not missed."""
    tie = patient.contacts.filter(contact_point=point).select_related("contact_point").first()
    if tie is None or patient.status != PatientStatus.ACTIVE or Channel(channel) not in channels_at(tie):
        return False
    if not profile_of(patient.clinic.country).confirms_stop:
        return False
    if not Gates([patient.clinic_id]).lets_out(point, channel):
        return False
    facts = Facts(patient.given_name, "", variant=patient.gender)
    texts = Texts([STOPPED], [patient.clinic_id])
    try:
        rendered = texts.render(STOPPED, channel, patient.language, facts, patient.clinic)
    except CannotRender:
        return False
    said = Written(Way(tie, channel), rendered.body, STOPPED)
    put_out(journey_of_its_own(patient, now=now), patient, said, now=now)
    return True


def allow_again(patient: Patient, point: ContactPoint, channel: str, *, now: datetime, words: str) -> Consent:
    """A new line of the ledger; the withdrawn one stays in it."""
    return record_consent(patient, point, channel, ConsentStatus.GRANTED, now=now, words=words)
