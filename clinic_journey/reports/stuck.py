"""Where patients get stuck: the map of a journey from what happened, its gaps, and who is in them right now."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clinic_journey.reports import summaries
from clinic_journey.reports.export import TABLES
from clinic_journey.reports.gaps import gaps_of
from clinic_journey.reports.map import Bar, funnel
from clinic_journey.reports.parts import part
from clinic_journey.reports.stages import ANYWHERE, NOBODY
from clinic_journey.reports.stages_models import Dimension
from clinic_journey.reports.stuck_asked import ENOUGH, PERIODS, Asked, doctors_of, value_words
from clinic_journey.reports.stuck_rows import (
    COLUMNS,
    ages_of,
    compared,
    drawn_of,
    lanes_of,
    rows_of,
    weeks_of,
)
from clinic_journey.reports.trend import trend_of
from patients.access import Here, for_staff
from patients.models import MANAGERS, Channel, Language


@require_GET
@for_staff(*MANAGERS)
def stuck(request: HttpRequest, here: Here) -> HttpResponse:
    """The whole page. A part that fails says so and leaves the others as they are."""
    asked = Asked.of(request.GET, here)
    doctors = doctors_of(here)
    found = part(lambda: asked.map)
    ended = found.whole.judged if found else 0
    context = {
        "asked": asked,
        "choices": choices(doctors),
        "periods": PERIODS.items(),
        "counted_at": summaries.counted_at(here.clinic),
        "map": found,
        "is_early": found is not None and ended < ENOUGH,
        "ended": ended,
        "enough": ENOUGH,
        "rows": part(lambda: rows_of(asked)),
        "drawn": part(lambda: drawn_of(asked)),
        "line": part(lambda: asked.line),
        "gaps": part(lambda: gaps_of(asked)),
        "ages": part(lambda: ages_of(asked)),
        "bars": part(lambda: bars_of(asked)),
        "compared": part(lambda: compared(asked, doctors)),
        "weeks": part(lambda: weeks_of(asked)),
        "trend": part(lambda: trend_of(asked)),
        "lanes": part(lambda: lanes_of(asked)),
        "columns": COLUMNS,
        "tables": TABLES.items(),
        "is_table": request.GET.get("view") == "table",
    }
    return render(request, "reports/stuck.html", context)


def bars_of(asked: Asked) -> list[tuple[Bar, str]]:
    """Each with what the list of its names is asked for."""
    return [(bar, asked.query((ANYWHERE, bar.key))) for bar in funnel(asked.map.lines, asked.wording)]


def choices(doctors: dict[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the map can be told apart by, for one field: a group for each dimension."""
    values = {
        Dimension.DOCTOR: [*doctors, NOBODY],
        Dimension.LANGUAGE: Language.values,
        Dimension.CHANNEL: [*Channel.values, NOBODY],
    }
    return [
        (
            str(dimension.label),
            [(f"{dimension}:{value}", value_words(dimension, value, doctors)) for value in listed],
        )
        for dimension, listed in values.items()
    ]
