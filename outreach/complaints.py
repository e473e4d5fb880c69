"""Complaints: said back in our own words, found right by the patient or a second reader, then answered (S2.8).

The rows keep the words and the order, the journey's steps the clocks. A journey that ended meanwhile, e.g. with a
merged record, keeps nobody from answering.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from journeys import deadlines
from journeys.actions import (
    AdHoc,
    NewJourney,
    add_step,
    cancel_steps,
    complete_step,
    go_on,
    lock_journey,
    move_deadline,
)
from journeys.clinic_time import soon
from journeys.models import OPEN_JOURNEYS, OwnerRole, Step, StepKind, StepStatus
from outreach.actions import cancel_for_step
from outreach.complaint_models import CameBy, Complaint, Understood
from outreach.matters import PAGE
from outreach.models import Reply
from outreach.written import end_matters, matters_read
from patients.actions import RefusedError, StaleStateError, lock_patient, refuse_unless_active
from patients.country import profile_of
from patients.models import MANAGERS, Membership, Patient
from patients.queries import User as AnyUser

COMPLAINT = "complaint"  # the template of the catalogue, and the outcome of a message that is one
READ_WITHIN = deadlines.Limit(1, deadlines.Unit.WORKING_DAYS)  # by a second reader


def complaints_visible_to(user: AnyUser) -> QuerySet[Complaint]:
    """Those of the clinics that she manages, and those that she was asked to read."""
    places = Membership.objects.filter(user=user.pk)
    managed = Q(clinic__in=places.filter(role__in=MANAGERS).values("clinic"))
    found = Complaint.objects.filter(managed | Q(reader=user.pk, clinic__in=places.values("clinic")))
    people = ("patient__clinic", "reader", "restated_by", "answered_by", "taken_by")
    return found.select_related("clinic", "journey", *people)


def complaints_of(patient: Patient) -> QuerySet[Complaint]:
    """Hers, also those of a record that was merged into it; the newest first."""
    hers = Complaint.objects.filter(Q(patient=patient) | Q(patient__merged_into=patient))
    return hers.select_related("journey").order_by("-came_at", "-pk")


@transaction.atomic
def complain(
    patient: Patient,
    words: str,
    came_by: CameBy,
    *,
    is_confidential: bool = False,
    now: datetime,
    by: User | None = None,
) -> Complaint:
    """Write it down as it came, with the manager as its owner. The same words again are the same complaint.

    `is_confidential`: what it is about is kept from her parents, so the complaint is, too.
    """
    said = with_plain_lines(words)
    if not said:
        raise RefusedError(_("Write what the patient complains of, in the patient's words."))
    lock_patient(patient.pk)
    refuse_unless_active(patient.pk)
    same = Complaint.objects.filter(patient=patient, words=said, answered_at__isnull=True).first()
    if same:
        return same
    journey = go_on(patient, NewJourney(COMPLAINT, is_confidential=is_confidential), now=now, by=by)
    complaint = Complaint.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        journey=journey,
        words=said,
        came_by=came_by,
        came_at=now,
        taken_by=by,
    )
    _keep_the_countrys_clock(complaint, now=now)
    if came_by == CameBy.PAGE:
        Reply.objects.create(
            clinic_id=patient.clinic_id, patient=patient, channel=PAGE, at=now, body=said, meaning=COMPLAINT
        )
    return complaint


@transaction.atomic
def complaint_from_messages(patient: Patient, *, heard: int | None, now: datetime, by: User) -> Complaint:
    """What she wrote and waits for an answer to is a complaint: all of it, word by word; nothing waits twice."""
    matters = matters_read(patient, heard)
    if not matters:
        raise StaleStateError(_("This was done by somebody else meanwhile."))
    replies = Reply.objects.filter(matter__in=matters).order_by("at", "pk")
    words = "\n".join(reply.body for reply in replies if reply.body)
    is_kept = any(matter.journey.is_confidential for matter in matters)
    complaint = complain(patient, words, CameBy.MESSAGE, is_confidential=is_kept, now=now, by=by)
    end_matters(matters, COMPLAINT, now=now, by=by)
    return complaint


@transaction.atomic
def restate(complaint: Complaint, words: str, *, now: datetime, by: User) -> None:
    """What we believe is meant, in our own words; from here on the patient is asked whether it is so."""
    ours = with_plain_lines(words)
    if not ours:
        raise RefusedError(_("Say in your own words what the complaint means."))
    lock_journey(complaint.journey_id)
    _move(complaint, Q(restated_at=None), restated=ours, restated_at=now, restated_by=by, reader=None)
    _end(complaint, "restate", "restated", now=now, by=by, note=ours)


@transaction.atomic
def ask_reader(
    complaint: Complaint, reader: User, *, role: OwnerRole, now: datetime, by: User
) -> Step | None:
    """A colleague reads the complaint beside our words. Whoever restated it cannot be the one."""
    if reader.pk == complaint.restated_by_id:
        raise RefusedError(_("Somebody else has to read it than who put it into our words."))
    journey = lock_journey(complaint.journey_id)
    _move(complaint, Q(restated_at__isnull=False, understood_at=None), reader=reader)
    named = {"name": complaint.patient.full_name}
    if journey.status not in OPEN_JOURNEYS:
        return None
    waiting = _waiting(complaint, "understood")
    if waiting:  # whoever was asked before cannot open it any more
        before = Step.objects.filter(about=waiting, kind=StepKind.COMPLAINT, status=StepStatus.ACTIVE)
        cancel_steps(list(before), now=now, by=by)
    asked = AdHoc(
        StepKind.COMPLAINT,
        lambda: _("Read whether we understood the complaint of %(name)s") % named,
        soon(journey.clinic, READ_WITHIN, now=now),
        role=role,
        owner=reader,
        about=waiting,
    )
    return add_step(journey, asked, now=now, by=by)


@transaction.atomic
def find_understood(
    complaint: Complaint, how: Understood, *, seen: str | None = None, now: datetime, by: User | None = None
) -> None:
    """Our words say what was meant. `seen`: the words that were read, where a page may be older than they are."""
    if how == Understood.READER and (by is None or complaint.restated_by_id == by.pk):
        raise RefusedError(_("Somebody else has to read it than who put it into our words."))
    lock_journey(complaint.journey_id)
    more: dict[str, Any] = {"reader": by} if how == Understood.READER else {}
    waits = _still_restated(complaint, seen)
    _move(complaint, waits, understood_at=now, understood_by=how, **more)
    _end(complaint, "understood", "understood", now=now, by=by)


@transaction.atomic
def find_misunderstood(
    complaint: Complaint, words: str, *, seen: str | None = None, now: datetime, by: User | None = None
) -> None:
    """It was meant otherwise: what is said now stands beside the first words, and we say it anew. `seen`: as above."""
    lock_journey(complaint.journey_id)
    said = with_plain_lines(words)
    waits = _still_restated(complaint, seen)
    both = "\n\n".join(filter(None, [complaint.words, said]))
    _move(complaint, waits, words=both, restated="", restated_at=None, restated_by=None, reader=None)
    _end(complaint, "understood", "not_understood", now=now, by=by, note=said)


@transaction.atomic
def answer_complaint(complaint: Complaint, words: str, *, now: datetime, by: User) -> None:
    """Only what was understood is answered; the database refuses it, too."""
    ours = with_plain_lines(words)
    if not ours:
        raise RefusedError(_("Write the answer."))
    lock_journey(complaint.journey_id)
    if not Complaint.objects.filter(pk=complaint.pk, understood_at__isnull=False).exists():
        raise RefusedError(
            _("First it is found understood, by the patient or a second reader; then it is answered.")
        )
    _move(complaint, Q(answered_at=None), answer=ours, answered_at=now, answered_by=by)
    _end(complaint, "answer", "answered", now=now, by=by)


@dataclass(frozen=True)
class Change:
    """What is different now, or why nothing is; `is_published`: told to everybody, without who complained."""

    words: str
    is_changed: bool
    is_published: bool = False


@transaction.atomic
def tell_change(complaint: Complaint, change: Change, *, now: datetime, by: User) -> None:
    said = with_plain_lines(change.words)
    if not said:
        raise RefusedError(_("Write what has changed, or why nothing has."))
    lock_journey(complaint.journey_id)
    if not Complaint.objects.filter(pk=complaint.pk, answered_at__isnull=False).exists():
        raise RefusedError(_("It is answered first."))
    _move(
        complaint,
        Q(changed_at=None),
        change=said,
        changed_at=now,
        is_changed=change.is_changed,
        is_published=change.is_changed and change.is_published,
    )
    _end(complaint, "change", "changed" if change.is_changed else "unchanged", now=now, by=by)


def with_plain_lines(words: str) -> str:
    """With the line ends that a form gives back, whichever a program has sent."""
    return words.replace("\r\n", "\n").replace("\r", "\n").strip()


def _still_restated(complaint: Complaint, seen: str | None) -> Q:
    """That it waits to be found right, in the words that were read. Under the lock of its journey."""
    waits = Q(restated_at__isnull=False, understood_at=None)
    if seen is None:
        return waits
    kept = Complaint.objects.values_list("restated", flat=True).get(pk=complaint.pk)
    if with_plain_lines(kept) != with_plain_lines(seen):
        raise StaleStateError(_("This was changed by somebody else meanwhile."))
    return waits & Q(restated=kept)


def _move(complaint: Complaint, leaving: Q, **to: Any) -> None:
    """Conditional: whoever was second is told so. What is in memory follows."""
    if not Complaint.objects.filter(leaving, pk=complaint.pk).update(**to):
        raise StaleStateError(_("This was changed by somebody else meanwhile."))
    complaint.refresh_from_db()


def _waiting(complaint: Complaint, key: str) -> Step | None:
    waiting = Step.objects.filter(
        journey=complaint.journey_id, template_step__key=key, status=StepStatus.ACTIVE
    )
    return waiting.select_related("template_step", "journey").first()


def _end(
    complaint: Complaint, key: str, outcome: str, *, now: datetime, by: User | None, note: str = ""
) -> None:
    """The step has its outcome, and nobody is asked about it any more; a journey that ended has none."""
    step = _waiting(complaint, key)
    if step is None:
        return
    cancel_for_step(step, now=now, outcome=outcome)
    complete_step(step, outcome, now=now, by=by, note=note)
    _keep_the_countrys_clock(complaint, now=now)


def _keep_the_countrys_clock(complaint: Complaint, *, now: datetime) -> None:
    """A country may want it sooner than the catalogue does; later never."""
    clinic = complaint.patient.clinic
    profile = profile_of(clinic.country)
    heard = deadlines.Limit(profile.complaint_heard, deadlines.Unit.WORKING_DAYS)
    until = {
        "restate": soon(clinic, heard, now=complaint.came_at),
        "answer": complaint.came_at + timedelta(days=profile.complaint_answered),
    }
    for key, at in until.items():
        step = _waiting(complaint, key)
        if step and step.due_at and at < step.due_at:
            move_deadline(step, at, now=now)
