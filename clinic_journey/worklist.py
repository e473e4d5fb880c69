"""The one queue of Today: whom to call or what to finish now, ranked, one row a patient, with the reason why.

Calls come from the phone attempts that outreach has planned inside each patient's window; the rest are steps
that only a person can move. A step the machine is still working on is not shown (surfaces.md 4.1).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _, gettext_lazy

from appointments.models import Appointment, AppointmentStatus
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.queries import attempts_visible_to, calls_later, calls_now
from patients.access import Here
from patients.models import Channel, Patient, Role

UNCONFIRMED = timedelta(hours=48)  # before a visit: who has not said yes by then is called
UNCONFIRMED_TIER = 3
READ = 200  # of each kind; a list longer than a day's work is cut, not counted
ROLES = {
    Role.RECEPTIONIST: (OwnerRole.RECEPTIONIST,),
    Role.DOCTOR: (OwnerRole.DOCTOR,),
    Role.MANAGER: (OwnerRole.MANAGER, OwnerRole.RECEPTIONIST),
    Role.ADMIN: (OwnerRole.MANAGER, OwnerRole.RECEPTIONIST),
}
# The fixed tiers of surfaces.md 4.1; within one, what closes first comes first.
TIERS = {
    StepKind.CALL: 0,
    StepKind.PROMISE: 1,
    StepKind.REVIEW: 1,
    StepKind.TELL: 2,
    StepKind.CONFIRM: 2,
    StepKind.IDENTIFY: 2,
    StepKind.REFER: 3,
    StepKind.BOOK: 4,
    StepKind.AWAIT_RESULT: 4,
    StepKind.AWAIT_PATIENT: 5,
    StepKind.VISIT: 5,
    StepKind.RECALL: 6,
    StepKind.THANK: 7,
}
WHY = {
    StepKind.CALL: gettext_lazy("The patient is to be called."),
    StepKind.PROMISE: gettext_lazy("We promised an answer."),
    StepKind.REVIEW: gettext_lazy("The doctor has not decided yet."),
    StepKind.TELL: gettext_lazy("Something is known and the patient has not heard it from us."),
    StepKind.CONFIRM: gettext_lazy("The doctor has decided; the visit is not confirmed."),
    StepKind.IDENTIFY: gettext_lazy("A document has arrived and nobody knows whose it is."),
    StepKind.REFER: gettext_lazy("The doctor asks for another referral."),
    StepKind.BOOK: gettext_lazy("The next visit has no date."),
    StepKind.AWAIT_RESULT: gettext_lazy("The result is late; ask the institute."),
    StepKind.AWAIT_PATIENT: gettext_lazy("The patient has not been there yet."),
    StepKind.VISIT: gettext_lazy("The visit is over and nobody said how it ended."),
    StepKind.RECALL: gettext_lazy("It is time for the check-up."),
    StepKind.THANK: gettext_lazy("The first visit is over; say thank you."),
}


@dataclass
class Row:
    """One patient, with the most pressing reason first. `attempt` is the planned call, if there is one."""

    step: Step
    attempt: Attempt | None
    closes_at: datetime
    now: datetime
    reasons: list[str] = field(default_factory=list)

    @property
    def patient(self) -> Patient | None:
        return self.step.journey.patient

    @property
    def tier(self) -> int:
        if is_ahead(self.step, self.now):
            return UNCONFIRMED_TIER
        return TIERS.get(StepKind(self.step.kind), len(TIERS))


@dataclass(frozen=True)
class Worklist:
    now: list[Row]
    later: list[Row]
    with_doctor: int


def worklist(here: Here) -> Worklist:
    """What is to be done now in the asker's clinic and role, in order; calls of later today apart."""
    calls = attempts_visible_to(here.user).filter(clinic=here.clinic)
    ringing = [_row_of_call(attempt, here.now) for attempt in calls_now(calls, now=here.now)[:READ]]
    by_hand = [_row_of_step(step, here.now) for step in steps_by_hand(here)[:READ]]
    end = here.now.replace(hour=23, minute=59)
    later = [
        _row_of_call(attempt, here.now) for attempt in calls_later(calls, now=here.now, until=end)[:READ]
    ]
    waiting = Step.objects.filter(clinic=here.clinic, kind=StepKind.REVIEW, status=StepStatus.ACTIVE)
    shows_calls = OwnerRole.RECEPTIONIST in ROLES[Role(here.role)]
    return Worklist(
        merged([*ringing, *by_hand] if shows_calls else by_hand),
        merged(later) if shows_calls else [],
        waiting.count(),
    )


def steps_by_hand(here: Here) -> QuerySet[Step]:
    """Open steps of the asker's role that no planned contact is working on, or that are late all the same."""
    working = OutreachTask.objects.filter(step=OuterRef("pk"), status=TaskStatus.OPEN)
    ringing = Attempt.objects.filter(
        task__step=OuterRef("pk"),
        channel=Channel.PHONE,
        status__in=[AttemptStatus.PLANNED, AttemptStatus.SENDING],
    )
    roles = ROLES[Role(here.role)]
    idle = ~Exists(working) & Q(contact_from__isnull=True)
    return (
        Step.objects.filter(
            clinic=here.clinic, owner_role__in={*roles, OwnerRole.MANAGER}, status=StepStatus.ACTIVE
        )
        .filter(Q(owner_role__in=roles) | Q(owner=here.user))  # who made a promise sees it passed on, too
        .filter(idle | Q(due_at__lte=here.now))
        .exclude(Exists(ringing))
        .exclude(Q(kind=StepKind.VISIT, due_at__gt=here.now) & ~Exists(unconfirmed_visit(here.now)))
        .exclude(kind=StepKind.REVIEW, owner_role=OwnerRole.DOCTOR)
        .select_related(
            "journey__patient__clinic", "journey__template", "template_step", "owner", "about__template_step"
        )
        .order_by("due_at")
    )


def unconfirmed_visit(now: datetime) -> QuerySet[Appointment]:
    """The visit a step stands for, if it is near and the patient has not said yes to it."""
    return Appointment.objects.filter(
        step=OuterRef("pk"),
        status=AppointmentStatus.BOOKED,
        confirmed_at__isnull=True,
        start__gt=now,
        start__lte=now + UNCONFIRMED,
    )


def is_ahead(step: Step, now: datetime) -> bool:
    return step.kind == StepKind.VISIT and step.due_at is not None and step.due_at > now


def _row_of_call(attempt: Attempt, now: datetime) -> Row:
    step = attempt.task.step
    return Row(step, attempt, attempt.expires_at, now, [why_now(step, now)])


def _row_of_step(step: Step, now: datetime) -> Row:
    assert step.due_at is not None  # noqa: S101 - an active step has one, by constraint
    return Row(step, None, step.due_at, now, [why_now(step, now)])


def why_now(step: Step, now: datetime) -> str:
    """One sentence a receptionist can read aloud."""
    if step.kind == StepKind.PROMISE and step.stalled_at and not step.about:
        return _("Broken promise: %(words)s") % {"words": step.title or _("we were to call back")}
    if is_ahead(step, now):
        return _("The visit is near and the patient has not confirmed it.")
    if step.kind == StepKind.PROMISE and step.title:
        return _("We promised: %(words)s") % {"words": step.name}
    if step.kind == StepKind.PROMISE and step.about:
        return _("We are late with “%(step)s” and have promised an answer.") % {"step": step.about.name}
    if step.title and not step.template_step:
        return step.name
    return f"{step.name}. {WHY.get(StepKind(step.kind), '')}"


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row a patient, the most pressing one, with the others' reasons merged into it."""
    ordered = sorted(rows, key=lambda row: (row.tier, row.closes_at, row.step.pk))
    kept: dict[object, Row] = {}
    for row in ordered:
        key = row.step.journey.patient_id or f"step {row.step.pk}"
        first = kept.setdefault(key, row)
        if first is not row:
            first.reasons += [reason for reason in row.reasons if reason not in first.reasons]
    return list(kept.values())
