"""STOP: one last word that there will be no more here."""

from datetime import datetime

from outreach.answers import journey_of_its_own
from outreach.at_once import channels_at
from outreach.conversations import Way
from outreach.gate import Gates
from outreach.models import STOPPED
from outreach.rendering import CannotRender, Facts, Texts
from outreach.written import Written, put_out
from patients.country import profile_of
from patients.models import Channel, ContactPoint, Patient, PatientStatus


def confirm_stop(patient: Patient, point: ContactPoint, channel: str, *, now: datetime) -> bool:
    """Once, at the first STOP, where the country's rules allow it; where it cannot leave, it is not missed."""
    tie = patient.contacts.filter(contact_point=point).select_related("contact_point").first()
    if tie is None or patient.status != PatientStatus.ACTIVE or Channel(channel) not in channels_at(tie):
        return False
    if not profile_of(patient.clinic.country).confirms_stop:
        return False
    if Gates([patient.clinic]).bar(point, channel):
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
