"""The chase ledger and the promise ledger: what patients had to ask for, and which of our promises held."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, F, Q, QuerySet, When
from django.db.models.functions import TruncWeek

from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind, StepStatus
from patients.models import Clinic
from patients.queries import User

HELD = Q(status=StepStatus.COMPLETED, completed_at__lte=F("due_at"))  # of a promise
SOON = timedelta(minutes=10)  # a promise that comes due by then is told to whoever owes it


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
    """How the promises of one team that fell due in a period ended: nobody is counted by name.

    A broken one counts for the team that had it before it went to the manager.
    """

    role: str
    kept: int
    broken: int

    @property
    def due(self) -> int:
        return self.kept + self.broken

    @property
    def role_words(self) -> str:
        return str(OwnerRole(self.role).label)


def promises_since(clinic: Clinic, since: datetime) -> QuerySet[Step]:
    """Those of which it is known since then at the earliest whether they held: at their time, or when kept before."""
    still = Q(completed_at__isnull=True) | Q(completed_at__gte=since)
    return Step.objects.filter(still, clinic=clinic, kind=StepKind.PROMISE, due_at__gte=since)


def promises_over(clinic: Clinic, *, since: datetime, now: datetime) -> QuerySet[Step]:
    """Of these, those of which it is known now. What was no longer needed neither held nor broke."""
    known = Q(due_at__lte=now) | Q(status=StepStatus.COMPLETED)
    return promises_since(clinic, since).filter(known).exclude(status=StepStatus.CANCELLED)


def promises_until(clinic: Clinic, until: datetime, *, now: datetime) -> QuerySet[Step]:
    """Promises that come due from now until then, the next first."""
    return Step.objects.filter(
        clinic=clinic, kind=StepKind.PROMISE, status=StepStatus.ACTIVE, due_at__gt=now, due_at__lte=until
    ).order_by("due_at", "pk")


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
    return promises.filter(_broken(now))


def _broken(now: datetime) -> Q:
    overdue = Q(status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD], due_at__lte=now)
    kept_late = Q(status=StepStatus.COMPLETED, completed_at__gt=F("due_at"))
    return overdue | kept_late


def promises_visible_to(user: User) -> QuerySet[Step]:
    return Step.objects.filter(kind=StepKind.PROMISE, clinic__memberships__user_id=user.pk).select_related(
        "journey__patient", "template_step", "about__template_step", "owner"
    )


def promises_by_team(clinic: Clinic, *, since: datetime, now: datetime) -> list[PromiseCount]:
    """Of the promises that fell due since then, how many held; the team with the most broken ones first."""
    whose = Case(When(passed_on_from="", then=F("owner_role")), default=F("passed_on_from"))
    over = promises_over(clinic, since=since, now=now).order_by().values_list(whose)
    rows = over.annotate(kept=Count("pk", filter=HELD), broken=Count("pk", filter=_broken(now)))
    counts = [PromiseCount(role, kept, broken) for role, kept, broken in rows if kept or broken]
    return sorted(counts, key=lambda each: (-each.broken, -each.kept, each.role))
