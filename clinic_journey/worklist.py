"""The one queue of Today: whom to call or what to finish now, ranked, one row a patient, with the reason why.

Calls come from the phone attempts that outreach has planned inside each patient's window; the rest are steps
that only a person can move. A step the machine is still working on is not shown (surfaces.md 4.1).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.due import Due, due_calls, due_steps
from clinic_journey.models import DeskAction
from clinic_journey.why import NOTHING_KNOWN, Facts, ago, facts_of, why_now
from inquiries.sent_models import UNDER_WAY, SentAnswer
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.queries import attempts_visible_to, calls_until
from patients.access import Here
from patients.models import Channel, Role
from patients.windows import ends_at

READ = 200  # of each kind; a list longer than a day's work is cut, not counted
READ_LATER = 50  # a dozen of them are shown
AHEAD = timedelta(days=31)  # what is due after that is nothing for today
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
    StepKind.COMPLAINT: PROMISED,
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


@dataclass
class Row:
    """One patient, with the most pressing step first and the others merged into it."""

    due: Due
    facts: Facts
    tier: int
    now: datetime
    others: list["Row"] = field(default_factory=list)

    @property
    def step_id(self) -> str:
        return str(self.due.public_id)

    @property
    def mark(self) -> str:
        """Names the row on the page and in what the page asks for."""
        return f"p{self.due.patient_id}" if self.due.patient_id else f"s{self.due.pk}"

    @property
    def key(self) -> tuple[int, datetime, datetime, int]:
        return (self.tier, self.closes_at, self.due.opened_at or self.closes_at, self.due.pk)

    @property
    def closes_at(self) -> datetime:
        return self.due.expires_at or self.due.due_at or self.now

    @property
    def begins_at(self) -> datetime:
        return self.due.send_at or self.closes_at

    @property
    def name(self) -> str:
        return self.due.patient_name or self.due.name

    @property
    def reasons(self) -> list[str]:
        said = (why_now(each.due, each.facts, now=self.now) for each in [self, *self.others])
        return list(dict.fromkeys(said))

    @property
    def why(self) -> str:
        return why_now(self.due, self.facts, now=self.now)

    @property
    def is_late(self) -> bool:
        return self.due.due_at is not None and self.due.due_at <= self.now

    @property
    def is_ahead(self) -> bool:
        return self.due.send_at is not None and self.due.send_at > self.now

    @property
    def is_broken_promise(self) -> bool:
        return self.due.kind == StepKind.PROMISE and self.is_late

    @property
    def tone(self) -> str:
        return "waiting" if self.is_ahead else "late" if self.is_late else "due"

    @property
    def when(self) -> str:
        """From when it may be called, how late it is, or by when it is to be done."""
        if self.is_ahead:
            return f"{localtime(self.begins_at):%H:%M}"
        if self.is_late:
            return f"{_('late')} {ago(self.due.due_at or self.now, now=self.now)}"
        closes_at = localtime(self.closes_at)
        is_today = closes_at.date() == localtime(self.now).date()
        day = "" if is_today else f"{WEEKDAYS_ABBR[closes_at.weekday()]} "
        return _("by %(when)s") % {"when": f"{day}{closes_at:%H:%M}"}

    @property
    def served_words(self) -> str:
        return _("%(who)s is viewing") % {"who": self.due.served_by} if self.due.served_by else ""


@dataclass(frozen=True)
class Worklist:
    now: list[Row]
    later: list[Row]


def worklist(here: Here, *, patient_id: int | None = None) -> Worklist:
    """What is to be done now in the asker's clinic and role, in order; calls of later today apart.

    `patient_id`: of this patient alone.
    """
    calls = attempts_visible_to(here.user).filter(clinic=here.clinic)
    steps = steps_by_hand(here)
    if patient_id is not None:
        calls, steps = calls.filter(patient=patient_id), steps.filter(journey__patient=patient_id)
    listed: list[Due] = []
    if OwnerRole.RECEPTIONIST in ROLES[Role(here.role)]:
        until = calls_until(calls, now=here.now, until=midnight(here))
        listed = due_calls(until, here, limit=READ + READ_LATER)
    listed += due_steps(steps, here, limit=READ)
    facts = facts_of(listed)
    made = [row_of(due, facts.get(due.journey_id, NOTHING_KNOWN), here) for due in listed]
    now = merged(row for row in made if row.due.send_at is None or row.due.send_at <= here.now)
    shown = {row.due.patient_id for row in now}
    later = merged(row for row in made if row.due.patient_id not in shown)
    return Worklist(now, sorted(later, key=lambda row: row.begins_at))


def row_of(due: Due, facts: Facts, here: Here) -> Row:
    return Row(due, facts, tier_of(due, facts, now=here.now), here.now)


def with_doctor(here: Here) -> int:
    """How many results wait for a decision, up to what a badge shows."""
    waiting = Step.objects.filter(clinic=here.clinic, kind=StepKind.REVIEW, status=StepStatus.ACTIVE)
    return len(waiting.values_list("pk")[:BADGE])


def midnight(here: Here) -> datetime:
    """The end of the clinic's own day."""
    on = here.now.astimezone(ZoneInfo(here.clinic.time_zone)).date()
    return ends_at(here.clinic.time_zone, on, time.max)


def steps_by_hand(here: Here) -> QuerySet[Step]:
    """Open steps of the asker's role that no planned contact is working on, or that are late all the same."""
    # As a value, not with Exists: that, beside an "or", reads the open tasks of all clinics first.
    working = Subquery(
        OutreachTask.objects.filter(step=OuterRef("pk"), status=TaskStatus.OPEN).values("pk")[:1]
    )
    ringing = Attempt.objects.filter(
        task__step=OuterRef("pk"),
        channel=Channel.PHONE,
        status__in=[AttemptStatus.PLANNED, AttemptStatus.SENDING],
    )
    on_its_way = SentAnswer.objects.filter(step=OuterRef("pk"), status__in=UNDER_WAY)
    roles = ROLES[Role(here.role)]
    handled = DeskAction.objects.filter(
        step=OuterRef("pk"), undone_at__isnull=True, at__gt=here.now - HANDLED_FOR
    )
    idle = Q(contact_from__isnull=True, working__isnull=True)
    return (
        Step.objects.alias(working=working)
        .filter(clinic=here.clinic, owner_role__in={*roles, OwnerRole.MANAGER}, status=StepStatus.ACTIVE)
        .filter(Q(owner_role__in=roles) | Q(owner=here.user))  # who made a promise sees it passed on, too
        .filter(idle | (Q(due_at__lte=here.now) & ~Exists(handled)))
        .exclude(Exists(ringing))
        .exclude(Exists(on_its_way), due_at__gt=here.now)
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


def tier_of(due: Due, facts: Facts, *, now: datetime) -> int:
    """How pressing a step is. A call we gave up on is as pressing as what it was about."""
    is_given_up = not due.has_template and due.kind == StepKind.CALL and due.about_kind
    kind = StepKind(due.about_kind if is_given_up else due.kind)
    is_near = bool(facts.visit and now < facts.visit.start <= now + SOON and not facts.visit.confirmed_at)
    if kind == StepKind.CONFIRM and due.is_told:  # untold it stays above, however near the visit is
        return HOLD
    if kind == StepKind.VISIT and is_near:
        return HOLD
    if kind == StepKind.BOOK and facts.not_kept:
        return NOT_REBOOKED
    return TIERS.get(kind, PAPER)


def merged(rows: Iterable[Row]) -> list[Row]:
    """One row a patient, the most pressing one, with the others' reasons merged into it."""
    kept: dict[str, Row] = {}
    for row in sorted(rows, key=lambda each: each.key):
        first = kept.setdefault(row.mark, row)
        if first is not row:
            first.others.append(row)
    return list(kept.values())
