"""The last look before a message leaves: is everything still true? Else it is planned anew, never sent late."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from journeys.models import Journey, Step, StepStatus, StepTemplate
from outreach import followup
from outreach.attested import Attested, answered_for_still
from outreach.because import Because, shut_by
from outreach.channels import BY_VOICE, Message, by_machine
from outreach.confidence import HER_OWN
from outreach.decisions import note_stopped
from outreach.followup import NOT_NEEDED, REPLANNED, HandOver
from outreach.gate import Gates, lets_out_still
from outreach.held import WAITING, Held, is_held_no_more
from outreach.models import (
    ALREADY_WORDED,
    NEW_LINK,
    STOPPED,
    WAITED_FOR,
    Attempt,
    AttemptStatus,
    OutreachTask,
    Reply,
    TaskStatus,
)
from outreach.offers import ABOUT_AN_OFFER, is_void, offers_of
from outreach.opt_out import notice_of
from outreach.queries import facts_for, hours_for, visits_of
from outreach.reach import channels_of
from outreach.rendering import CannotRender, Facts, Rendered, Texts
from outreach.told import not_told, ties_to_use
from outreach.voice_rules import may_call_still
from patients.models import (
    AddressStatus,
    Clinic,
    ContactPoint,
    MaySay,
    Patient,
    PatientContact,
    PatientStatus,
    Relation,
)
from patients.queries import ClinicClock, contact_windows_at, withdrawn
from patients.told import ties_at, ties_of
from patients.windows import ALWAYS, DAY, Hours, open_together

logger = logging.getLogger(__name__)

# Void when the visit is gone.
ABOUT_A_VISIT = frozenset({"held_first", "held_visit", "visit_reminder", "hold_moved"})
# How long after a patient's words our own may answer where only approved ones may begin; a minute to be sure.
ANSWERABLE = timedelta(hours=24) - timedelta(minutes=1)
PATIENTS_CLINIC, JOURNEYS_CLINIC = Patient._meta.get_field("clinic"), Journey._meta.get_field("clinic")
TEMPLATE_STEP, TASKS_PATIENT = Step._meta.get_field("template_step"), OutreachTask._meta.get_field("patient")


@dataclass(frozen=True)
class Parcel:
    """An attempt under our lease, with the message ready to leave."""

    attempt: Attempt
    message: Message
    rendered: Rendered


def open_parcels(claimed: Sequence[int], lease: UUID, *, now: datetime) -> list[Parcel]:
    """Look once more at each claimed attempt: what may leave comes back, the rest is put back or ended."""
    attempts = _with_all_they_name(claimed, lease)
    clinics = {attempt.clinic_id: attempt.patient.clinic for attempt in attempts}
    clock = ClinicClock(clinics.values(), now=now)
    silenced = _withdrawn(attempts)
    tasks = [attempt.task for attempt in attempts]
    visits, offers = visits_of({task.step.journey_id for task in tasks}), offers_of(tasks)
    facts = facts_for(tasks, visits, offers, now=now)
    texts = Texts({attempt.task.message_key for attempt in attempts}, clinics)
    gates, attested, held = Gates(clinics.values()), Attested(tasks), Held(tasks)
    may_answer = _heard_from(attempts, now=now)
    parcels = []
    for attempt in attempts:
        task, hours = attempt.task, _hours_of(attempt, clock)
        tells_of_offer = task.message_key in ABOUT_AN_OFFER
        if over := _is_over(attempt, visits):
            put_back(attempt, lease, over, now=now, again=False)
        elif tells_of_offer and is_void(offers.get(task.step_id), now=now):
            put_back(attempt, lease, Because.OFFER_OVER, now=now, again=False)
        elif bar := (
            _bar(attempt, hours, silenced, gates, now=now)
            or attested.bar(task, attempt.contact_point_id, attempt.channel)
            or held.bar(task, attempt.contact_point_id, attempt.channel)
        ):
            put_back(attempt, lease, bar, now=now)
        elif rendered := _worded(
            attempt, texts, _as_read(attempt, facts[task.pk]), clinics[attempt.clinic_id]
        ):
            free = attempt.contact_point_id in may_answer
            open_for = open_together(hours, now, now + DAY)[0].end - now
            message = _addressed(attempt, rendered, may_be_free=free, open_for=open_for)
            parcels.append(Parcel(attempt, message, rendered))
        else:
            _without_words(attempt, lease, now=now)
    return parcels


def _with_all_they_name(claimed: Sequence[int], lease: UUID) -> list[Attempt]:
    """The claimed attempts in their order. What many of them share, a clinic or a template's step, is read once."""
    rows = Attempt.objects.filter(pk__in=claimed, lease=lease).select_related(
        "patient__card", "contact_point", "task__step__journey", "task__step__about", "task__step__owner"
    )
    rows = rows.prefetch_related(contact_windows_at("patient__card__windows"), ties_at("patient__contacts"))
    attempts: list[Attempt] = list(rows.order_by("send_at", "pk"))
    clinics = Clinic.objects.in_bulk({attempt.clinic_id for attempt in attempts})
    steps = {attempt.task.step.template_step_id for attempt in attempts}
    templates = StepTemplate.objects.in_bulk([pk for pk in steps if pk])
    for attempt in attempts:
        task, clinic = attempt.task, clinics[attempt.clinic_id]
        PATIENTS_CLINIC.set_cached_value(attempt.patient, clinic)
        JOURNEYS_CLINIC.set_cached_value(task.step.journey, clinic)
        TEMPLATE_STEP.set_cached_value(task.step, templates.get(task.step.template_step_id or 0))
        TASKS_PATIENT.set_cached_value(task, attempt.patient)
    return attempts


def nothing_forbids(channel: str, clinics: Iterable[Clinic]) -> dict[Because, Q]:
    """The same once more, as conditions of the very statement that begins calls, each under its rule.

    A batch was looked at when it was claimed; a STOP or an ended step may have come since, while a birthday comes at
    an hour at which nothing leaves. No joins, so that they are checked together with the lease.
    """
    task = OutreachTask.objects.filter(pk=OuterRef("task"))
    open_still = task.filter(status=TaskStatus.OPEN, step__status=StepStatus.ACTIVE)
    refused = withdrawn(
        patient=OuterRef("patient"),
        contact_point=OuterRef("contact_point"),
        channel=OuterRef("channel"),
        purpose__in=OutreachTask.objects.filter(pk=OuterRef(OuterRef("task"))).values("purpose"),
    )
    bad = ContactPoint.objects.filter(pk=OuterRef("contact_point"), status=AddressStatus.BAD)
    still_hers = PatientContact.objects.filter(
        patient=OuterRef("patient"), contact_point=OuterRef("contact_point"), may_say=MaySay.EVERYTHING
    )
    if channel in BY_VOICE:
        still_hers = still_hers.filter(may_be_called=True)
    doubted = PatientContact.objects.filter(
        patient=OuterRef("patient"), contact_point=OuterRef("contact_point"), suspended_at__isnull=False
    )
    living = Patient.objects.filter(pk=OuterRef("patient"), status=PatientStatus.ACTIVE)
    return {
        Because.RECORD_CLOSED: Q(Exists(living)),
        Because.STEP_ENDED: Q(Exists(open_still)),
        Because.NOT_HERS: ~Q(Exists(doubted)),
        Because.ADDRESS_REMOVED: Q(Exists(still_hers)),
        # STOPPED is the one thing that is said after it.
        Because.CONSENT: ~Q(Exists(refused)) | Q(Exists(task.filter(message_key=STOPPED))),
        Because.IN_CONFIDENCE: ~Q(Exists(task.filter(step__journey__is_confidential=True)))
        | Q(Exists(HER_OWN)),
        Because.BAD_ADDRESS: ~Q(Exists(bad)),
        **lets_out_still(channel, clinics),
        **may_call_still(channel, clinics),
        **answered_for_still(channel, clinics),
        **is_held_no_more(),
    }


def forbidden_by(attempt: Attempt, *, now: datetime) -> Because | None:
    """Which of them did not hold, where the call was not begun; None where our lease was over."""
    if attempt.expires_at <= now:
        return Because.TOO_LATE
    row = Attempt.objects.filter(pk=attempt.pk)
    conditions = nothing_forbids(attempt.channel, [attempt.patient.clinic])
    return next((rule for rule, holds in conditions.items() if not row.filter(holds).exists()), None)


def _withdrawn(attempts: Iterable[Attempt]) -> set[tuple[int, int, str, str]]:
    """Read at the door, not when planned: a STOP in between holds (standards.md 4.1)."""
    rows = withdrawn(patient__in=[attempt.patient_id for attempt in attempts])
    return set(rows.values_list("patient_id", "contact_point_id", "channel", "purpose"))


def _heard_from(attempts: Iterable[Attempt], *, now: datetime) -> set[int]:
    """The addresses from which somebody wrote lately, of those on channels where that matters."""
    asked = by_machine()
    points = {
        attempt.contact_point_id
        for attempt in attempts
        if asked[attempt.channel].abilities.only_approved_words
    }
    if not points:
        return set()
    heard = Reply.objects.filter(contact_point__in=points, at__gt=now - ANSWERABLE, at__lte=now)
    return {point for point in heard.values_list("contact_point_id", flat=True) if point}


def _is_over(attempt: Attempt, with_visit: Collection[int]) -> Because | None:
    """Nobody waits for this any more: the record is closed, the step has ended, or the visit it speaks of is gone."""
    task = attempt.task
    if attempt.patient.status != PatientStatus.ACTIVE:
        return Because.RECORD_CLOSED
    if task.status != TaskStatus.OPEN or task.step.status not in WAITING:
        return Because.STEP_ENDED
    gone = task.message_key in ABOUT_A_VISIT and task.step.journey_id not in with_visit
    return Because.VISIT_GONE if gone else None


def _bar(
    attempt: Attempt,
    hours: tuple[Hours, ...],
    silenced: set[tuple[int, int, str, str]],
    gates: Gates,
    *,
    now: datetime,
) -> Because | None:
    """The first rule that keeps it from leaving at this moment."""
    point, told = attempt.contact_point, _not_told(attempt, now=now)
    key = (attempt.patient_id, attempt.contact_point_id, attempt.channel, str(attempt.task.purpose))
    bars = {
        Because.ON_HOLD: attempt.task.step.status == StepStatus.ON_HOLD,
        Because.CONSENT: key in silenced and attempt.task.message_key != STOPPED,
        Because.IN_CONFIDENCE: told == Because.IN_CONFIDENCE,
        Because.NOT_HERS_ALONE: told == Because.NOT_HERS_ALONE,
        Because.NOTHING_SAID: told == Because.NOTHING_SAID,
        Because.TOLD_ALREADY: told == Because.TOLD_ALREADY,
        Because.BAD_ADDRESS: point.status == AddressStatus.BAD,
        Because.NO_LONGER_TOLD: told == Because.NO_LONGER_TOLD,
        Because.ADDRESS_REMOVED: attempt.channel not in channels_of(point.kind),
        Because.TOO_LATE: now >= attempt.expires_at,
    }
    bar = next((rule for rule, holds in bars.items() if holds), None) or gates.bar(point, attempt.channel)
    return bar or next(shut_by(hours, now), None)


def _not_told(attempt: Attempt, *, now: datetime) -> Because | None:
    """Whether others are told by now than when it was planned. What she waits for goes where she wrote from, unless it
    is kept from the parents; a new link opens more than one answer, so it goes only to who is told.
    """
    task, tie = attempt.task, _tie_of(attempt)
    if tie is None:
        return Because.IN_CONFIDENCE if task.step.journey.is_confidential else None
    rule = not_told(task, tie, ties_to_use(task, now=now))
    waits = task.message_key in WAITED_FOR and task.message_key != NEW_LINK
    return None if waits and rule == Because.NO_LONGER_TOLD else rule


def _tie_of(attempt: Attempt) -> PatientContact | None:
    """Whose the address is, as it was read for the whole batch."""
    ties = ties_of(attempt.patient)
    return next((tie for tie in ties if tie.contact_point_id == attempt.contact_point_id), None)


def _hours_of(attempt: Attempt, clock: ClinicClock) -> tuple[Hours, ...]:
    """What she waits for now leaves at once; the clinic's hours and the law's hold all the same."""
    hers, *others = hours_for(attempt.patient, attempt.channel, clock)
    waits = attempt.task.message_key in WAITED_FOR
    return (Hours.of(hers.zone, ALWAYS, {}) if waits else hers, *others)


def put_back(attempt: Attempt, lease: UUID, because: Because, *, now: datetime, again: bool = True) -> bool:
    """Nothing was sent: end this attempt, and plan the task anew where it is still wanted. False: not ours."""
    with transaction.atomic():
        ended = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.SENDING, lease=lease).update(
            status=AttemptStatus.CANCELLED,
            lease=None,
            lease_until=None,
            ended_at=now,
            outcome=REPLANNED if again else NOT_NEEDED,
        )
        if ended:
            note_stopped([attempt], because, now=now)
        if ended and again:
            followup.plan_again(attempt.task, at=now)
        elif ended:
            followup.end_task(attempt.task, TaskStatus.CANCELLED, NOT_NEEDED, now=now)
        return bool(ended)


def _as_read(attempt: Attempt, facts: Facts) -> Facts:
    """Her grammatical form is only right where she reads herself, not her mother."""
    tie = _tie_of(attempt)
    return facts if tie and tie.relation == Relation.SELF else replace(facts, variant="")


def _without_words(attempt: Attempt, lease: UUID, *, now: datetime) -> None:
    with transaction.atomic():
        if put_back(attempt, lease, Because.NO_WORDS, now=now):
            followup.hand_over(attempt.task, HandOver.NO_WORDS, now=now)


def _worded(attempt: Attempt, texts: Texts, facts: Facts, clinic: Clinic) -> Rendered | None:
    if attempt.task.message_key in ALREADY_WORDED:
        return Rendered(attempt.language, attempt.subject, _with_way_out(attempt, clinic))
    try:
        return texts.render(
            attempt.task.message_key, attempt.channel, attempt.patient.language, facts, clinic
        )
    except CannotRender:
        return None
    except Exception:  # one poisoned text must not hold up its neighbours
        logger.exception("Attempt %s has no words.", attempt.pk)
        return None


def _with_way_out(attempt: Attempt, clinic: Clinic) -> str:
    """Words that stood from the start, and after them how to stop them where the law asks that."""
    notice = notice_of(
        clinic,
        key=attempt.task.message_key,
        channel=attempt.channel,
        purpose=attempt.task.purpose,
        language=attempt.language,
    )
    return notice.after(attempt.body)


def _addressed(attempt: Attempt, rendered: Rendered, *, may_be_free: bool, open_for: timedelta) -> Message:
    clinic = attempt.patient.clinic
    return Message(
        reference=str(attempt.reference),
        to=attempt.contact_point.value,
        sender=clinic.sender_name or clinic.name,
        reply_to=clinic.intake_address or clinic.email,
        language=rendered.language,
        subject=rendered.subject,
        body=rendered.body,
        approved_as=rendered.approved_as,
        values=rendered.values,
        may_be_free=may_be_free,
        open_for=open_for,
        may_leave_voicemail=attempt.channel in BY_VOICE
        and bool(attempt.tie and attempt.tie.may_leave_voicemail),
    )
