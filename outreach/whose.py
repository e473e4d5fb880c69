"""Words from a number we do not know: a person says whose they are. Nothing here guesses."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from journeys.actions import complete_step, lock_journey, record_events
from journeys.models import EventKind, Journey, JourneyStatus, Step, StepStatus, in_each_language
from outreach.actions import opt_out_at
from outreach.answers import to_answer
from outreach.conversations import NOTHING_TO_ANSWER
from outreach.models import Reply
from outreach.said import START, STOP
from patients.actions import RefusedError, StaleStateError, add_address, refuse_unless_active
from patients.models import GUARDIANS, Patient, PatientContact, Relation


@transaction.atomic
def say_whose(matter: Step, patient: Patient, *, now: datetime, by: User) -> None:
    """These words are this patient's, and so is the number from now on; the clock of the answer runs on. A STOP among
    them holds.
    """
    if patient.clinic_id != matter.clinic_id:
        raise RefusedError(_("The patient belongs to another clinic."))
    refuse_unless_active(patient.pk)
    journey = lock_journey(matter.journey_id)
    still_open = Step.objects.filter(pk=matter.pk, status=StepStatus.ACTIVE).exists()
    if journey.patient_id is not None or not still_open:
        raise StaleStateError(_("This was done by somebody else meanwhile."))
    replies = Reply.objects.filter(matter=matter, clinic=matter.clinic_id).select_related("contact_point")
    listed = list(replies.order_by("at", "pk"))
    for reply in listed[:1]:
        if reply.contact_point:
            last = PatientContact.objects.filter(patient=patient).aggregate(last=Max("rank"))["last"] or 0
            whose = _whose_address(patient, now=now)
            point = reply.contact_point
            add_address(patient, point.kind, point.value, rank=last + 1, relation=whose)
    replies.update(patient=patient)
    _obey_stop(patient, listed, now=now, by=by)
    words = listed[0].body if listed else ""
    names = in_each_language(lambda: to_answer(words))
    title = names.get(journey.clinic.language, "")
    Journey.objects.filter(pk=journey.pk).update(
        patient=patient, status=JourneyStatus.ACTIVE, title=title[:120]
    )
    Step.objects.filter(pk=matter.pk).update(names=names, title=title[:200])
    record_events([matter], EventKind.NOTED, now=now, by=by, detail=_("found who wrote it"))


def _whose_address(patient: Patient, *, now: datetime) -> str:
    """Her own; for a child with a parent or guardian on the list it is taken for theirs, until the desk says that it is
    the child's: so nothing that is kept from them goes there.
    """
    on = now.astimezone(ZoneInfo(patient.zone)).date()
    guardian = patient.contacts.filter(relation__in=GUARDIANS).first() if patient.is_minor(on=on) else None
    return guardian.relation if guardian else Relation.SELF


def _obey_stop(patient: Patient, replies: Sequence[Reply], *, now: datetime, by: User) -> None:
    """What was said last counts, STOP or that messages may come again. Inside atomic()."""
    asked = [reply for reply in replies if reply.meaning in {STOP, START} and reply.contact_point]
    last = asked[-1] if asked else None
    if last and last.contact_point and last.meaning == STOP:
        opt_out_at(patient, last.contact_point, last.channel, now=now, words=last.body, by=by)


def belongs_to_nobody(matter: Step, *, now: datetime, by: User) -> None:
    """Advertising, or a wrong number: nothing is to be answered."""
    complete_step(matter, NOTHING_TO_ANSWER, now=now, by=by)
