"""The measure behind the map of a journey: who went along which edge, who left on it, and how long each waited.

An edge leads from the step whose end opened another one to that one. Routing opens a step in the transaction that
ends the one before it, so `opened_at` of the one is `completed_at` of the other, and the template has an edge
between the two. What opened with the journey comes from its beginning; what was opened anew without an edge (a
corrected result) comes from `ANEW`. A passage belongs to the week in which it ended: weeks that are over do not
change. What is open is read as it is now, and is never counted as lost. A step that was no longer needed is none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery

from clinic_journey.reports.stages_models import Dimension
from clinic_journey.reports.stages_time import worked_time
from journeys.models import (
    EdgeEffect,
    EventKind,
    Journey,
    JourneyStatus,
    LostBecause,
    Step,
    StepEvent,
    StepStatus,
)
from outreach.models import Attempt, AttemptStatus
from patients.models import Clinic, ClinicHours, ClosedDay, HoursKind
from patients.windows import Hours, WeeklyWindow

BEGINNING, END, ANEW = "", "", "-"
ANYWHERE = "*"  # instead of a source: by whatever way somebody came to a step
LOSING = (
    "declined",
    "could_not_reach",
    "no_show",
    "cancelled",
)  # a journey that ends so has lost its patient
MADE = (AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.FAILED, AttemptStatus.UNKNOWN)
NOBODY = "none"  # the value of a dimension in which nothing is known
WEEK = timedelta(weeks=1)
Edge = tuple[str, str]


@dataclass(frozen=True)
class Passage:
    """One patient's way along one edge, ended; `target` empty: the whole journey."""

    template: str
    source: str
    target: str
    at: datetime
    hours: int
    is_lost: bool
    tries: int
    chases: int
    values: tuple[tuple[str, str], ...]


def hours_of(clinic: Clinic) -> Hours:
    """The clinic's working time with every closed day it ever had: reports look further back than deadlines."""
    rows = ClinicHours.objects.filter(clinic=clinic, kind=HoursKind.OPEN)
    windows = [WeeklyWindow(row.weekday, row.start, row.end) for row in rows]
    closed = ClosedDay.objects.filter(clinic=clinic, is_open=False).values_list("on", "closes_at")
    return Hours.of(clinic.time_zone, windows, dict(closed))


def week_of(at: datetime, zone: str) -> date:
    on = at.astimezone(ZoneInfo(zone)).date()
    return on - timedelta(days=on.weekday())


def opened_by() -> Subquery:
    """The key of the step whose end opened this one."""
    edge = "template_step__out_edges__"
    openers = Step.objects.filter(
        Q(**{f"{edge}outcome": ""}) | Q(**{f"{edge}outcome": F("outcome")}),
        journey=OuterRef("journey"),
        status=StepStatus.COMPLETED,
        completed_at=OuterRef("opened_at"),
        **{f"{edge}target": OuterRef("template_step"), f"{edge}effect": EdgeEffect.OPENS},
    )
    return Subquery(openers.order_by("-pk").values("template_step__key")[:1])


def _counted(rows: QuerySet[Any], group: str) -> Subquery:
    return Subquery(rows.order_by().values(group).annotate(n=Count("pk")).values("n"))


def with_ways(steps: QuerySet[Step], *more: str) -> QuerySet[Step, dict[str, Any]]:
    tries = Attempt.objects.filter(task__step=OuterRef("pk"), status__in=MADE)
    chases = StepEvent.objects.filter(step=OuterRef("pk"), kind=EventKind.CHASED)
    found: QuerySet[Step, dict[str, Any]] = steps.annotate(
        opener=opened_by(), tries=_counted(tries, "task__step"), chases=_counted(chases, "step")
    ).values(
        "pk", "status", "outcome", "opened_at", "completed_at", "due_at", "opener", "tries", "chases",
        "owner_role", "journey_id", "journey__opened_at", "journey__ended_at",
        "template_step__key", "template_step__template__key", *DIMENSIONS.values(), *more,
    )  # fmt: skip
    return found


DIMENSIONS = {
    Dimension.DOCTOR: "journey__doctor_id",
    Dimension.LANGUAGE: "journey__patient__language",
    Dimension.CHANNEL: "journey__patient__card__channel",
}


def source_of(row: dict[str, Any]) -> str:
    if row["opener"]:
        return str(row["opener"])
    return BEGINNING if row["opened_at"] == row["journey__opened_at"] else ANEW


def values_of(row: dict[str, Any], prefix: str = "") -> tuple[tuple[str, str], ...]:
    """By which the passage is told apart: everybody, and one value of each dimension."""
    found = [
        (str(name), str(row[column.removeprefix(prefix)] or NOBODY)) for name, column in DIMENSIONS.items()
    ]
    return ((Dimension.ALL, ""), *found)


def ended_steps(
    clinic: Clinic, start: datetime, end: datetime, *, only: Q | None = None
) -> Iterator[dict[str, Any]]:
    """Completed steps of templates (`only` some), and of each journey that was lost the last one that was open."""
    steps = Step.objects.filter(clinic=clinic, template_step__isnull=False)
    done = steps.filter(
        only or Q(), status=StepStatus.COMPLETED, completed_at__gte=start, completed_at__lt=end
    )
    for row in with_ways(done).iterator():
        left = row["outcome"] in LOSING and row["completed_at"] == row["journey__ended_at"]
        yield row | {"at": row["completed_at"], "is_lost": left}
    lost = lost_journeys(clinic, start, end)
    ended_then = StepEvent.objects.filter(
        step=OuterRef("pk"), kind=EventKind.CANCELLED, at=OuterRef("journey__ended_at")
    )
    cut = steps.filter(journey__in=lost, status=StepStatus.CANCELLED).filter(Exists(ended_then))
    last = {row["journey_id"]: row for row in with_ways(cut.order_by("opened_at", "pk"))}
    for row in last.values():
        yield row | {"at": row["journey__ended_at"], "is_lost": True}


def lost_journeys(clinic: Clinic, start: datetime, end: datetime) -> QuerySet[Journey]:
    ended = Journey.objects.filter(clinic=clinic, ended_at__gte=start, ended_at__lt=end)
    return ended.filter(status=JourneyStatus.CANCELLED).exclude(lost_because=LostBecause.NOT_LOST)


def judged_journeys(clinic: Clinic, start: datetime, end: datetime) -> QuerySet[Any]:
    """Whole journeys, each with whether it lost the patient; one that ended for neither reason tells nothing."""
    losing = Step.objects.filter(
        journey=OuterRef("pk"), completed_at=OuterRef("ended_at"), outcome__in=LOSING,
        template_step__isnull=False,
    )  # fmt: skip
    ended = Journey.objects.filter(
        Q(status=JourneyStatus.COMPLETED) | ~Q(lost_because=LostBecause.NOT_LOST),
        clinic=clinic, ended_at__gte=start, ended_at__lt=end, template__isnull=False,
    )  # fmt: skip
    return ended.annotate(losing=Exists(losing))


def ended_journeys(clinic: Clinic, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    columns = [column.removeprefix("journey__") for column in DIMENSIONS.values()]
    rows = judged_journeys(clinic, start, end).values(
        "opened_at", "ended_at", "lost_because", "losing", "template__key", *columns
    )
    yield from rows.iterator()


def passages_of(clinic: Clinic, opening: Hours, start: datetime, end: datetime) -> Iterator[Passage]:
    """What ended in [start, end): every passage, and every journey as a whole."""
    steps, journeys = [*ended_steps(clinic, start, end)], [*ended_journeys(clinic, start, end)]
    begun = [row["opened_at"] for row in (*steps, *journeys)]
    time = worked_time(opening, [start, end, *begun])
    for row in steps:
        yield Passage(
            row["template_step__template__key"], source_of(row), row["template_step__key"], row["at"],
            time.hours(row["opened_at"], row["at"]), row["is_lost"], row["tries"] or 0, row["chases"] or 0,
            values_of(row),
        )  # fmt: skip
    for row in journeys:
        left = bool(row["lost_because"]) or row["losing"]
        yield Passage(
            row["template__key"], BEGINNING, END, row["ended_at"],
            time.hours(row["opened_at"], row["ended_at"]), left, 0, 0, values_of(row, "journey__"),
        )  # fmt: skip


@dataclass
class Counts:
    """What is added up at one length of wait."""

    passed: int = 0
    lost: int = 0
    tries: int = 0
    contacted: int = 0
    chases: int = 0

    def take(self, passage: Passage) -> None:
        self.passed += not passage.is_lost
        self.lost += passage.is_lost
        self.tries += passage.tries
        self.contacted += passage.tries > 0
        self.chases += passage.chases

    def add(self, other: "Counts") -> None:
        self.passed += other.passed
        self.lost += other.lost
        self.tries += other.tries
        self.contacted += other.contacted
        self.chases += other.chases


Waits = dict[int, Counts]  # by whole working hours


def after_waits(waits: Waits, share: float) -> int | None:
    """The wait within which this share of those who passed had passed: the smallest that holds them all."""
    wanted, seen = share * sum(each.passed for each in waits.values()), 0
    for hours in sorted(waits):
        seen += waits[hours].passed
        if seen and seen >= wanted - 1e-9:
            return hours
    return None


def by_edge(passages: Iterable[Passage], key: str, dimension: str = "", value: str = "") -> dict[Edge, Waits]:
    """The answer asked live: the passages of one journey template, by edge and wait."""
    found: dict[Edge, Waits] = {}
    for each in passages:
        if each.template == key and (dimension, value) in each.values:
            waits = found.setdefault((each.source, each.target), {})
            waits.setdefault(each.hours, Counts()).take(each)
    return found
