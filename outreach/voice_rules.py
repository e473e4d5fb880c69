"""Whether a machine may call: by the country's rules and, where these ask for it, by the patient's own agreement."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from outreach.because import Because
from outreach.channels import in_use
from outreach.content import may_name_visits
from outreach.models import OutreachTask
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
        if not may_name_visits(task.patient.clinic):
            return Because.NOT_READ_OUT
        agreed = (task.patient_id, point_id, str(task.purpose)) in self._agreed
        return None if agreed or rule == AutomatedVoice.ALLOWED else Because.NOT_AGREED_TO_CALLS


def may_call_still(channel: str, clinics: Iterable[Clinic]) -> dict[Because, Q]:
    """The same as conditions of the statement that begins calls to patients of these clinics."""
    if channel != Channel.VOICE:
        return {}
    clinics = list(clinics)
    rules = {clinic.pk: rule_of(clinic) for clinic in clinics}
    off = [pk for pk, rule in rules.items() if rule == AutomatedVoice.OFF]
    freely = [pk for pk, rule in rules.items() if rule == AutomatedVoice.ALLOWED]
    of_this = OutreachTask.objects.filter(pk=OuterRef(OuterRef("task")))
    agreed = AGREED.filter(
        patient=OuterRef("patient"),
        contact_point=OuterRef("contact_point"),
        purpose__in=of_this.values("purpose"),
    )
    return {
        Because.NO_AUTOMATED_CALLS: ~Q(clinic__in=off),
        Because.NOT_READ_OUT: ~Q(clinic__in=[each.pk for each in clinics if not may_name_visits(each)]),
        Because.NOT_AGREED_TO_CALLS: Q(clinic__in=freely) | Q(Exists(agreed)),
    }


def rule_of(clinic: Clinic) -> AutomatedVoice:
    return profile_of(clinic.country).automated_voice
