"""Every write of the engine.

A transition names the state it may leave and counts rows: 0 means somebody was first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from journeys import following, routing
from journeys.clinic_time import refuse_without_hours
from journeys.models import (
    OPEN_JOURNEYS,
    TOLD_AGAIN,
    EventKind,
    Journey,
    JourneyStatus,
    OwnerRole,
    Step,
    StepEdge,
    StepEvent,
    StepKind,
    StepStatus,
    Urgency,
    Words,
    in_each_language,
)
from journeys.queries import active_template, graph_of
from patients.actions import RefusedError, StaleStateError, refuse_unless_active
from patients.models import Clinic, Patient, PatientStatus
from patients.queries import opening_hours

ATTENDED = "attended"  # the outcome of a visit that took place
DECLINED = "declined"  # only with the patient's own words, also by constraint


@dataclass(frozen=True)
class NewJourney:
    template_key: str
    title: str = ""
    urgency: str = Urgency.ROUTINE
    doctor: User | None = None
    is_confidential: bool = False  # as the one that led to it


@transaction.atomic
def start_journey(patient: Patient, new: NewJourney, *, now: datetime, by: User | None = None) -> Journey:
    """Start the active version of a template: its entry steps open at once, side by side."""
    refuse_without_hours(patient.clinic, now=now)
    refuse_unless_active(patient.pk)
    return go_on(patient, new, now=now, by=by)


def go_on(patient: Patient, new: NewJourney, *, now: datetime, by: User | None = None) -> Journey:
    """A journey that something under way leads to: it never stops for hours nobody has said. Inside atomic()."""
    template = active_template(new.template_key)
    journey = Journey.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        template=template,
        title=new.title,
        urgency=new.urgency,
        doctor=new.doctor,
        is_confidential=new.is_confidential,
        opened_at=now,
    )
    open_steps(journey, routing.entries(graph_of(template)), now=now, by=by)
    return journey


def journey_after(ended: Journey, patient: Patient | None, title: str, *, now: datetime) -> Journey:
    """What is still to be said about a journey that has ended has one of its own, kept from the same people."""
    return Journey.objects.create(
        clinic=ended.clinic,
        patient=patient,
        title=title,
        is_confidential=ended.is_confidential,
        opened_at=now,
    )


@transaction.atomic
def open_steps(journey: Journey, keys: Iterable[str], *, now: datetime, by: User | None = None) -> list[Step]:
    """Open template steps of a journey; one that ran before opens as its next round."""
    wanted = list(keys)
    if not wanted:
        return []
    steps = following.steps_of(journey, wanted, opening=opening_hours(journey.clinic, now=now), now=now)
    Step.objects.bulk_create(steps)
    record_events(steps, EventKind.OPENED, now=now, by=by)
    return steps


def record_events(
    steps: Sequence[Step], kind: EventKind, *, now: datetime, by: User | None = None, detail: str = ""
) -> None:
    said = {"kind": kind, "at": now, "by": by, "detail": detail[:300]}
    StepEvent.objects.bulk_create(
        StepEvent(step=step, clinic_id=step.clinic_id if kind == EventKind.CHASED else None, **said)
        for step in steps
    )


def lock_journey(journey_id: int) -> Journey:
    """One writer a journey at a time, so that two ends of a join cannot miss each other. Inside atomic()."""
    return (
        Journey.objects.select_for_update(no_key=True, of=("self",))
        .select_related("clinic", "template")
        .get(pk=journey_id)
    )


@transaction.atomic
def complete_step(
    step: Step, outcome: str, *, now: datetime, by: User | None = None, note: str = ""
) -> list[Step]:
    """End an active step with `outcome`; open what follows, close what is not needed. Returns what opened."""
    refuse_outcome(step, outcome, note)
    template, journey = step.template_step, lock_journey(step.journey_id)
    moved = Step.objects.filter(pk=step.pk, status=StepStatus.ACTIVE).update(
        status=StepStatus.COMPLETED, completed_at=now, outcome=outcome, note=note, contact_from=None
    )
    if not moved:
        raise StaleStateError(_("This was done by somebody else meanwhile."))
    record_events([step], EventKind.COMPLETED, now=now, by=by, detail=outcome)
    _keep_promises([step], now=now, by=by)
    opened: list[Step] = []
    if template and journey.status in OPEN_JOURNEYS:
        opened = _route(journey, template.key, outcome, now=now, by=by)
    _end_if_nothing_waits(journey, now=now)
    return opened


def complete_steps(steps: Sequence[Step], outcome: str, *, now: datetime) -> list[Step]:
    """The same for steps of as many journeys that are locked already, in a number of statements that does not grow
    with them, but for what opens and for journeys that end. What has ended meanwhile stays; returns the others.
    """
    active = Step.objects.select_for_update(no_key=True).filter(
        pk__in=[step.pk for step in steps], status=StepStatus.ACTIVE
    )
    held = set(active.order_by("pk").values_list("pk", flat=True))
    ended = [step for step in steps if step.pk in held]
    Step.objects.filter(pk__in=held).update(
        status=StepStatus.COMPLETED, completed_at=now, outcome=outcome, note="", contact_from=None
    )
    record_events(ended, EventKind.COMPLETED, now=now, detail=outcome)
    _keep_promises(ended, now=now)
    _go_on_from(ended, outcome, now=now)
    return ended


def _go_on_from(ended: Sequence[Step], outcome: str, *, now: datetime) -> None:
    """Open what follows each step, and end the journeys in which nothing waits any more."""
    leading_on = set(
        StepEdge.objects.filter(source__in={step.template_step_id for step in ended}).values_list(
            "source", flat=True
        )
    )
    journeys = Journey.objects.filter(pk__in=[step.journey_id for step in ended], status__in=OPEN_JOURNEYS)
    by_key = journeys.select_related("clinic", "template").in_bulk()
    for step in ended:
        if step.template_step and step.template_step_id in leading_on and step.journey_id in by_key:
            _route(by_key[step.journey_id], step.template_step.key, outcome, now=now, by=None)
    waiting = Step.objects.filter(journey__in=by_key).exclude(
        status__in=[StepStatus.COMPLETED, StepStatus.CANCELLED]
    )
    for pk in by_key.keys() - set(waiting.values_list("journey_id", flat=True)):
        _end_if_nothing_waits(by_key[pk], now=now)


def refuse_outcome(step: Step, outcome: str, note: str = "") -> None:
    """How a step may not end: without her words, in a way its template does not know, or not as it has to."""
    template = step.template_step
    if outcome == DECLINED and not note.strip():
        raise RefusedError(_("Write the patient's own words; a guess is not a reason."))
    is_unknown = bool(template and template.outcomes and outcome not in template.outcomes)
    if is_unknown or step.ends_with not in {"", outcome}:
        raise RefusedError(
            _("“%(step)s” cannot end with “%(outcome)s”.") % {"step": step.name, "outcome": outcome}
        )


def _route(journey: Journey, key: str, outcome: str, *, now: datetime, by: User | None) -> list[Step]:
    assert journey.template is not None  # noqa: S101 - a template step lives in a templated journey
    graph = graph_of(journey.template)
    closing = routing.closes_after(graph, key, outcome)
    if closing:
        also = Q(TOLD_AGAIN, about__template_step__key__in=closing)
        closed = journey.steps.filter(Q(template_step__key__in=closing) | also, status=StepStatus.ACTIVE)
        unneeded = list(closed)
        cancel_steps(unneeded, now=now, by=by, detail="not_needed")
    wanted = following.opens_after(graph, following.way_so_far(journey), key, outcome)
    return open_steps(journey, wanted, now=now, by=by)


def _keep_promises(steps: Sequence[Step], *, now: datetime, by: User | None = None) -> None:
    """What was promised about a step is kept when the step ends. That one parent was told leaves the other to be told,
    but of what is over, as a visit, nobody is.
    """
    about = [step.pk for step in steps]
    promised = Step.objects.filter(about__in=about, status=StepStatus.ACTIVE)
    kept = list(promised.exclude(TOLD_AGAIN, about__kind=StepKind.TELL))
    Step.objects.filter(pk__in=[promise.pk for promise in kept], status=StepStatus.ACTIVE).update(
        status=StepStatus.COMPLETED, completed_at=now, outcome="kept", contact_from=None
    )
    record_events(kept, EventKind.COMPLETED, now=now, by=by, detail="kept")
    if kept:  # nor is anybody told any more that we were late with what is kept
        _keep_promises(kept, now=now, by=by)


def _end_if_nothing_waits(journey: Journey, *, now: datetime) -> None:
    """The last step ends the journey; one that ended well starts what follows it, e.g. the recall."""
    waiting = journey.steps.exclude(status__in=[StepStatus.COMPLETED, StepStatus.CANCELLED])
    if waiting.exists():
        return
    ended = Journey.objects.filter(pk=journey.pk, status__in=OPEN_JOURNEYS).update(
        status=JourneyStatus.COMPLETED, ended_at=now
    )
    follow_up = journey.template.follow_up if journey.template else ""
    if ended and follow_up and journey.steps.filter(outcome=ATTENDED).exists():
        patient = Patient.objects.select_related("clinic").get(journeys=journey)
        if patient.status == PatientStatus.ACTIVE:
            new = NewJourney(follow_up, doctor=journey.doctor, is_confidential=journey.is_confidential)
            go_on(patient, new, now=now)


def cancel_steps(steps: Sequence[Step], *, now: datetime, by: User | None = None, detail: str = "") -> None:
    """What was told stays true for the other parent; of what is off, as a visit, nobody is told any more."""
    waiting = Step.objects.filter(status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD])
    known = [step.pk for step in steps]
    also = waiting.filter(TOLD_AGAIN, about__in=known).exclude(Q(about__kind=StepKind.TELL) | Q(pk__in=known))
    ended = [*steps, *also]
    waiting.filter(pk__in=[step.pk for step in ended]).update(status=StepStatus.CANCELLED, contact_from=None)
    record_events(ended, EventKind.CANCELLED, now=now, by=by, detail=detail)


@transaction.atomic
def cancel_journey(journey: Journey, *, reason: str, now: datetime, by: User | None = None) -> None:
    """End a journey before its goal; everything open in it is cancelled with the reason.

    Its visits are the calendar's: whoever ends a journey for a person calls `appointments.endings`.
    """
    if not reason.strip():
        raise RefusedError(_("Say why this journey ends."))
    lock_journey(journey.pk)
    moved = Journey.objects.filter(pk=journey.pk, status__in=OPEN_JOURNEYS).update(
        status=JourneyStatus.CANCELLED, ended_at=now
    )
    if not moved:
        raise StaleStateError(_("This journey has already ended."))
    open_now = list(journey.steps.filter(status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD]))
    cancel_steps(open_now, now=now, by=by, detail=reason)


@transaction.atomic
def hold_step(step: Step, *, now: datetime, by: User | None = None, reason: str = "") -> None:
    """Stop a step's clock; it keeps its deadline for the day it resumes."""
    _move(step, StepStatus.ACTIVE, StepStatus.ON_HOLD)
    record_events([step], EventKind.HELD, now=now, by=by, detail=reason)


@transaction.atomic
def resume_step(step: Step, *, due_at: datetime, now: datetime, by: User | None = None) -> None:
    moved = Step.objects.filter(pk=step.pk, status=StepStatus.ON_HOLD).update(
        status=StepStatus.ACTIVE, due_at=due_at, stalled_at=None
    )
    if not moved:
        raise StaleStateError(_("This step is not on hold any more."))
    record_events([step], EventKind.RESUMED, now=now, by=by)


def _move(step: Step, leaving: StepStatus, to: StepStatus) -> None:
    if not Step.objects.filter(pk=step.pk, status=leaving).update(status=to):
        raise StaleStateError(_("This was changed by somebody else meanwhile."))


@transaction.atomic
def reassign_step(
    step: Step, *, role: str, owner: User | None = None, now: datetime, by: User | None = None
) -> None:
    if not Step.objects.filter(pk=step.pk, status=StepStatus.ACTIVE).update(owner_role=role, owner=owner):
        raise StaleStateError(_("This was done by somebody else meanwhile."))
    detail = owner.get_full_name() if owner else str(OwnerRole(role).label)
    record_events([step], EventKind.REASSIGNED, now=now, by=by, detail=detail)


@transaction.atomic
def move_deadline(
    step: Step,
    due_at: datetime,
    *,
    now: datetime,
    by: User | None = None,
    kind: EventKind = EventKind.DEADLINE_MOVED,
) -> None:
    """Give an active step a new deadline; its clock starts anew, and contact ahead of it moves along."""
    contact_from = (
        following.contact_instant(step.template_step, now=now, due_at=due_at) if step.template_step else None
    )
    moved = Step.objects.filter(pk=step.pk, status=StepStatus.ACTIVE).update(
        due_at=due_at, stalled_at=None, contact_from=contact_from
    )
    if not moved:
        raise StaleStateError(_("This was done by somebody else meanwhile."))
    record_events([step], kind, now=now, by=by, detail=due_at.isoformat())


def snooze_step(step: Step, until: datetime, *, now: datetime, by: User | None = None) -> None:
    if until <= now:
        raise RefusedError(_("Choose a time that is still to come."))
    move_deadline(step, until, now=now, by=by, kind=EventKind.SNOOZED)


@dataclass(frozen=True)
class AdHoc:
    """A step outside the template: a promise, a call, something to tell."""

    kind: StepKind
    title: str | Words
    due_at: datetime
    role: OwnerRole = OwnerRole.RECEPTIONIST
    owner: User | None = None
    message_key: str = ""  # set: the patient is contacted at once about it
    about: Step | None = None
    ends_with: str = ""  # set: no other outcome ends it
    other_parent: bool | None = None  # see Step


@transaction.atomic
def add_step(journey: Journey, new: AdHoc, *, now: datetime, by: User | None = None) -> Step:
    if journey.status not in OPEN_JOURNEYS:
        raise RefusedError(_("This journey has ended; start a new one."))
    step = _ad_hoc(journey, new, now=now)
    step.save(force_insert=True)
    kind = EventKind.PROMISED if new.kind == StepKind.PROMISE else EventKind.OPENED
    record_events([step], kind, now=now, by=by, detail="" if step.names else step.title)
    return step


def add_to_each(wanted: Sequence[tuple[Journey, AdHoc]], *, now: datetime) -> None:
    """One step in each of many open journeys, which are locked; named in words of ours. Inside atomic()."""
    steps = Step.objects.bulk_create(_ad_hoc(journey, new, now=now) for journey, new in wanted)
    record_events(steps, EventKind.OPENED, now=now)


def _ad_hoc(journey: Journey, new: AdHoc, *, now: datetime) -> Step:
    """Not saved."""
    names = in_each_language(new.title) if callable(new.title) else {}
    title = names.get(journey.clinic.language, "") if callable(new.title) else new.title
    return Step(
        clinic_id=journey.clinic_id,
        journey=journey,
        kind=new.kind,
        title=title[:200],
        names=names,
        status=StepStatus.ACTIVE,
        owner_role=new.role,
        owner=new.owner,
        opened_at=now,
        due_at=new.due_at,
        contact_from=now if new.message_key else None,
        message_key=new.message_key,
        about=new.about,
        ends_with=new.ends_with,
        other_parent=new.other_parent,
    )


@transaction.atomic
def open_unidentified(clinic: Clinic, new: AdHoc, *, now: datetime) -> Step:
    """A journey that is nobody's, or nobody's yet, with one step: what is unmatched has an owner and a clock."""
    written = in_each_language(new.title)[clinic.language] if callable(new.title) else new.title
    journey = Journey.objects.create(
        clinic=clinic, status=JourneyStatus.UNIDENTIFIED, title=written[:120], opened_at=now
    )
    return add_step(journey, new, now=now)
