"""What a calling patient sets going: the chase that is counted, and the promise that is made (S1.10, S1.11)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import translation
from django.utils.translation import gettext as _

from journeys.actions import AdHoc, add_step, lock_journey, record_events
from journeys.fault import OpenStep, step_at_fault
from journeys.models import (
    OPEN_JOURNEYS,
    TOLD_AGAIN,
    EventKind,
    Journey,
    OwnerRole,
    Step,
    StepEvent,
    StepKind,
    StepStatus,
)
from patients.models import Patient

ONE_CALL = timedelta(minutes=1)  # a second press within it is the same call


@dataclass(frozen=True)
class Promise:
    """What we said and by when; `owner` empty: whoever of the role is there."""

    words: str
    due_at: datetime
    role: OwnerRole = OwnerRole.RECEPTIONIST
    owner: User | None = None


def fault_among(steps: Iterable[Step], *, told: frozenset[int], now: datetime) -> Step | None:
    """The step at fault among active ones; `told` holds those about which the patient has heard from us."""
    by_key = {step.pk: step for step in steps if step.due_at is not None}
    facts = [
        OpenStep(step.pk, step.kind, step.owner_role, step.due_at, step.pk in told)
        for step in by_key.values()
        if step.due_at is not None
    ]
    found = step_at_fault(facts, now=now)
    return by_key[found.key] if found else None


def step_at_fault_of(patient: Patient, *, now: datetime) -> Step | None:
    contacted = StepEvent.objects.filter(step=OuterRef("pk"), kind=EventKind.CONTACTED)
    steps = list(
        Step.objects.filter(
            journey__patient=patient, journey__status__in=OPEN_JOURNEYS, status=StepStatus.ACTIVE
        )
        .exclude(TOLD_AGAIN)
        .annotate(is_told=Exists(contacted))
        .select_related("journey", "template_step")
    )
    return fault_among(steps, told=frozenset(step.pk for step in steps if step.is_told), now=now)


@transaction.atomic
def log_chase(step: Step, *, now: datetime, by: User | None = None, words: str = "") -> bool:
    """The patient had to ask: a defect of ours, counted against the step at fault (S1.10).

    Counted once a call: False when it was logged within the last minute. Words said with the second press are
    kept all the same. The journey's lock lets two presses at once see each other.
    """
    lock_journey(step.journey_id)
    same_call = StepEvent.objects.filter(
        step__journey__patient=step.journey.patient_id,
        step__journey__clinic=step.clinic_id,
        kind=EventKind.CHASED,
        at__gt=now - ONE_CALL,
    )
    counted = not same_call.exists() if step.journey.patient_id else True
    if counted:
        record_events([step], EventKind.CHASED, now=now, by=by, detail=words)
    elif words and not same_call.filter(detail=words[:300]).exists():
        record_events([step], EventKind.NOTED, now=now, by=by, detail=words)
    return counted


@transaction.atomic
def make_promise(
    patient: Patient, new: Promise, *, journey: Journey | None = None, now: datetime, by: User | None = None
) -> Step:
    """A time by which the patient hears from us, with an owner; the same promise again is the same promise.

    It belongs to the journey given, else to the most pressing open one. A patient with none gets one for it,
    which ends when the promise is kept: who was promised something is with us.
    """
    same = Q(title=new.words[:200], due_at=new.due_at)
    return promise_once(patient, new, same, journey=journey, now=now, by=by)[0]


@transaction.atomic
def promise_who_had_to_ask(patient: Patient, new: Promise, *, now: datetime, by: User | None = None) -> Step:
    """She had to ask, and nothing of ours is open, as after a journey that ended too soon: the call counts all the
    same, against the answer that she is promised now.
    """
    step = make_promise(patient, new, now=now, by=by)
    log_chase(step, now=now, by=by, words=new.words)
    return step


@transaction.atomic
def promise_once(
    patient: Patient,
    new: Promise,
    same: Q,
    *,
    journey: Journey | None = None,
    now: datetime,
    by: User | None = None,
) -> tuple[Step, bool]:
    """The promise, and whether it is a new one; `same` says which open one would be this one already."""
    where = _open_journey(patient, journey)  # locked before the patient, as everywhere
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)  # two presses make one promise
    promised = Step.objects.filter(same, kind=StepKind.PROMISE, status=StepStatus.ACTIVE)
    of_hers = promised.filter(journey__patient=patient, clinic=patient.clinic_id)
    made = of_hers.select_related("journey__template").order_by("pk").first()
    if made:
        return made, False
    where = where or _journey_for_promise(
        patient, new, is_kept=bool(journey and journey.is_confidential), now=now
    )
    step = AdHoc(StepKind.PROMISE, new.words, new.due_at, role=new.role, owner=new.owner)
    return add_step(where, step, now=now, by=by), True


def _open_journey(patient: Patient, wanted: Journey | None) -> Journey | None:
    """Under its lock, so that it does not end before the promise is in it.

    What is kept from the parents is promised apart from the rest. It takes a promise of which nobody said what it is
    about only where nothing else is open.
    """
    still_open = Journey.objects.filter(patient=patient, status__in=OPEN_JOURNEYS)
    keys = [wanted.pk] if wanted else []
    for is_kept in (wanted.is_confidential,) if wanted else (False, True):
        there = still_open.filter(is_confidential=is_kept)
        steps = Step.objects.filter(journey__in=there, status=StepStatus.ACTIVE).order_by("due_at", "pk")
        keys += [*steps.values_list("journey_id", flat=True)[:1], *there.values_list("pk", flat=True)[:1]]
    for key in dict.fromkeys(keys):
        journey = lock_journey(key)
        if journey.status in OPEN_JOURNEYS:
            return journey
    return None


def _journey_for_promise(patient: Patient, new: Promise, *, is_kept: bool, now: datetime) -> Journey:
    with translation.override(patient.clinic.language):
        title = new.words[:120] or _("A promised answer")
    return Journey.objects.create(
        clinic_id=patient.clinic_id, patient=patient, title=title, is_confidential=is_kept, opened_at=now
    )
