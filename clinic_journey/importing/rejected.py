"""Rows that were left out, as a file to repair and upload again."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from clinic_journey.importing.models import Import
from clinic_journey.importing.queries import reasons, refused_rows
from clinic_journey.spreadsheet import csv_lines


def lines(run: Import) -> Iterator[str]:
    return csv_lines(_rows(run))


def _rows(run: Import) -> Iterator[Sequence[str]]:
    yield [*run.header, _("Row in the file"), _("Why it was left out")]
    width = len(run.header)
    for row, why in reasons(run, refused_rows(run)):
        cells = [*row.cells, *[""] * (width - len(row.cells))][:width]
        yield [*cells, str(row.number), why]
