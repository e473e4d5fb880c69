"""What is open right now on the edges of a journey: who waits, how long, late or still in time, touched or not."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinic_journey.reports.money import BEFORE_A_VISIT
from clinic_journey.reports.stages import DIMENSIONS, MADE, NOBODY, Edge, source_of, with_ways
from clinic_journey.reports.stages_time import AGES, age_column, hours_a_day, worked_time
from journeys.models import EventKind, JourneyStatus, Step, StepEvent, StepStatus
from outreach.models import Attempt
from patients.models import Clinic
from patients.windows import Hours

OF_A_VISIT = ("kind", "journey__status", "journey__patient_id")
OPEN = StepStatus.ACTIVE  # what is on hold has no clock that could be late
UNTOUCHED = Q(  # nobody has touched what only these befell: the clock's own, and a patient who had to ask
    kind__in=[EventKind.OPENED, EventKind.STALLED, EventKind.ESCALATED, EventKind.CHASED]
) | Q(kind=EventKind.NOTED, by__isnull=True)  # what she tapped on her page


@dataclass
class OpenCounts:
    """On one edge: how many wait, how many of them past their time, and of these untouched by anybody."""

    open: int = 0
    late: int = 0
    untouched: int = 0
    chases: int = 0
    waits: Counter[int] = field(default_factory=Counter)  # how many by whole working hours, up to now

    @property
    def oldest(self) -> int:
        return max(self.waits, default=0)

    @property
    def young(self) -> int:
        """Too young to judge: still in time, and never counted as lost."""
        return self.open - self.late


class Waiting(NamedTuple):
    """Since when somebody waits for her next visit, and on which edge."""

    since: datetime
    ends_last: float
    edge: Edge


@dataclass
class OpenNow:
    edges: dict[Edge, OpenCounts] = field(default_factory=dict)
    ages: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # (owner's role, step) -> columns
    journeys: set[int] = field(default_factory=set)
    before_visit: dict[int, Waiting] = field(default_factory=dict)  # by journey

    @property
    def late(self) -> int:
        return sum(each.late for each in self.edges.values())


def touched() -> Q:
    """We did or tried something about the step since it opened; that she wrote or rang is no deed of ours."""
    events = StepEvent.objects.filter(step=OuterRef("pk")).exclude(UNTOUCHED)
    tries = Attempt.objects.filter(task__step=OuterRef("pk"), status__in=MADE)
    return Q(Exists(events)) | Q(Exists(tries))


def open_steps(clinic: Clinic, key: str, told: tuple[str, str]) -> QuerySet[Step]:
    """Told apart by one dimension, as the sums are."""
    steps = Step.objects.filter(clinic=clinic, status=OPEN, template_step__template__key=key)
    return steps.filter(of_value(told))


def of_value(told: tuple[str, str]) -> Q:
    dimension, value = told
    if not dimension:
        return Q()
    column = DIMENSIONS[dimension]  # type: ignore[index]
    if value == NOBODY:
        empty = Q(**{f"{column}__isnull": True})
        return empty | Q(**{column: ""}) if dimension != "doctor" else empty
    return Q(**{column: value})


def open_now(clinic: Clinic, key: str, told: tuple[str, str], *, opening: Hours, now: datetime) -> OpenNow:
    steps = open_steps(clinic, key, told).annotate(is_touched=touched())
    rows = list(with_ways(steps, "is_touched", *OF_A_VISIT))
    time = worked_time(opening, [now, *(row["opened_at"] for row in rows if row["opened_at"])])
    found, day = OpenNow(), hours_a_day(opening)
    for row in rows:
        hours = time.hours(row["opened_at"], now)
        late = row["due_at"] is not None and row["due_at"] <= now
        counts = found.edges.setdefault((source_of(row), row["template_step__key"]), OpenCounts())
        counts.open += 1
        counts.late += late
        counts.untouched += late and not row["is_touched"]
        counts.chases += row["chases"] or 0
        counts.waits[hours] += 1
        ages = found.ages.setdefault((row["owner_role"], row["template_step__key"]), [0] * (len(AGES) + 1))
        ages[age_column(hours, day)] += 1
        found.journeys.add(row["journey_id"])
        _note_before_visit(found, row)
    return found


def _note_before_visit(found: OpenNow, row: dict[str, Any]) -> None:
    """Once for a journey, where it has waited longest for its next visit: as money at risk counts it.

    Of two steps that opened at once the one that may take longer stands for it: it holds the visit up.
    """
    waits = row["kind"] in BEFORE_A_VISIT and row["journey__status"] == JourneyStatus.ACTIVE
    if waits and row["journey__patient_id"]:
        edge = (source_of(row), row["template_step__key"])
        here = Waiting(row["opened_at"], -row["due_at"].timestamp(), edge)
        found.before_visit[row["journey_id"]] = min(here, found.before_visit.get(row["journey_id"], here))
