"""Who was left alone: days since a person of ours last spoke with her, while we owe her something, or owe nothing.

A reminder is no contact, nor is any text of the machine: only a call in which she was spoken with, an answer in
somebody's own words, or a visit. A few are suggested a day, never a campaign, and nobody twice for a while: for
months where nothing is open, for a week while we owe her something, for a few days where nobody answered.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from appointments.models import Appointment, AppointmentStatus
from journeys.models import Journey, LostBecause, Step, StepKind, StepStatus, Urgency
from outreach.channels import PHONE
from outreach.channels.phone import CallOutcome
from outreach.contact_models import ContactEnd, PersonalContact
from outreach.enough import refuse_beyond_the_law
from outreach.models import ANSWER, Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.preview import Window, window_of
from outreach.queries import UNFINISHED, WENT_OUT
from patients.actions import RefusedError, StaleStateError, lock_patient, refuse_unless_active
from patients.models import (
    AddressKind,
    Channel,
    Clinic,
    Patient,
    PatientContact,
    PatientStatus,
)
from patients.queries import first_phone, withdrawn
from patients.told import REACHES, SURELY_HERS

A_DAY = 5  # suggestions of a clinic
READ = 300  # of those who wait longest; a list of five needs no more
LEFT_ALONE = timedelta(days=120)  # after a talk of this kind, or a decision against one, if nothing is open
TRIED_AGAIN = timedelta(days=3)  # after a call that nobody answered, which is no word to her
OPEN_FOR, LOYAL_FOR = timedelta(days=7), timedelta(days=180)  # without a word, before it is neglect
VISITS = 2  # that make a patient ours
# A call that ended so was spoken with her; "no answer" and a wrong number were not.
SPOKEN = [
    outcome.value
    for outcome in CallOutcome
    if outcome not in {CallOutcome.NO_ANSWER, CallOutcome.WRONG_NUMBER}
]
MONTH = timedelta(days=30)
NOTED_WITHIN = timedelta(hours=12)  # what came of a call is said by whoever rang, in that shift


@dataclass(frozen=True)
class Neglected:
    """One of today's few, with what makes it so."""

    patient: Patient
    last_at: datetime  # when a person of ours last spoke with her; while she waits, not before she began to
    days: int
    weight: float
    is_open: bool  # we owe her something; else there is nothing to sell and nothing to do
    waits_for: Step | None = None
    is_urgent: bool = False
    broken: int = 0  # promises to her that did not hold, and are open still
    in_confidence: bool = False  # some of it is kept from her parents: her own number is rung
    before: PersonalContact | None = None  # the last time that one of us called for this, or decided not to


def neglected(clinic: Clinic, *, now: datetime) -> list[Neglected]:
    """Today's suggestions, the most neglected first: as many as are left of a day's few."""
    left = A_DAY - seen_today(clinic, now=now)
    if left <= 0:
        return []
    found = [*_with_open_needs(clinic, now=now), *_loyal(clinic, now=now)]
    few = sorted(found, key=lambda each: (-each.weight, each.patient.pk))[:left]
    contacts = PersonalContact.objects.filter(patient__in=[each.patient for each in few]).exclude(ended="")
    before = {contact.patient_id: contact for contact in contacts.order_by("at", "pk")}
    return [replace(each, before=before.get(each.patient.pk)) for each in few]


def seen_today(clinic: Clinic, *, now: datetime) -> int:
    """How many of today's were called or left."""
    zone = ZoneInfo(clinic.time_zone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return PersonalContact.objects.filter(clinic=clinic, at__gte=midnight).exclude(ended="").count()


def _lately(*, now: datetime, in_peace: timedelta) -> Q:
    """Contacts after which nobody is suggested yet: a talk or a decision against one; a call in vain, for days."""
    decided = Q(ended__in=[ContactEnd.SPOKEN, ContactEnd.NOT_NOW], at__gt=now - in_peace)
    return decided | Q(ended=ContactEnd.NOT_REACHED, at__gt=now - TRIED_AGAIN)


def _phones() -> QuerySet[PatientContact]:
    """Numbers that may be called."""
    return PatientContact.objects.filter(REACHES, may_be_called=True, contact_point__kind=AddressKind.PHONE)


def _may_be_asked(clinic: Clinic, *, now: datetime, in_peace: timedelta) -> QuerySet[Patient]:
    """Living, not merged, with a number that may be called; she has refused nothing, and was not asked lately."""
    this = OuterRef("pk")
    phones = _phones().filter(patient=this)
    lately = PersonalContact.objects.filter(_lately(now=now, in_peace=in_peace), patient=this)
    gone = Journey.objects.filter(patient=this, lost_because=LostBecause.OWN_WORDS)
    ringing = Attempt.objects.filter(patient=this, channel=PHONE, status__in=UNFINISHED)
    asked = Patient.objects.filter(Exists(phones), clinic=clinic, status=PatientStatus.ACTIVE)
    return asked.exclude(
        Exists(lately) | Exists(gone) | Exists(ringing) | Exists(withdrawn(patient=this))
    ).select_related("clinic", "card")


def _needs(*, now: datetime) -> QuerySet[Step]:
    """What of hers is open; an invitation of the next year or a visit that is to come is no need of today."""
    far = Q(kind__in=[StepKind.RECALL, StepKind.THANK]) | Q(kind=StepKind.VISIT, due_at__gt=now)
    return Step.objects.filter(status=StepStatus.ACTIVE).exclude(far)


def _spoken_of(*, now: datetime) -> QuerySet[Step]:
    """Without what is kept from her parents, where no number of her own can be rung."""
    her_own = _phones().filter(SURELY_HERS, patient=OuterRef("journey__patient"))
    return _needs(now=now).filter(Q(journey__is_confidential=False) | Exists(her_own))


def number_to_ring(patient: Patient, *, now: datetime) -> PatientContact | None:
    """Her own, where something that is kept from her parents is open and she has one; else the first."""
    own = first_phone(patient, now=now, in_confidence=True)
    kept = _needs(now=now).filter(journey__patient=patient, journey__is_confidential=True)
    return own if own and kept.exists() else first_phone(patient, now=now)


def _with_open_needs(clinic: Clinic, *, now: datetime) -> Iterable[Neglected]:
    """Something of hers is open: urgent it weighs twice, and each promise that did not hold weighs once more."""
    open_steps = _spoken_of(now=now).filter(journey__patient=OuterRef("pk"))
    since = open_steps.order_by().values("journey__patient").annotate(at=Min("opened_at")).values("at")
    may_be_asked = _may_be_asked(clinic, now=now, in_peace=OPEN_FOR)
    asked = may_be_asked.filter(Exists(open_steps)).annotate(since=since)
    patients = list(asked.order_by("since", "pk")[:READ])
    spoken = last_spoken(patients)
    steps = _spoken_of(now=now).filter(journey__patient__in=patients)
    owed: dict[int, list[Step]] = {}
    for step in steps.select_related("journey", "template_step").order_by("due_at", "pk"):
        owed.setdefault(step.journey.patient_id or 0, []).append(step)
    for patient in patients:
        mine = owed.get(patient.pk, [])
        opened = min((step.opened_at for step in mine if step.opened_at), default=now)
        last_at = max(spoken.get(patient.pk, opened), opened)
        if last_at > now - OPEN_FOR:
            continue
        urgent = any(step.journey.urgency == Urgency.URGENT for step in mine)
        broken = sum(
            step.kind == StepKind.PROMISE and bool(step.due_at and step.due_at <= now) for step in mine
        )
        days = (now - last_at).days
        weight = days / OPEN_FOR.days * (2 if urgent else 1) * (1 + broken)
        yield Neglected(
            patient,
            last_at,
            days,
            weight,
            is_open=True,
            waits_for=mine[0] if mine else None,
            is_urgent=urgent,
            broken=broken,
            in_confidence=any(step.journey.is_confidential for step in mine),
        )


def _loyal(clinic: Clinic, *, now: datetime) -> Iterable[Neglected]:
    """She came more than once, nothing is open, and nobody has spoken with her for half a year."""
    visits = Appointment.objects.filter(patient=OuterRef("pk"))
    told = visits.exclude(step__journey__is_confidential=True)  # whoever answers the phone may be a parent
    past = told.filter(status=AppointmentStatus.FULFILLED).order_by().values("patient")
    coming = visits.filter(start__gt=now).exclude(status=AppointmentStatus.CANCELLED)
    going_on = _needs(now=now).filter(journey__patient=OuterRef("pk"))
    invited = OutreachTask.objects.filter(patient=OuterRef("pk"), status=TaskStatus.OPEN)
    may_be_asked = _may_be_asked(clinic, now=now, in_peace=LEFT_ALONE)
    asked = may_be_asked.exclude(Exists(going_on) | Exists(coming) | Exists(invited))
    came = asked.annotate(
        came=past.annotate(n=Count("pk")).values("n"), last=past.annotate(at=Max("end")).values("at")
    )
    patients = list(came.filter(came__gte=VISITS, last__lte=now - LOYAL_FOR).order_by("last", "pk")[:READ])
    spoken = last_spoken(patients)
    for patient in patients:
        last_at = spoken.get(patient.pk) or _since(patient)
        if last_at <= now - LOYAL_FOR:
            days = (now - last_at).days
            yield Neglected(patient, last_at, days, days / LOYAL_FOR.days, is_open=False)


def _since(patient: Patient) -> datetime:
    """She is with us from this day, by her clinic's clock."""
    zone = ZoneInfo(patient.clinic.time_zone)
    return datetime.combine(patient.since_on, datetime.min.time(), zone)


def last_spoken(patients: Iterable[Patient]) -> dict[int, datetime]:
    """When a person of ours last spoke with each: on the phone, in own words, or face to face."""
    keys = [patient.pk for patient in patients]
    calls = Attempt.objects.filter(patient__in=keys, channel=PHONE, outcome__in=SPOKEN)
    answers = Attempt.objects.filter(patient__in=keys, task__message_key=ANSWER, status__in=WENT_OUT)
    visits = Appointment.objects.filter(patient__in=keys, status=AppointmentStatus.FULFILLED)
    asked = PersonalContact.objects.filter(patient__in=keys, ended=ContactEnd.SPOKEN)
    found: dict[int, datetime] = {}
    for rows, column in ((calls, "ended_at"), (answers, "sent_at"), (visits, "end"), (asked, "at")):
        latest = rows.order_by().values_list("patient").annotate(at=Max(column))
        for key, at in latest:
            if key is not None and at is not None:
                found[key] = max(found.get(key, at), at)
    return found


def suits_a_call(patient: Patient, window: Window) -> bool:
    """Whether she may be rung now without a reason: inside the agreed hours, and she did not ask to be written to."""
    card = getattr(patient, "card", None)
    asked_for = card.channel if card and card.told_at else ""
    return window.is_open and asked_for in {"", Channel.PHONE}


@transaction.atomic
def begin_contact(patient: Patient, because: str, *, now: datetime, by: User) -> PersonalContact:
    """Somebody rings: written down at once, so that it counts even where nobody says what came of it.

    Outside her hours or her way with the reason, as every call by hand (N7). Pressed again it is the same call.
    """
    lock_patient(patient.pk)
    refuse_unless_active(patient.pk)
    if not because.strip() and not suits_a_call(patient, window_of(patient, Channel.PHONE, now=now)):
        raise RefusedError(_("It is not how or when the patient asked to be reached. Say why you call now."))
    begun = _begun(patient, now=now, by=by)
    if begun:
        return begun
    refuse_beyond_the_law(patient, now=now)
    return PersonalContact.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        at=now,
        called_at=now,
        by=by,
        because=because.strip()[:200],
    )


def _begun(patient: Patient, *, now: datetime, by: User) -> PersonalContact | None:
    """The call of this colleague of which nobody has said yet how it ended."""
    rung = PersonalContact.objects.filter(patient=patient, by=by, ended="", called_at__gt=now - NOTED_WITHIN)
    return rung.order_by("-called_at", "-pk").first()


@transaction.atomic
def note_contact(
    patient: Patient, ended: ContactEnd, words: str, *, now: datetime, by: User
) -> PersonalContact:
    """It was done, tried, or better left: she is not suggested again for a while."""
    lock_patient(patient.pk)  # two colleagues, one call
    refuse_unless_active(patient.pk)
    if ended != ContactEnd.NOT_REACHED and not words.strip():
        raise RefusedError(_("Write in a few words what was said, or why better not."))
    contact = _begun(patient, now=now, by=by)  # whoever has rung says how it ended, whatever else there was
    lately = PersonalContact.objects.filter(_lately(now=now, in_peace=OPEN_FOR), patient=patient)
    if contact is None and lately.exists():
        raise StaleStateError(_("A colleague has been in touch with this patient meanwhile."))
    contact = contact or PersonalContact(clinic_id=patient.clinic_id, patient=patient, by=by)
    contact.at, contact.ended, contact.words = now, ended, words.strip()[:300]
    contact.save()
    return contact


@dataclass(frozen=True)
class Shares:
    """Of a month: how often a person of ours was in touch, and how often only a text was."""

    personal: int
    texts: int


def shares(clinic: Clinic, *, now: datetime) -> Shares:
    sent = Attempt.objects.filter(clinic=clinic, send_at__gt=now - MONTH)
    by_us = sent.filter(
        Q(channel=PHONE, outcome__in=SPOKEN) | Q(task__message_key=ANSWER, status__in=WENT_OUT)
    )
    asked = PersonalContact.objects.filter(clinic=clinic, at__gt=now - MONTH, ended=ContactEnd.SPOKEN)
    texts = sent.filter(status__in=[AttemptStatus.SENT, AttemptStatus.DELIVERED]).exclude(channel=PHONE)
    return Shares(by_us.count() + asked.count(), texts.exclude(task__message_key=ANSWER).count())
