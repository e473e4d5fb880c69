"""The chase ledger and the promise ledger: what patients had to ask for, and which of our promises held."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, F, Q, QuerySet, When
from django.db.models.functions import TruncWeek

from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind, StepStatus
from patients.models import Clinic
from patients.queries import User


@dataclass(frozen=True)
class ChaseCount:
    """How often patients had to ask in the week that begins on `week` (its Monday), by kind of step at fault."""

    week: date
    kind: str
    chases: int

    @property
    def words(self) -> str:
        return str(StepKind(self.kind).label)


@dataclass(frozen=True)
class PromiseCount:
    """How one owner's promises that fell due in a period ended; `owner_id` empty: a role's.

    A broken one counts for whoever had it before it went to the manager.
    """

    owner_id: int | None
    name: str
    role: str
    kept: int
    broken: int

    @property
    def due(self) -> int:
        return self.kept + self.broken

    @property
    def role_words(self) -> str:
        return str(OwnerRole(self.role).label) if self.role else ""


def chases_visible_to(user: User) -> QuerySet[StepEvent]:
    return (
        StepEvent.objects.filter(kind=EventKind.CHASED, clinic__memberships__user_id=user.pk)
        .select_related("step__template_step", "step__journey__patient", "step__owner", "by")
        .order_by("-at", "-pk")
    )


def chases_by_week(clinic: Clinic, *, since: datetime, until: datetime) -> list[ChaseCount]:
    """Weeks by the clinic's own clock, newest first, the most frequent step at fault first."""
    week = TruncWeek("at", tzinfo=ZoneInfo(clinic.time_zone))
    rows = (
        StepEvent.objects.filter(clinic=clinic, kind=EventKind.CHASED, at__gte=since, at__lt=until)
        .values(week=week, step_kind=F("step__kind"))
        .annotate(chases=Count("pk"))
        .order_by("-week", "-chases", "step_kind")
    )
    return [ChaseCount(row["week"].date(), row["step_kind"], row["chases"]) for row in rows]


def broken_promises(promises: QuerySet[Step], *, now: datetime) -> QuerySet[Step]:
    """Past their time and still open, or kept too late. What was no longer needed was not broken."""
    overdue = Q(status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD], due_at__lte=now)
    kept_late = Q(status=StepStatus.COMPLETED, completed_at__gt=F("due_at"))
    return promises.filter(overdue | kept_late)


def promises_visible_to(user: User) -> QuerySet[Step]:
    return Step.objects.filter(kind=StepKind.PROMISE, clinic__memberships__user_id=user.pk).select_related(
        "journey__patient", "template_step", "about__template_step", "owner"
    )


def promises_by_owner(clinic: Clinic, *, since: datetime, now: datetime) -> list[PromiseCount]:
    """Of the promises that fell due since then, how many held, by whose they were; the most broken first."""
    due = Step.objects.filter(
        clinic=clinic, kind=StepKind.PROMISE, due_at__gte=since, due_at__lte=now
    ).exclude(status=StepStatus.CANCELLED)
    early = Step.objects.filter(  # kept before their time came: they count on the day they were kept
        clinic=clinic,
        kind=StepKind.PROMISE,
        due_at__gt=now,
        status=StepStatus.COMPLETED,
        completed_at__gte=since,
    )
    late = broken_promises(due, now=now)
    rows = _counted(late, "broken") + _counted(due.exclude(pk__in=late.values("pk")), "kept")
    rows += _counted(early, "kept")
    return _by_owner(rows)


def _counted(promises: QuerySet[Step], fate: str) -> list[tuple[int | None, str, str, str, int]]:
    whose = Case(When(passed_on_from="", then=F("owner_role")), default=F("passed_on_from"))
    rows = promises.values("owner_id", "owner__first_name", "owner__last_name", role=whose).annotate(
        n=Count("pk")
    )
    return [
        (
            row["owner_id"],
            f"{row['owner__first_name'] or ''} {row['owner__last_name'] or ''}".strip(),
            "" if row["owner_id"] else row["role"],
            fate,
            row["n"],
        )
        for row in rows.order_by()
    ]


def _by_owner(rows: Iterable[tuple[int | None, str, str, str, int]]) -> list[PromiseCount]:
    found: dict[tuple[int | None, str, str], dict[str, int]] = {}
    for owner, name, role, fate, n in rows:
        counts = found.setdefault((owner, name, role), {"kept": 0, "broken": 0})
        counts[fate] += n
    made = [
        PromiseCount(owner, name, role, counts["kept"], counts["broken"])
        for (owner, name, role), counts in found.items()
    ]
    return sorted(made, key=lambda each: (-each.broken, -each.kept, each.name, each.role))
