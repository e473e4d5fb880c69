"""A patient whose link has ended asks for a new one: it goes where our message went, and nowhere else.

The page says the same whether or not anything leaves, so nobody learns from it whose link it was.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from journeys.actions import lock_journey
from journeys.models import OPEN_JOURNEYS, Journey
from outreach.answers import journey_of_its_own, whose
from outreach.at_once import refuse_to_write
from outreach.channels import BY_VOICE
from outreach.confidence import told_with
from outreach.conversations import Way
from outreach.links import made_for
from outreach.models import NEW_LINK, Attempt
from outreach.written import Written, put_out
from patients.actions import RefusedError, lock_patient, refuse_unless_active
from patients.models import HoursKind, Patient, PatientContact
from patients.queries import clock_of, lawful_hours
from patients.told import may_be_told
from patients.windows import open_together

ONCE_IN = timedelta(days=1)  # a patient, however often the button is pressed
LOOKS_AHEAD = timedelta(days=8)  # a message may leave in every week


def send_new_link(token: str, *, now: datetime) -> bool:
    """As every message: to an address that she still has, where she has not stopped us, in the hours of messages."""
    journey = made_for(token)
    patient = whose(journey) if journey else None
    if journey is None or patient is None:
        return False
    try:
        return _send(patient, journey, now=now)
    except RefusedError:
        return False


@transaction.atomic
def _send(patient: Patient, journey: Journey, *, now: datetime) -> bool:
    way = _way_it_came(patient, journey, now=now)
    at = _next_hour_of_messages(patient, now=now)
    if way is None or at is None:
        return False
    where = _open_now(patient, journey, now=now)
    lock_journey(where.pk)
    lock_patient(patient.pk)
    refuse_unless_active(patient.pk)
    if Attempt.objects.filter(
        patient=patient, task__message_key=NEW_LINK, task__opened_at__gt=now - ONCE_IN
    ).exists():
        raise RefusedError  # with the journey that was made for it
    refuse_to_write(way.tie, way.channel, now=at)
    put_out(where, patient, Written(way, "", NEW_LINK), now=now, at=at)
    return True


def _way_it_came(patient: Patient, journey: Journey, *, now: datetime) -> Way | None:
    """The address of our last message about that journey, where it is still hers, or of who may still be told."""
    sent = Attempt.objects.filter(task__step__journey=journey, called_at__isnull=False)
    last = sent.exclude(channel__in=BY_VOICE).order_by("-called_at").first()
    ties = PatientContact.objects.filter(patient=patient).select_related("contact_point")
    tie = ties.filter(contact_point=last.contact_point_id).first() if last else None
    on = now.astimezone(ZoneInfo(patient.zone)).date()
    alone = journey.is_confidential
    if last is None or tie is None or not may_be_told(patient, tie, on=on, in_confidence=alone):
        return None
    tie.patient = patient
    return Way(tie, last.channel)


def _next_hour_of_messages(patient: Patient, *, now: datetime) -> datetime | None:
    kind = HoursKind.MESSAGE
    hours = (
        clock_of(patient.clinic, now=now).hours(patient.clinic_id, kind),
        lawful_hours(patient, kind),
    )
    return next((span.start for span in open_together(hours, now, now + LOOKS_AHEAD)), None)


def _open_now(patient: Patient, journey: Journey, *, now: datetime) -> Journey:
    """What the new link opens: the same as long as it lasts, else what she is with us for now."""
    if journey.status in OPEN_JOURNEYS:
        return journey
    still_open = patient.journeys.filter(
        told_with(journey), status__in=OPEN_JOURNEYS, clinic=patient.clinic_id
    )
    return still_open.order_by("-opened_at", "-pk").first() or journey_of_its_own(patient, now=now)
