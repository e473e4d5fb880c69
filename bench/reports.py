"""R1 of the design: reports from what was counted, against the same question asked live over a million journeys.

    .venv/bin/python -m bench.reports [--clinics 40] [--patients 25000] [--months 12]

Forty clinics with a year of 25,000 journeys each. The report's own question is asked of one of them in three ways:
from the summaries, live through the product's measure, and in plain SQL written by hand (bench/reports_by_hand.py).
All three must agree, with the plan they were written from, and once more after `manage.py rebuild_summaries`.
"First paint" is the whole page, in this process, while one month of the year is counted, and when all of it is.
"""

import argparse
import statistics
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

from bench.database import PAIRS, connect, line, seconds
from bench.reports_days import analyze, manager_of, measure_days, paint

if TYPE_CHECKING:
    from bench.year import Year

GOAL = 0.15
COUNTED = "clinic_journey_stagesummary"
SLOW_TIMES = 3  # a question that takes minutes is asked so often


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clinics", type=int, default=40)
    parser.add_argument("--patients", type=int, default=25_000, help="journeys of each clinic")
    asked = parser.parse_args()
    connect("postgresql")
    year = filled(asked.patients, asked.clinics)
    journeys = asked.patients * asked.clinics
    print(f"\npostgresql, {journeys:,} journeys, {len(year.steps) * asked.clinics:,} steps", flush=True)
    measure_first_paint(year)
    agree(year)
    measure_ratios(year)
    measure_days(year)
    count_everybody(year)


def filled(patients: int, clinics: int) -> "Year":
    from django.db import connection  # noqa: PLC0415 - app ready
    from django.utils import timezone  # noqa: PLC0415 - app ready

    from bench.year import Year  # noqa: PLC0415 - app ready

    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    spent = seconds(
        lambda: made.append(Year(patients, clinics=clinics, since=now - timedelta(days=364), now=now))
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"written in {spent:.0f} s", flush=True)
    return made[0]


made: list["Year"] = []


def measure_first_paint(year: "Year") -> None:
    """The same page with one month counted and with twelve; what is open is the same in both."""
    from clinic_journey.reports import summaries  # noqa: PLC0415 - app ready
    from clinic_journey.reports.stages_models import SummaryClock  # noqa: PLC0415 - app ready

    clinic = year.clinics[0]
    client = manager_of(clinic)
    page = "/reports/stuck/?template=imaging_treatment&weeks=4"
    SummaryClock.objects.create(clinic=clinic, counted_at=year.now - timedelta(days=35))
    summaries.catch_up(clinic, now=year.now)
    analyze(COUNTED)
    first = paint(client, page)
    spent = seconds(lambda: summaries.rebuild(clinic, now=year.now))
    analyze(COUNTED)
    twelve = paint(client, page)
    line("first paint, 12 months / 1 month of data", f"{twelve * 1000:.0f} ms, {twelve / first:.2f}", "<= 1.2",
         met=twelve / first <= 1.2)  # fmt: skip
    line("first paint of a year of 12 months", f"{paint(client, page.replace('=4', '=52')) * 1000:.0f} ms", "<= 1 s",
         met=paint(client, page.replace("=4", "=52")) <= 1)  # fmt: skip
    print(f"a year of one clinic counted in {spent:.1f} s", flush=True)
    tick = seconds(lambda: summaries.catch_up(clinic, now=year.now))
    print(f"the hourly tick of one clinic: {tick:.2f} s", flush=True)


def agree(year: "Year") -> None:
    """Counted, live, by hand and planned: the same numbers; and the same rows from the command."""
    from django.core.management import call_command  # noqa: PLC0415 - app ready

    from bench.planted_year import TEMPLATE, expected  # noqa: PLC0415 - app ready
    from bench.reports_by_hand import asked_by_hand  # noqa: PLC0415 - app ready
    from clinic_journey.reports import summaries  # noqa: PLC0415 - app ready
    from clinic_journey.reports.stages import by_edge, hours_of, passages_of  # noqa: PLC0415 - app ready

    clinic, since = year.clinics[0], year.since - timedelta(days=7)
    counted = summaries.edges(clinic, TEMPLATE, since.date())
    live = by_edge(passages_of(clinic, hours_of(clinic), since, year.now), TEMPLATE)
    counted_then = told(counted)
    planned = {
        edge: (each.passed, each.lost, each.median, each.p90, each.tries, each.chases)
        for edge, each in expected(year.steps, year.hours).items()
    }
    line("summaries = live answer", "", "equal", met=counted == live)
    line(
        "summaries = SQL by hand",
        "",
        "equal",
        met=counted_then == asked_by_hand(clinic, TEMPLATE, since, year.now),
    )
    line("summaries = what was planted", "", "equal", met=counted_then == planned)
    call_command("rebuild_summaries", clinic=clinic.slug, stdout=StringIO())
    again = summaries.edges(clinic, TEMPLATE, since.date())
    line("rebuilt by the command", "", "the same", met=again == counted)
    line(
        "until told and treated = live answer",
        "",
        "equal",
        met=counted_milestones(year) == live_milestones(year),
    )


def counted_milestones(year: "Year") -> dict[tuple[object, ...], int]:
    from clinic_journey.models import StageSummary  # noqa: PLC0415 - app ready
    from clinic_journey.reports.milestones import FROM_THE_START  # noqa: PLC0415 - app ready

    found: Counter[tuple[object, ...]] = Counter()
    rows = StageSummary.objects.filter(clinic=year.clinics[0], source=FROM_THE_START)
    for passed, *key in rows.values_list(
        "passed", "template_key", "source", "target", "dimension", "value", "hours"
    ):
        found[tuple(key)] += passed
    return found


def live_milestones(year: "Year") -> dict[tuple[object, ...], int]:
    """Of all weeks at once, told apart as the summaries are."""
    from clinic_journey.reports.milestones import milestones_of  # noqa: PLC0415 - app ready
    from clinic_journey.reports.stages import hours_of  # noqa: PLC0415 - app ready
    from clinic_journey.reports.summaries import grouped  # noqa: PLC0415 - app ready

    clinic, since = year.clinics[0], year.since - timedelta(days=7)
    live = grouped(milestones_of(clinic, hours_of(clinic), since, year.now))
    return Counter({key: counts.passed for key, counts in live.items()})


def told(edges: Any) -> dict[tuple[str, str], tuple[Any, ...]]:
    from clinic_journey.reports.stages import after_waits  # noqa: PLC0415 - app ready

    return {
        edge: (
            sum(each.passed for each in waits.values()), sum(each.lost for each in waits.values()),
            after_waits(waits, 0.5), after_waits(waits, 0.9),
            sum(each.tries for each in waits.values()), sum(each.chases for each in waits.values()),
        )
        for edge, waits in edges.items() if edge != ("", "")
    }  # fmt: skip


def measure_ratios(year: "Year") -> None:
    """Every report at four weeks, twelve and a year, against the two ways to ask it of the events."""
    from clinic_journey.reports.stages import week_of  # noqa: PLC0415 - app ready

    clinic = year.clinics[0]
    for weeks in (4, 12, 51):
        since = week_of(year.now, clinic.time_zone) - timedelta(weeks=weeks)
        floors = {name: middle(asked, times=SLOW_TIMES) for name, asked in floors_of(year, since).items()}
        for name, report in reports_of(year, since).items():
            ours = middle(report, times=PAIRS)
            for floor, theirs in floors.items():
                words = f"{ours * 1000:.1f} / {theirs * 1000:.0f} ms, {ours / theirs:.3f}"
                line(f"R1 {name}, {weeks} weeks / {floor}", words, f"<= {GOAL}", met=ours / theirs <= GOAL)


def middle(asked: Callable[[], object], *, times: int) -> float:
    return statistics.median(seconds(asked) for _nth in range(times))


def floors_of(year: "Year", since: date) -> dict[str, Callable[[], object]]:
    from bench.planted_year import TEMPLATE  # noqa: PLC0415 - app ready
    from bench.reports_by_hand import ask, write_open_hours  # noqa: PLC0415 - app ready
    from clinic_journey.reports import summaries  # noqa: PLC0415 - app ready
    from clinic_journey.reports.stages import by_edge, hours_of, passages_of  # noqa: PLC0415 - app ready

    clinic = year.clinics[0]
    start, _end = summaries.bounds(clinic, since)
    write_open_hours(clinic, year.since - timedelta(days=7), year.now)
    return {
        "live": lambda: by_edge(passages_of(clinic, hours_of(clinic), start, year.now), TEMPLATE),
        "SQL by hand": lambda: ask(clinic, TEMPLATE, start, year.now),
    }


def reports_of(year: "Year", since: date) -> dict[str, Callable[[], object]]:
    from bench.planted_year import TEMPLATE  # noqa: PLC0415 - app ready
    from clinic_journey.reports import summaries  # noqa: PLC0415 - app ready

    clinic, edge = year.clinics[0], ("await_result", "review")
    doctor = str(year.doctors[0].pk)
    return {
        "map, funnel": lambda: summaries.edges(clinic, TEMPLATE, since),
        "map of one doctor": lambda: summaries.edges(clinic, TEMPLATE, since, "doctor", doctor),
        "trend by week": lambda: summaries.by_week(clinic, TEMPLATE, since, edge, ("", "")),
        "whole journey over time": lambda: summaries.milestone_weeks(clinic, TEMPLATE, since, ("", "")),
        "by doctor, language, channel": lambda: summaries.by_value(clinic, TEMPLATE, since, edge),
    }


def count_everybody(year: "Year") -> None:
    """Last, for it takes longest: every clinic by the command, and the first clinic's map among all those rows."""
    from django.core.management import call_command  # noqa: PLC0415 - app ready

    from bench.planted_year import TEMPLATE  # noqa: PLC0415 - app ready
    from clinic_journey.models import StageSummary  # noqa: PLC0415 - app ready
    from clinic_journey.reports import summaries  # noqa: PLC0415 - app ready

    since = (year.since - timedelta(days=7)).date()
    before = summaries.edges(year.clinics[0], TEMPLATE, since)
    spent = seconds(lambda: call_command("rebuild_summaries", stdout=StringIO()))
    print(
        f"rebuild_summaries, every clinic: {spent:.0f} s, {StageSummary.objects.count():,} rows", flush=True
    )
    after = [summaries.edges(clinic, TEMPLATE, since) for clinic in (year.clinics[0], year.clinics[-1])]
    line("every clinic rebuilt", "", "the same", met=after == [before, before])
    mine = seconds(lambda: summaries.edges(year.clinics[0], TEMPLATE, since))
    print(f"the map of a year among all those rows: {mine * 1000:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
