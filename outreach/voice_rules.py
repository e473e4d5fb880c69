"""Whether a machine may call: by the country's rules and, where these ask for it, by the patient's own agreement."""

from collections.abc import Iterable

from django.db.models import Exists, Q

from outreach.because import Because
from outreach.channels import in_use
from outreach.models import Attempt, OutreachTask
from patients.country import AutomatedVoice, profile_of
from patients.models import Channel, Clinic, Consent, ConsentStatus

AGREED = Consent.objects.filter(
    channel=Channel.VOICE, status=ConsentStatus.GRANTED, superseded_at__isnull=True
)


class VoiceRules:
    """Of some patients, read once for a batch; nothing is read where the channel is off."""

    def __init__(self, patients: Iterable[int]) -> None:
        agreed = AGREED.filter(patient__in=patients) if Channel.VOICE in in_use() else AGREED.none()
        self._agreed = set(agreed.values_list("patient_id", "contact_point_id", "purpose"))

    def bar(self, task: OutreachTask, point_id: int) -> Because | None:
        rule = rule_of(task.patient.clinic)
        if rule == AutomatedVoice.OFF:
            return Because.NO_AUTOMATED_CALLS
        agreed = (task.patient_id, point_id, str(task.purpose)) in self._agreed
        return None if agreed or rule == AutomatedVoice.ALLOWED else Because.NOT_AGREED_TO_CALLS


def may_call_still(attempt: Attempt) -> dict[Because, Q]:
    """The same as conditions of the statement that begins the call; needs the patient's clinic loaded."""
    rule = rule_of(attempt.patient.clinic) if attempt.channel == Channel.VOICE else AutomatedVoice.ALLOWED
    agreed = AGREED.filter(
        patient=attempt.patient_id, contact_point=attempt.contact_point_id, purpose=attempt.task.purpose
    )
    if rule == AutomatedVoice.OFF:
        return {Because.NO_AUTOMATED_CALLS: Q(pk__in=[])}
    return {Because.NOT_AGREED_TO_CALLS: Q(Exists(agreed))} if rule == AutomatedVoice.WITH_CONSENT else {}


def rule_of(clinic: Clinic) -> AutomatedVoice:
    return profile_of(clinic.country).automated_voice
