"""The message that proves a number: sent now, while the patient stands at the desk with the phone in her hand."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from journeys.actions import AdHoc, add_step
from journeys.models import Journey, StepKind
from outreach.channels import PHONE, in_use
from outreach.gate import Gates
from outreach.models import NUMBER_TEST, Attempt, AttemptStatus, OutreachTask
from outreach.reach import channels_of
from patients.actions import RefusedError, lock_patient, refuse_unless_active
from patients.models import (
    AddressStatus,
    Channel,
    Consent,
    ConsentStatus,
    HoursKind,
    MaySay,
    Patient,
    PatientContact,
    Purpose,
)
from patients.queries import clock_of, lawful_hours
from patients.windows import is_open

AT_THE_DESK = timedelta(minutes=10)  # nobody waits longer for a message; after that it would only puzzle her
UNDER_WAY = (AttemptStatus.PLANNED, AttemptStatus.SENDING)


def channels_to_test(tie: PatientContact) -> list[Channel]:
    """On which channels a test can be sent to this address; none where nothing may be written."""
    if tie.may_say != MaySay.EVERYTHING or tie.contact_point.status == AddressStatus.BAD:
        return []
    possible = channels_of(tie.contact_point.kind)
    return [channel for channel in possible if channel != PHONE and channel in in_use()]


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
    _refuse(tie, channel, now=now)
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


def _refuse(tie: PatientContact, channel: str, *, now: datetime) -> None:
    if channel not in channels_to_test(tie):
        raise RefusedError(_("No message can be sent to this address in this way. Choose another."))
    if not Gates([tie.patient.clinic_id]).lets_out(tie.contact_point, channel):
        raise RefusedError(
            _("Safe start: only listed addresses get messages. A manager adds this one under Channels.")
        )
    withdrawn = Consent.objects.filter(
        patient=tie.patient_id,
        contact_point=tie.contact_point_id,
        channel=channel,
        purpose=Purpose.SERVICE,
        status=ConsentStatus.WITHDRAWN,
        superseded_at__isnull=True,
    )
    if withdrawn.exists():
        raise RefusedError(_("The patient asked us not to write here. Nothing is sent until she allows it."))
    clinic = tie.patient.clinic
    kind = HoursKind.MESSAGE
    if not is_open(now, clock_of(clinic, now=now).hours(clinic.pk, kind), lawful_hours(tie.patient, kind)):
        raise RefusedError(
            _("No message may leave at this hour. Call the number instead, while she is here.")
        )


def sent_to(patient: Patient) -> QuerySet[Attempt]:
    """The tests sent to one patient, the last first."""
    return Attempt.objects.filter(patient=patient, task__message_key=NUMBER_TEST).order_by("-send_at", "-pk")
