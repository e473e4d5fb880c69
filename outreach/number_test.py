"""The message that proves a number: sent now, while the patient stands at the desk with the phone in her hand."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from journeys.actions import AdHoc, add_step
from journeys.models import Journey, StepKind
from outreach.at_once import refuse_to_write
from outreach.models import NUMBER_TEST, Attempt, AttemptStatus, OutreachTask
from patients.actions import lock_patient, refuse_unless_active
from patients.models import Patient, PatientContact

AT_THE_DESK = timedelta(minutes=10)  # nobody waits longer for a message; after that it would only puzzle her
UNDER_WAY = (AttemptStatus.PLANNED, AttemptStatus.SENDING)


@transaction.atomic
def send_test(tie: PatientContact, channel: str, *, now: datetime, by: User) -> Attempt:
    """Put the test into the outbox, due now. Her own hours do not hold, as she asks for it in person; what she
    withdrew and the hours of the law do. Pressed twice, it is sent once.

    It has a step of its own, so that one which never leaves is seen in Today like anything else that is late.
    """
    patient = lock_patient(tie.patient_id)
    running = sent_to(patient).filter(contact_point=tie.contact_point, status__in=UNDER_WAY).first()
    if running:
        return running
    refuse_unless_active(patient.pk)
    refuse_to_write(tie, channel, now=now)
    with translation.override(patient.clinic.language):
        title = _("Test message")
    journey = Journey.objects.create(clinic_id=patient.clinic_id, patient=patient, title=title, opened_at=now)
    step = add_step(journey, AdHoc(StepKind.TELL, title, now + AT_THE_DESK), now=now, by=by)
    task = OutreachTask.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        step=step,
        message_key=NUMBER_TEST,
        opened_at=now,
        deadline_at=now + AT_THE_DESK,
        max_attempts=1,
    )
    return Attempt.objects.create(
        task=task,
        clinic_id=patient.clinic_id,
        patient=patient,
        contact_point=tie.contact_point,
        channel=channel,
        send_at=now,
        expires_at=now + AT_THE_DESK,
    )


def sent_to(patient: Patient) -> QuerySet[Attempt]:
    """The tests sent to one patient, the last first."""
    return Attempt.objects.filter(patient=patient, task__message_key=NUMBER_TEST).order_by("-send_at", "-pk")
