"""Every table of the map as a file for a spreadsheet: the same numbers that stand on the page."""

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import get_language_bidi, gettext as _, gettext_lazy, pgettext
from django.views.decorators.http import require_GET
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from clinic_journey.reports.gaps import gaps_of
from clinic_journey.reports.map import funnel
from clinic_journey.reports.stuck_asked import Asked, doctors_of
from clinic_journey.reports.stuck_rows import COLUMNS, ages_of, compared, lanes_of, weeks_of
from clinic_journey.reports.trend import trend_of
from clinic_journey.spreadsheet import csv_lines, harmless
from patients.access import Here, for_staff
from patients.models import MANAGERS

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Cells = Sequence[object]
TABLES: dict[str, str | Promise] = {
    "ways": gettext_lazy("Every way from one step to the next"),
    "gaps": gettext_lazy("The gaps in order"),
    "ages": gettext_lazy("Open now, by working days"),
    "funnel": gettext_lazy("How many came to each step"),
    "compared": gettext_lazy("The chosen gap"),
    "weeks": gettext_lazy("Week by week"),
    "trend": gettext_lazy("The whole journey over time"),
    "lanes": gettext_lazy("The journey through her eyes"),
}


def ways(asked: Asked) -> Iterator[Cells]:
    """Waits in whole working hours, so that a spreadsheet can count on with them."""
    yield (
        pgettext("one step to another", "From"), pgettext("from one step to another", "To"),
        _("Came to it"), _("Passed"), _("Left here"), _("Open"), _("Late"), _("Untouched"),
        _("Half waited at most, hours"), _("9 out of 10 waited at most, hours"), _("Standard, hours"),
        _("Tries"), _("Had to ask"), _("Waits on"),
    )  # fmt: skip
    for line in asked.map.lines:
        yield (
            line.source_words, line.target_words, line.reached, line.passed, line.lost, line.now.open,
            line.now.late, line.now.untouched, line.median, line.p90, line.limit, line.tries, line.chases,
            line.waits_on,
        )  # fmt: skip


def ranked(asked: Asked) -> Iterator[Cells]:
    """In the order that the page was asked for; waits in working hours of all who waited, added up."""
    yield (
        pgettext("one step to another", "From"), pgettext("from one step to another", "To"), _("Wait now"),
        _("Late"), _("Waited beyond the standard, all together, hours"), _("Left here"),
        _("Wait for a visit"), _("At risk, at least"), _("At risk, at most"), _("Currency"),
        _("assumed"), _("Waits on"),
    )  # fmt: skip
    for gap in gaps_of(asked).rows:
        line, risk = gap.line, gap.risk
        told = (
            (risk.people, *(round(each) for each in gap.at_risk), risk.value.currency, int(risk.is_default))
            if risk
            else (None,) * 5
        )
        yield (
            line.source_words, line.target_words, line.now.open, line.now.late, line.over, line.lost, *told,
            line.waits_on,
        )  # fmt: skip


def ages(asked: Asked) -> Iterator[Cells]:
    yield (_("Whose"), _("Step"), *COLUMNS)
    for age in ages_of(asked):
        yield (age.role, age.words, *age.counts)


def bars(asked: Asked) -> Iterator[Cells]:
    yield (_("Step"), _("Came to it"), _("Passed"), _("Left here"), _("Open"))
    for bar in funnel(asked.map.lines, asked.wording):
        yield (bar.words, bar.reached, bar.passed, bar.lost, bar.open)


def told_apart(asked: Asked) -> Iterator[Cells]:
    yield (
        _("By"),
        _("Who"),
        _("Passed"),
        _("Left here"),
        _("Half waited at most"),
        _("9 out of 10 waited at most"),
    )
    for group, rows in compared(asked, doctors_of(asked.here)):
        for row in rows:
            yield (group, row.words, row.passed, row.lost, row.median, row.p90)


def weeks(asked: Asked) -> Iterator[Cells]:
    yield (
        _("Week of"),
        _("Passed"),
        _("Left here"),
        _("Half waited at most"),
        _("9 out of 10 waited at most"),
    )
    for week in weeks_of(asked):
        yield (week.monday.isoformat(), week.passed, week.lost, week.median, week.p90)


def over_time(asked: Asked) -> Iterator[Cells]:
    """Waits in whole working hours, each with how many it rests on."""
    half, most = _("half within, hours"), _("9 out of 10 within, hours")
    yield (
        _("From"), _("Journeys that ended"), _("Of them lost"), _("Lost, %"), _("Told"), half, most, _("Treated"),
        half, most,
    )  # fmt: skip
    for point in trend_of(asked).points:
        spreads = ((each.people, each.median, each.p90) for each in (point.told, point.treated))
        yield (point.begins.isoformat(), point.ended, point.lost, point.lost_percent, *chain(*spreads))


def eyes(asked: Asked) -> Iterator[Cells]:
    yield (
        _("Step"), _("The patient"), _("Sees"), _("Half waited at most"), _("9 out of 10 waited at most"),
        _("Left here, %"), _("Feels well, %"), _("Answers"), _("Had to ask"), _("Idea, owner"),
    )  # fmt: skip
    for lane in lanes_of(asked):
        ideas = "; ".join(
            f"{idea.words}, {idea.owner.get_full_name() or idea.owner.username}" for idea in lane.ideas
        )
        feels = (lane.feeling.percent, lane.feeling.answers) if lane.feeling else (_("no data"), 0)
        yield (
            lane.words, lane.does, lane.sees, lane.median, lane.p90, lane.lost_percent, *feels, lane.chases, ideas,
        )  # fmt: skip


MADE: dict[str, Callable[[Asked], Iterator[Cells]]] = {
    "ways": ways, "gaps": ranked, "ages": ages, "funnel": bars, "compared": told_apart, "weeks": weeks,
    "trend": over_time, "lanes": eyes,
}  # fmt: skip


@require_GET
@for_staff(*MANAGERS)
def export(request: HttpRequest, here: Here) -> HttpResponse:
    asked = Asked.of(request.GET, here)
    table = request.GET.get("table", "")
    table = table if table in MADE else "ways"
    name = f"{table}-{asked.key}-{here.now:%Y-%m-%d}"
    return as_table([*MADE[table](asked)], str(TABLES[table]), name, request.GET.get("as", ""))


def as_table(rows: Sequence[Cells], title: str, name: str, kind: str) -> HttpResponse:
    """A workbook where that is asked for, else lines of text."""
    rows = [[str(cell) if isinstance(cell, Promise) else cell for cell in row] for row in rows]
    if kind == "xlsx":
        return as_file(xlsx(title, rows), XLSX, f"{name}.xlsx")
    text = "".join(csv_lines([as_text(cell) for cell in row] for row in rows))
    return as_file(text.encode(), "text/csv; charset=utf-8", f"{name}.csv")


def as_file(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def as_text(cell: object) -> str:
    return "" if cell is None else str(cell)


def _written(text: str) -> str:
    """Without what a workbook cannot hold, as the control characters that come with pasted words."""
    return harmless(ILLEGAL_CHARACTERS_RE.sub("", text))


def xlsx(title: str, rows: Sequence[Cells]) -> bytes:
    """Numbers stay numbers; text that begins like a formula stays text. Read from the right where the page is."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31].replace(":", " "))
    sheet.sheet_view.rightToLeft = get_language_bidi()
    for row in rows:
        sheet.append([_written(cell) if isinstance(cell, str) else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
