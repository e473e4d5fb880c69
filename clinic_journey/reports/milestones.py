"""From the beginning of a journey until she was told what was decided, and until she was treated: both once.

Told is the first of the decision's steps whose message left, or that ended with her; treated, the first visit that
she attended. Each belongs to the week in which it happened, as a passage does; who has not come so far is in neither.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Exists, Min, OuterRef, QuerySet, Subquery

from clinic_journey.reports.stages import DIMENSIONS, LOSING, Passage, values_of
from clinic_journey.reports.stages_time import worked_time
from journeys.models import Journey, Step, StepKind, StepStatus
from outreach.models import Attempt
from outreach.queries import WENT_OUT
from patients.models import Clinic
from patients.windows import Hours

FROM_THE_START = "="  # instead of a source: all steps on the way together
TOLD, TREATED = "told", "treated"  # instead of a target
TELLS = (StepKind.TELL, StepKind.CONFIRM, StepKind.CALL, StepKind.BOOK)
UNHEARD = ("could_not_reach", "not_needed")
BATCH = 500  # parameters of one statement


def milestones_of(clinic: Clinic, opening: Hours, start: datetime, end: datetime) -> Iterator[Passage]:
    """What was reached for the first time in [start, end)."""
    reached = {
        TOLD: {key: at for key, at in first_told(clinic, start, end).items() if start <= at < end},
        TREATED: first_treated(clinic, start, end),
    }
    rows = {row["pk"]: row for row in _journeys({key for each in reached.values() for key in each})}
    time = worked_time(opening, [start, end, *(row["opened_at"] for row in rows.values())])
    for name, instants in reached.items():
        for key, at in instants.items():
            if row := rows.get(key):
                yield Passage(
                    row["template__key"], FROM_THE_START, name, at, time.hours(row["opened_at"], at),
                    is_lost=False, tries=0, chases=0, values=values_of(row, "journey__"),
                )  # fmt: skip


def first_treated(clinic: Clinic, start: datetime, end: datetime) -> dict[int, datetime]:
    attended = Step.objects.filter(
        clinic=clinic, kind=StepKind.VISIT, status=StepStatus.COMPLETED, template_step__isnull=False
    ).exclude(outcome__in=LOSING)
    earlier = attended.filter(journey=OuterRef("journey"), completed_at__lt=OuterRef("completed_at"))
    rows = attended.filter(completed_at__gte=start, completed_at__lt=end).exclude(Exists(earlier))
    return {key: at for key, at in rows.values_list("journey", "completed_at") if at}


def first_told(clinic: Clinic, start: datetime, end: datetime) -> dict[int, datetime]:
    """By journey, of those in which somebody heard from us in this time; the first may lie before it."""
    left = Attempt.objects.filter(
        clinic=clinic, called_at__gte=start, called_at__lt=end, status__in=WENT_OUT,
        task__step__kind__in=TELLS, task__step__template_step__isnull=False,
    )  # fmt: skip
    ended = _heard(clinic).filter(completed_at__gte=start, completed_at__lt=end)
    keys = {*left.values_list("task__step__journey", flat=True), *ended.values_list("journey", flat=True)}
    first: dict[int, datetime] = {}
    for some in _in_batches(sorted(keys)):
        for key, at in _told_in(clinic, some):
            first[key] = min(at, first.get(key, at))
    return first


def _heard(clinic: Clinic) -> QuerySet[Step]:
    """Steps that ended with her."""
    done = Step.objects.filter(
        clinic=clinic, kind__in=TELLS, status=StepStatus.COMPLETED, template_step__isnull=False
    )
    return done.exclude(outcome__in=UNHEARD)


def _told_in(clinic: Clinic, journeys: list[int]) -> Iterator[tuple[int, datetime]]:
    """Of some journeys: whenever she heard after a decision, by a message of ours or because a step ended with her."""
    decided = Step.objects.filter(
        journey=OuterRef("journey"), kind=StepKind.REVIEW, status=StepStatus.COMPLETED,
        completed_at__lte=OuterRef("opened_at"),
    )  # fmt: skip
    tells = Step.objects.filter(
        Exists(decided), clinic=clinic, journey__in=journeys, kind__in=TELLS, template_step__isnull=False
    )
    sent = Attempt.objects.filter(task__step=OuterRef("pk"), status__in=WENT_OUT, called_at__isnull=False)
    first_sent = Subquery(sent.order_by().values("task__step").annotate(at=Min("called_at")).values("at"))
    rows: Iterable[tuple[Any, ...]] = tells.annotate(sent=first_sent).values_list(
        "journey", "sent", "status", "completed_at", "outcome"
    )
    for journey, at, status, completed_at, outcome in rows:
        if at:
            yield journey, at
        if status == StepStatus.COMPLETED and outcome not in UNHEARD:
            yield journey, completed_at


def _journeys(keys: set[int]) -> Iterator[dict[str, Any]]:
    columns = [column.removeprefix("journey__") for column in DIMENSIONS.values()]
    for some in _in_batches(sorted(keys)):
        found = Journey.objects.filter(pk__in=some, template__isnull=False)
        yield from found.values("pk", "opened_at", "template__key", *columns)


def _in_batches(keys: list[int]) -> Iterator[list[int]]:
    for nth in range(0, len(keys), BATCH):
        yield keys[nth : nth + BATCH]
