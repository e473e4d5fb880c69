"""What a patient will read about a step that is not open yet: rendered as it would leave now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from appointments.models import Appointment
from journeys.models import ContactWhen, Step, StepKind
from outreach.models import OutreachTask
from outreach.queries import facts_of
from outreach.reach import message_channel_for
from outreach.rendering import CannotRender, Facts, Texts
from patients.models import Channel, Patient


@dataclass(frozen=True)
class Said:
    """A message in the patient's language and, where that is another one, in the reader's."""

    language: str
    body: str
    for_reader: str = ""


class Preview:
    """The messages that steps would send to one patient, with the texts read in one query."""

    def __init__(self, patient: Patient, steps: Iterable[Step], *, reader: str, now: datetime) -> None:
        self.patient, self.reader, self.now = patient, reader, now
        self._texts = Texts({step.message_key for step in steps if step.message_key}, [patient.clinic_id])
        self._channel = message_channel_for(patient) or Channel.SMS

    def of(self, opened: Iterable[Step], visit: Appointment | None) -> Said | None:
        """The first message that leaves at once; None where none does, or its words do not fit what is so."""
        for step in opened:
            at_once = step.template_step is None or step.template_step.contact_when == ContactWhen.AT_ONCE
            if (
                not step.message_key or not at_once or step.kind == StepKind.CALL
            ):  # a call is made by a person
                continue
            task = OutreachTask(step=step, patient=self.patient, message_key=step.message_key)
            try:
                return self._said(step.message_key, facts_of(task, visit, None, now=self.now))
            except CannotRender:
                return None
        return None

    def _said(self, key: str, facts: Facts) -> Said:
        clinic = self.patient.clinic
        real = self._texts.render(key, self._channel, self.patient.language, facts, clinic)
        if real.language == self.reader:
            return Said(real.language, real.body)
        read = self._texts.render(key, self._channel, self.reader, facts, clinic)
        return Said(real.language, real.body, read.body if read.language == self.reader else "")
