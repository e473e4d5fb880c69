"""The one queue of Today: whom to call or what to finish now, ranked, one row a patient, with the reason why.

Calls come from the phone attempts that outreach has planned inside each patient's window; the rest are steps
that only a person can move. A step the machine is still working on is not shown (surfaces.md 4.1).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.models import DeskAction
from clinic_journey.why import Facts, ago, facts_of, why_now
from journeys.models import OwnerRole, Step, StepKind, StepStatus, StepTemplate
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.queries import attempts_visible_to, calls_later, calls_now
from patients.access import Here
from patients.models import Channel, Patient, Role
from patients.windows import ends_at

READ = 200  # of each kind; a list longer than a day's work is cut, not counted
READ_LATER = 50  # a dozen of them are shown
AHEAD = timedelta(days=31)  # what is due after that is nothing for today
ROW_NEEDS = ("about", "journey__patient")
BADGE = 100  # badges stop at 99+
SOON = timedelta(hours=48)  # a visit nearer than this, and not confirmed, cannot wait
HANDLED_FOR = timedelta(hours=3)  # what was just tried by hand and is planned on does not come straight back
ROLES = {
    Role.RECEPTIONIST: (OwnerRole.RECEPTIONIST,),
    Role.DOCTOR: (OwnerRole.DOCTOR,),
    Role.MANAGER: (OwnerRole.MANAGER, OwnerRole.RECEPTIONIST),
    Role.ADMIN: (OwnerRole.MANAGER, OwnerRole.RECEPTIONIST),
}
# The fixed tiers of surfaces.md 4.1; within one, the window that closes first, then the oldest.
CALL_TODAY, PROMISED, NOT_TOLD, HOLD, NOT_REBOOKED, NEXT_STEP, RECALL, THANK, PAPER = range(9)
TIERS = {
    StepKind.CALL: CALL_TODAY,
    StepKind.PROMISE: PROMISED,
    StepKind.REVIEW: PROMISED,
    StepKind.TELL: NOT_TOLD,
    StepKind.CONFIRM: NOT_TOLD,
    StepKind.BOOK: NEXT_STEP,
    StepKind.REFER: NEXT_STEP,
    StepKind.AWAIT_RESULT: NEXT_STEP,
    StepKind.AWAIT_PATIENT: NEXT_STEP,
    StepKind.VISIT: NEXT_STEP,
    StepKind.RECALL: RECALL,
    StepKind.THANK: THANK,
    StepKind.IDENTIFY: PAPER,  # a document nobody can name never stands above somebody who waits for a call
}
REACHED = (AttemptStatus.SENT, AttemptStatus.DELIVERED)


@dataclass
class Row:
    """One patient, with the most pressing reason first. `attempt` is the planned call, if there is one."""

    step: Step
    attempt: Attempt | None
    closes_at: datetime
    tier: int
    reasons: list[str] = field(default_factory=list)
    late_for: str = ""  # how long its deadline has passed, in words
    served_by: str = ""  # the first name of somebody else who is with this patient

    @property
    def patient(self) -> Patient | None:
        return self.step.journey.patient

    @property
    def mark(self) -> str:
        """Names the row on the page and in what the page asks for."""
        patient_id = self.step.journey.patient_id
        return f"p{patient_id}" if patient_id else f"s{self.step.pk}"

    @property
    def key(self) -> tuple[int, datetime, datetime, int]:
        return (self.tier, self.closes_at, self.step.opened_at or self.closes_at, self.step.pk)


@dataclass(frozen=True)
class Worklist:
    now: list[Row]
    later: list[Row]
    with_doctor: int


def worklist(here: Here) -> Worklist:
    """What is to be done now in the asker's clinic and role, in order; calls of later today apart."""
    shows_calls = OwnerRole.RECEPTIONIST in ROLES[Role(here.role)]
    ringing: list[Attempt] = []
    coming: list[Attempt] = []
    if shows_calls:
        calls = attempts_visible_to(here.user).filter(clinic=here.clinic)
        calls = calls.select_related(None).select_related(*(f"task__step__{name}" for name in ROW_NEEDS))
        ringing = list(calls_now(calls, now=here.now)[:READ])
        coming = list(calls_later(calls, now=here.now, until=midnight(here))[:READ_LATER])
    by_hand = list(steps_by_hand(here).select_related(*ROW_NEEDS)[:READ])
    steps = [*(attempt.task.step for attempt in [*ringing, *coming]), *by_hand]
    _share_templates(steps)
    facts, told = facts_of(steps), _told(steps)

    def row(step: Step, attempt: Attempt | None) -> Row:
        known = facts[step.journey_id]
        closes_at = attempt.expires_at if attempt else step.due_at or here.now
        tier = tier_of(step, known, is_told=step.pk in told, now=here.now)
        is_late = step.due_at is not None and step.due_at <= here.now
        late_for = ago(step.due_at, now=here.now) if is_late and step.due_at else ""
        return Row(step, attempt, closes_at, tier, [why_now(step, known, now=here.now)], late_for)

    waiting = Step.objects.filter(clinic=here.clinic, kind=StepKind.REVIEW, status=StepStatus.ACTIVE)
    rows = [*(row(attempt.task.step, attempt) for attempt in ringing), *(row(step, None) for step in by_hand)]
    now = merged(rows)
    shown = {row.step.journey.patient_id for row in now}
    later = merged(row(attempt.task.step, attempt) for attempt in coming)
    return Worklist(
        now,
        sorted((each for each in later if each.step.journey.patient_id not in shown), key=_begins_at),
        len(waiting.values_list("pk")[:BADGE]),
    )


def _share_templates(steps: Sequence[Step]) -> None:
    """Read each template step once: hundreds of rows come from a few dozen of them, each with words to unpack."""
    concerned = [*steps, *(step.about for step in steps if step.about)]
    found = StepTemplate.objects.in_bulk(
        {step.template_step_id for step in concerned if step.template_step_id}
    )
    for step in concerned:
        if step.template_step_id:
            step.template_step = found[step.template_step_id]


def whole(row: Row, here: Here) -> Row:
    """The chosen row with all that its panel shows: of the others a name and a sentence are enough."""
    if row.attempt:
        calls = attempts_visible_to(here.user).select_related(
            "patient__card", "task__step__about__template_step", "task__step__journey__patient__clinic"
        )
        row.attempt = calls.get(pk=row.attempt.pk)
        row.step = row.attempt.task.step
    else:
        found = Step.objects.select_related(
            "journey__patient__clinic", "journey__template", "template_step", "owner", "about__template_step"
        )
        row.step = found.get(pk=row.step.pk)
    return row


def _begins_at(row: Row) -> datetime:
    return row.attempt.send_at if row.attempt else row.closes_at


def midnight(here: Here) -> datetime:
    """The end of the clinic's own day."""
    on = here.now.astimezone(ZoneInfo(here.clinic.time_zone)).date()
    return ends_at(here.clinic.time_zone, on, time.max)


def steps_by_hand(here: Here) -> QuerySet[Step]:
    """Open steps of the asker's role that no planned contact is working on, or that are late all the same."""
    working = OutreachTask.objects.filter(step=OuterRef("pk"), status=TaskStatus.OPEN)
    ringing = Attempt.objects.filter(
        task__step=OuterRef("pk"),
        channel=Channel.PHONE,
        status__in=[AttemptStatus.PLANNED, AttemptStatus.SENDING],
    )
    roles = ROLES[Role(here.role)]
    handled = DeskAction.objects.filter(
        step=OuterRef("pk"), undone_at__isnull=True, at__gt=here.now - HANDLED_FOR
    )
    idle = ~Exists(working) & Q(contact_from__isnull=True)
    return (
        Step.objects.filter(
            clinic=here.clinic, owner_role__in={*roles, OwnerRole.MANAGER}, status=StepStatus.ACTIVE
        )
        .filter(Q(owner_role__in=roles) | Q(owner=here.user))  # who made a promise sees it passed on, too
        .filter(idle | (Q(due_at__lte=here.now) & ~Exists(handled)))
        .exclude(Exists(ringing))
        .exclude(Q(kind=StepKind.VISIT, due_at__gt=here.now) & ~Exists(unconfirmed_visit(here.now)))
        .exclude(kind=StepKind.REVIEW, owner_role=OwnerRole.DOCTOR)
        .filter(due_at__lte=here.now + AHEAD)
        .order_by("due_at")
    )


def unconfirmed_visit(now: datetime) -> QuerySet[Appointment]:
    """The visit a step stands for, if it is near and the patient has not said yes to it."""
    return Appointment.objects.filter(
        step=OuterRef("pk"),
        status=AppointmentStatus.BOOKED,
        confirmed_at__isnull=True,
        start__gt=now,
        start__lte=now + SOON,
    )


def _told(steps: Sequence[Step]) -> set[int]:
    """The steps whose patient has already heard about them from us."""
    reached = OutreachTask.objects.filter(step__in=[step.pk for step in steps], attempts__status__in=REACHED)
    return set(reached.values_list("step_id", flat=True))


def tier_of(step: Step, facts: Facts, *, is_told: bool, now: datetime) -> int:
    """How pressing a step is. A call we gave up on is as pressing as what it was about."""
    about = step.about if step.template_step_id is None and step.kind == StepKind.CALL else None
    concerned = about or step
    is_near = bool(facts.visit and now < facts.visit.start <= now + SOON and not facts.visit.confirmed_at)
    if concerned.kind == StepKind.CONFIRM and (is_told or is_near):
        return HOLD
    if concerned.kind == StepKind.VISIT and is_near:
        return HOLD
    if concerned.kind == StepKind.BOOK and facts.not_kept:
        return NOT_REBOOKED
    return TIERS.get(StepKind(concerned.kind), PAPER)


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row a patient, the most pressing one, with the others' reasons merged into it."""
    kept: dict[object, Row] = {}
    for row in sorted(rows, key=lambda each: each.key):
        who = row.step.journey.patient_id or f"step {row.step.pk}"
        first = kept.setdefault(who, row)
        if first is not row:
            first.reasons += [reason for reason in row.reasons if reason not in first.reasons]
    return list(kept.values())
