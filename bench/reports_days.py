"""R1 for the pages that tell of days: the numbers that matter, the losses behind the money at risk, when people were
reached, and the standards.

What each night has written against the same days counted from what happened, through the product's own functions; both
must say the same, and once more after the commands that count anew.
"""

import statistics
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, Any

from bench.database import PAIRS, line, seconds

if TYPE_CHECKING:
    from bench.year import Year

GOAL = 0.15


def measure_days(year: "Year") -> None:
    from django.core.management import call_command  # noqa: PLC0415 - app ready

    from clinic_journey.models import NumberDay, StandardDay  # noqa: PLC0415 - app ready
    from clinic_journey.reports.standards_actions import load_standards  # noqa: PLC0415 - app ready

    clinic = year.clinics[0]
    load_standards([clinic])
    for name, asked, written, command in (
        ("numbers and losses", numbers_of, NumberDay.objects.filter(clinic=clinic), "rebuild_summaries"),
        (
            "when people were reached",
            reached_in,
            NumberDay.objects.filter(clinic=clinic),
            "rebuild_summaries",
        ),
        (
            "standards",
            standards_of,
            StandardDay.objects.filter(standard__clinic=clinic),
            "rebuild_standard_days",
        ),
    ):
        written.delete()
        question = question_of(asked, year)
        live, of_live = timed(question)
        spent = seconds(lambda: call_command(command, clinic=clinic.slug, stdout=StringIO()))  # noqa: B023 - called here
        analyze(written.model._meta.db_table)
        ours, of_ours = timed(question)
        words = f"{ours * 1000:.1f} / {live * 1000:.0f} ms, {ours / live:.3f}"
        line(f"R1 {name}: from written days / live", words, f"<= {GOAL}", met=ours / live <= GOAL)
        line(f"{name}: written = live", "", "equal", met=of_ours == of_live)
        call_command(command, clinic=clinic.slug, stdout=StringIO())
        line(f"{name}: counted anew by the command", "", "the same", met=question() == of_live)
        print(f"{command}: {spent:.1f} s, {written.count():,} rows", flush=True)
    client = manager_of(clinic)
    for page in ("/reports/", "/reports/reach/", "/reports/standards/"):
        spent = paint(client, page)
        line(f"first paint of {page}", f"{spent * 1000:.0f} ms", "<= 1 s", met=spent <= 1)


def paint(client: Any, page: str) -> float:
    def once() -> None:
        assert client.get(page).status_code == 200

    once()
    return statistics.median(seconds(once) for _nth in range(PAIRS))


def manager_of(clinic: Any) -> Any:
    from django.test import Client  # noqa: PLC0415 - app ready

    from tests import builders  # noqa: PLC0415 - app ready

    client = Client(headers={"host": "localhost"})
    client.force_login(builders.user("manager", at=clinic))
    return client


def question_of(asked: Callable[["Year"], Any], year: "Year") -> Callable[[], Any]:
    return lambda: asked(year)


def numbers_of(year: "Year") -> Any:
    """All that the first page of the reports tells of days."""
    from clinic_journey.reports.numbers import COUNTED, both_spans  # noqa: PLC0415 - app ready
    from clinic_journey.reports.numbers_days import days_of  # noqa: PLC0415 - app ready

    clinic = year.clinics[0]
    figures = [both_spans(key, clinic, now=year.now) for key in COUNTED]
    lives = days_of(clinic, "ended", now=year.now)
    return figures, {key: sums for key, sums in lives.items() if any(sums)}


def reached_in(year: "Year") -> Any:
    from clinic_journey.reports.reach_times import pictures  # noqa: PLC0415 - app ready

    return pictures(year.clinics[0], "", first_weekday=0, now=year.now)


def standards_of(year: "Year") -> Any:
    from clinic_journey.reports import standards  # noqa: PLC0415 - app ready

    clinic = year.clinics[0]
    kept = standards.kept_now(clinic, now=year.now, only=list(standards.standards_of(clinic)))
    return [(each.standard.key, each.days, each.before, each.next_breach) for each in kept]


def timed(question: Callable[[], Any]) -> tuple[float, Any]:
    answer = question()
    return statistics.median(seconds(question) for _nth in range(PAIRS)), answer


def analyze(table: str) -> None:
    """As autovacuum does within the minute after so many rows."""
    from django.db import connection  # noqa: PLC0415 - app ready

    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {table}")
