"""The last look before a message leaves: is everything still true? Else it is planned anew, never sent late."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from appointments.models import Appointment
from journeys.models import StepStatus
from outreach import followup
from outreach.channels import Message
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.queries import facts_for, hours_for, visit_of
from outreach.rendering import CannotRender, Facts, Rendered, Texts
from patients.models import AddressStatus, Clinic, Consent, ConsentStatus
from patients.queries import ClinicClock
from patients.windows import is_open

ABOUT_A_VISIT = frozenset({"held_visit", "visit_reminder", "hold_moved"})  # void when the visit is gone


@dataclass(frozen=True)
class Parcel:
    """An attempt under our lease, with the message ready to leave."""

    attempt: Attempt
    message: Message
    rendered: Rendered


def open_parcels(claimed: Sequence[int], lease: UUID, *, now: datetime) -> list[Parcel]:
    """Look once more at each claimed attempt: what may leave comes back, the rest is put back or ended."""
    attempts = list(
        Attempt.objects.filter(pk__in=claimed, lease=lease)
        .select_related("patient__clinic", "patient__card", "contact_point")
        .select_related("task__step__journey__clinic", "task__step__template_step", "task__step__about")
        .select_related("task__step__owner", "task__patient")
        .prefetch_related("patient__card__windows")
        .order_by("send_at", "pk")
    )
    clinics = {attempt.clinic_id: attempt.patient.clinic for attempt in attempts}
    clock = ClinicClock(clinics.values(), now=now)
    silenced = _withdrawn(attempts)
    facts = facts_for([attempt.task for attempt in attempts], now=now)
    texts = Texts({attempt.task.message_key for attempt in attempts})
    parcels = []
    for attempt in attempts:
        task = attempt.task
        if _is_over(task):
            put_back(attempt, lease, now=now, again=False)
        elif not _may_leave(attempt, clock, silenced, now=now):
            put_back(attempt, lease, now=now)
        else:
            parcel = _packed(attempt, texts, facts[task.pk], clinics[attempt.clinic_id])
            if parcel is None:
                _without_words(attempt, lease, now=now)
            else:
                parcels.append(parcel)
    return parcels


def _withdrawn(attempts: Iterable[Attempt]) -> set[tuple[int, int, str, str]]:
    """Read at the door, not when planned: a STOP in between holds (standards.md 4.1)."""
    rows = Consent.objects.filter(
        patient__in=[attempt.patient_id for attempt in attempts],
        status=ConsentStatus.WITHDRAWN,
        superseded_at__isnull=True,
    )
    return set(rows.values_list("patient_id", "contact_point_id", "channel", "purpose"))


def _is_over(task: OutreachTask) -> bool:
    """Nobody waits for this any more: the step has ended, or the visit it speaks of is gone."""
    if task.status != TaskStatus.OPEN or task.step.status != StepStatus.ACTIVE:
        return True
    visit: Appointment | None = visit_of(task.step.journey_id)
    return task.message_key in ABOUT_A_VISIT and visit is None


def _may_leave(
    attempt: Attempt, clock: ClinicClock, silenced: set[tuple[int, int, str, str]], *, now: datetime
) -> bool:
    key = (attempt.patient_id, attempt.contact_point_id, attempt.channel, str(attempt.task.purpose))
    if key in silenced or attempt.contact_point.status == AddressStatus.BAD:
        return False
    return now < attempt.expires_at and is_open(now, *hours_for(attempt.patient, attempt.channel, clock))


def put_back(attempt: Attempt, lease: UUID, *, now: datetime, again: bool = True) -> None:
    """Nothing was sent: end this attempt, and plan the task anew where it is still wanted."""
    with transaction.atomic():
        ended = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.SENDING, lease=lease).update(
            status=AttemptStatus.CANCELLED,
            lease=None,
            lease_until=None,
            ended_at=now,
            outcome="replanned" if again else "not_needed",
        )
        if not ended:
            return
        if again:
            followup.plan_again(attempt.task, at=now)
        else:
            followup.end_task(attempt.task, TaskStatus.CANCELLED, "not_needed", now=now)


def _without_words(attempt: Attempt, lease: UUID, *, now: datetime) -> None:
    with transaction.atomic():
        put_back(attempt, lease, now=now)
        followup.hand_over(attempt.task, followup.HandOver.NO_WORDS, now=now)


def _packed(attempt: Attempt, texts: Texts, facts: Facts, clinic: Clinic) -> Parcel | None:
    try:
        rendered = texts.render(
            attempt.task.message_key, attempt.channel, attempt.patient.language, facts, clinic
        )
    except CannotRender:
        return None
    message = Message(
        reference=str(attempt.reference),
        to=attempt.contact_point.value,
        sender=clinic.sender_name or clinic.name,
        reply_to=clinic.email,
        language=rendered.language,
        subject=rendered.subject,
        body=rendered.body,
    )
    return Parcel(attempt, message, rendered)
