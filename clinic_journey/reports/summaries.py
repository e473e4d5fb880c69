"""The counts of each week, made by the clockwork: weeks that are over once, this week and the one of yesterday anew."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from clinic_journey.reports.milestones import FROM_THE_START, milestones_of
from clinic_journey.reports.stages import (
    BEGINNING,
    END,
    WEEK,
    Counts,
    Edge,
    Passage,
    Waits,
    hours_of,
    passages_of,
    week_of,
)
from clinic_journey.reports.stages_models import Dimension, StageSummary, SummaryClock
from journeys.models import Journey
from patients.models import Clinic
from patients.windows import Hours, starts_at

LATE_NEWS = timedelta(days=1)  # a save that is undone, a try that is told late
BATCH = 500
TOLD_APART = (Dimension.DOCTOR, Dimension.LANGUAGE, Dimension.CHANNEL)
COUNTED = ("passed", "lost", "tries", "contacted", "chases")
Key = tuple[str, str, str, str, str, int]


def catch_up(clinic: Clinic, *, now: datetime) -> int:
    """Count the weeks since the last time; returns how many. Each is whole or not there, so it goes on after a fall."""
    clock = SummaryClock.objects.filter(clinic=clinic).first()
    begun = clock.counted_at - LATE_NEWS if clock else _first_instant(clinic)
    if begun is None:
        begun = now
    week, last, opening, weeks = week_of(begun, clinic.time_zone), week_of(now, clinic.time_zone), None, 0
    while week <= last:
        opening = opening or hours_of(clinic)
        count_week(clinic, week, opening, now=now)
        week, weeks = week + WEEK, weeks + 1
    return weeks


def _first_instant(clinic: Clinic) -> datetime | None:
    first = Journey.objects.filter(clinic=clinic).order_by("opened_at").values_list("opened_at", flat=True)
    return first.first()


def rebuild(clinic: Clinic, *, now: datetime) -> int:
    """Everything from the events anew, in the hours that the clinic has now."""
    StageSummary.objects.filter(clinic=clinic).delete()
    SummaryClock.objects.filter(clinic=clinic).delete()
    return catch_up(clinic, now=now)


def count_week(clinic: Clinic, week: date, opening: Hours, *, now: datetime) -> None:
    """Read outside the transaction: on SQLite nobody else could write meanwhile."""
    start, end = bounds(clinic, week)
    until = min(end, now)
    passages = passages_of(clinic, opening, start, until)
    made = grouped(chain(passages, milestones_of(clinic, opening, start, until)))
    _put_in_place(clinic, week, made, counted_at=min(end, now))


@transaction.atomic
def _put_in_place(clinic: Clinic, week: date, made: dict[Key, Counts], *, counted_at: datetime) -> None:
    """One week instead of what stood there. Two workers at once wait for each other."""
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    StageSummary.objects.filter(clinic=clinic, week=week).delete()
    StageSummary.objects.bulk_create(
        (
            StageSummary(
                clinic=clinic, week=week, template_key=key[0], source=key[1], target=key[2],
                dimension=key[3], value=key[4], hours=key[5], **vars(counts),
            )
            for key, counts in made.items()
        ),
        batch_size=BATCH,
    )  # fmt: skip
    SummaryClock.objects.update_or_create(clinic=clinic, defaults={"counted_at": counted_at})


def bounds(clinic: Clinic, week: date) -> tuple[datetime, datetime]:
    first, after = (starts_at(clinic.time_zone, on, time.min) for on in (week, week + WEEK))
    return first, after


def grouped(passages: Iterable[Passage]) -> dict[Key, Counts]:
    """Grouping sets: each passage counts once for everybody and once for each thing it is told apart by."""
    found: dict[Key, Counts] = {}
    for each in passages:
        for dimension, value in each.values:
            key = (each.template, each.source, each.target, dimension, value, each.hours)
            found.setdefault(key, Counts()).take(each)
    return found


def counted_at(clinic: Clinic) -> datetime | None:
    return SummaryClock.objects.filter(clinic=clinic).values_list("counted_at", flat=True).first()


def edges(
    clinic: Clinic,
    key: str,
    since: date,
    dimension: str = "",
    value: str = "",
    *,
    until: date = date.max,
) -> dict[Edge, Waits]:
    """The same answer as `stages.by_edge`, from what was counted: added up by the database."""
    rows = StageSummary.objects.filter(
        clinic=clinic, template_key=key, dimension=dimension, value=value, week__gte=since, week__lt=until
    ).exclude(source=FROM_THE_START)
    found: dict[Edge, Waits] = {}
    for source, target, hours, *sums in _summed(rows, "source", "target", "hours"):
        found.setdefault((source, target), {})[hours] = Counts(*sums)
    return found


def by_week(clinic: Clinic, key: str, since: date, edge: Edge, told: tuple[str, str]) -> dict[date, Waits]:
    rows = StageSummary.objects.filter(
        clinic=clinic, template_key=key, dimension=told[0], value=told[1], week__gte=since,
        source=edge[0], target=edge[1],
    )  # fmt: skip
    found: dict[date, Waits] = {}
    for week, hours, *sums in _summed(rows, "week", "hours"):
        found.setdefault(week, {})[hours] = Counts(*sums)
    return found


def milestone_weeks(
    clinic: Clinic, key: str, since: date, told: tuple[str, str]
) -> dict[date, dict[Edge, Waits]]:
    """Of each week the whole journeys that ended, and who was told and treated in it."""
    rows = StageSummary.objects.filter(
        Q(source=BEGINNING, target=END) | Q(source=FROM_THE_START),
        clinic=clinic, template_key=key, dimension=told[0], value=told[1], week__gte=since,
    )  # fmt: skip
    found: dict[date, dict[Edge, Waits]] = {}
    for week, source, target, hours, *sums in _summed(rows, "week", "source", "target", "hours"):
        found.setdefault(week, {}).setdefault((source, target), {})[hours] = Counts(*sums)
    return found


def ended_in_all(clinic: Clinic, since: date) -> int:
    """Journeys of every kind."""
    rows = StageSummary.objects.filter(
        clinic=clinic, dimension="", value="", week__gte=since, source=BEGINNING, target=END
    )
    sums = rows.aggregate(passed=Sum("passed", default=0), lost=Sum("lost", default=0))
    return int(sums["passed"] + sums["lost"])


def by_value(clinic: Clinic, key: str, since: date, edge: Edge) -> dict[tuple[str, str], Waits]:
    """One edge told apart by each doctor, language and channel."""
    rows = StageSummary.objects.filter(
        clinic=clinic, template_key=key, dimension__in=TOLD_APART, week__gte=since,
        source=edge[0], target=edge[1],
    )  # fmt: skip
    found: dict[tuple[str, str], Waits] = {}
    for dimension, value, hours, *sums in _summed(rows, "dimension", "value", "hours"):
        found.setdefault((dimension, value), {})[hours] = Counts(*sums)
    return found


def _summed(rows: QuerySet[StageSummary], *by: str) -> Iterable[tuple[Any, ...]]:
    sums = {name: Sum(name) for name in COUNTED}
    found: QuerySet[StageSummary, tuple[Any, ...]] = (
        rows.order_by().values(*by).annotate(**sums).values_list(*by, *COUNTED)
    )
    return found
