"""A record that is closed, because the patient has died or it was merged: what is open in it ends quietly.

Nobody is told by itself, for who reads the message is not who it was meant for. The desk gets one step to look at
what ended. Whoever writes locks in the house's order, the journeys first, then the patient.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from appointments.endings import cancel_journey, cancel_quietly
from appointments.models import Appointment
from appointments.queries import MOVABLE
from appointments.waiting_models import LIVE_ENTRIES, WaitlistEntry, WaitStatus
from appointments.waitlist import end_entry
from journeys import deadlines
from journeys.actions import AdHoc, add_step, lock_journey
from journeys.clinic_time import soon
from journeys.models import OPEN_JOURNEYS, Journey, Step, StepKind, StepStatus, Words
from outreach import followup
from outreach.confidence import end_links
from outreach.models import OutreachTask, TaskStatus
from patients.actions import RefusedError, StaleStateError, merge_patients
from patients.models import MaySay, Patient, PatientStatus
from referrals.actions import revoke_quietly

CHECKED_WITHIN = deadlines.Limit(1, deadlines.Unit.WORKING_DAYS)
CLOSED = "record_closed"  # the outcome of contacts that nobody is to get any more


@transaction.atomic
def record_death(patient: Patient, words: str, *, now: datetime, by: User) -> Step:
    """The patient has died; `words` say who told us. Returns the step by which the desk looks at what ended."""
    if not words.strip():
        raise RefusedError(_("Write who told us, and when."))
    locked = _lock(patient)
    if not Patient.objects.filter(pk=locked.pk, status=PatientStatus.ACTIVE).update(
        status=PatientStatus.DECEASED
    ):
        raise StaleStateError(_("This record was merged or closed meanwhile."))
    return _end_all(locked, locked, words.strip(), now=now, by=by)


@transaction.atomic
def reopen_record(patient: Patient, words: str, *, now: datetime, by: User) -> Step:
    """She has not died; `words` say how we know. What had ended stays ended: the returned step is to see to it."""
    if not words.strip():
        raise RefusedError(_("Write how we know."))
    reopened = Patient.objects.filter(pk=patient.pk, status=PatientStatus.DECEASED)
    if not reopened.update(status=PatientStatus.ACTIVE):
        raise StaleStateError(_("This record is not closed any more."))
    said = {"name": patient.full_name, "words": words.strip()}

    def opened() -> str:
        return _("Record open again: %(name)s. Book and plan what had ended. Known from: %(words)s") % said

    return _ask(patient, opened, now=now, by=by)


@transaction.atomic
def merge_records(duplicate: Patient, into: Patient, *, now: datetime, by: User | None = None) -> Step:
    """Retire a duplicate with all that is open in it; what of it the other record needs, the desk decides.

    Whoever is told nothing under the one has no link of the other.
    """
    silent = duplicate.contacts.filter(may_say=MaySay.NOTHING).values("contact_point")
    for tie in into.contacts.filter(contact_point__in=silent).exclude(may_say=MaySay.NOTHING):
        end_links(tie)
    locked = _lock(duplicate)
    because = _("merged into another record of the same patient")
    step = _end_all(locked, into, because, now=now, by=by)
    merge_patients(locked, into)
    return step


def close_forgotten(*, now: datetime) -> int:
    """Records that were closed by hand, past the two actions above; found by what is still open in them."""
    coming = Appointment.objects.filter(patient=OuterRef("pk"), status__in=MOVABLE, start__gt=now)
    # The desk's own step about a closed record is no work left in it.
    going_on = Step.objects.filter(
        journey__patient=OuterRef("pk"), status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD]
    ).exclude(kind=StepKind.CALL, template_step__isnull=True, message_key="")
    closed = Patient.objects.exclude(status=PatientStatus.ACTIVE).select_related(
        "merged_into__clinic", "clinic"
    )
    found = list(closed.filter(Exists(coming) | Exists(going_on)).order_by("pk"))
    for patient in found:
        with transaction.atomic():
            locked = _lock(patient)
            because = str(PatientStatus(locked.status).label)
            _end_all(locked, patient.record_now, because, now=now, by=None)
    return len(found)


def _lock(patient: Patient) -> Patient:
    """Who books at this moment holds the patient's key, so it comes wholly before this or is refused after it."""
    for pk in patient.journeys.filter(status__in=OPEN_JOURNEYS).order_by("pk").values_list("pk", flat=True):
        lock_journey(pk)
    return Patient.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=patient.pk)


def _end_all(patient: Patient, heir: Patient, because: str, *, now: datetime, by: User | None) -> Step:
    """End what is open in `patient`, and give the desk a step on the record of `heir`."""
    for task in OutreachTask.objects.filter(patient=patient, status=TaskStatus.OPEN):
        followup.end_task(task, TaskStatus.CANCELLED, CLOSED, now=now)
    for entry in WaitlistEntry.objects.filter(patient=patient, status__in=LIVE_ENTRIES):
        end_entry(entry, WaitStatus.WITHDRAWN, now=now)
    ended = 0
    for journey in patient.journeys.filter(status__in=OPEN_JOURNEYS).order_by("pk"):
        revoke_quietly(journey, because=because)
        ended += len(cancel_journey(journey, reason=because, now=now, by=by))
    coming = Q(status__in=MOVABLE, start__gt=now)
    for visit in patient.appointments.filter(coming).select_related("practitioner").order_by("pk"):
        ended += 1
        cancel_quietly(visit, because=because, now=now, by=by)
    return _ask_to_check(patient, heir, ended, now=now, by=by)


def _ask_to_check(patient: Patient, heir: Patient, visits: int, *, now: datetime, by: User | None) -> Step:
    said = {"name": patient.full_name, "visits": visits}

    def closed() -> str:
        return _("Record closed: %(name)s. Check what has ended; visits given back: %(visits)s.") % said

    return _ask(heir, closed, now=now, by=by)


def _ask(patient: Patient, title: Words, *, now: datetime, by: User | None) -> Step:
    """A step of the desk on this record."""
    journey = Journey.objects.create(clinic_id=patient.clinic_id, patient=patient, opened_at=now)
    due_at = soon(patient.clinic, CHECKED_WITHIN, now=now)
    return add_step(journey, AdHoc(StepKind.CALL, title, due_at), now=now, by=by)
