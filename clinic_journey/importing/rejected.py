"""Rows that were left out, as a file to repair and upload again."""

import csv
import io
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from clinic_journey.importing.models import Import
from clinic_journey.importing.queries import reasons, refused_rows

BOM = "\ufeff"  # without it Excel reads Hebrew as Latin
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """A cell that a spreadsheet shows and never calculates with; reading it back drops the sign again."""
    return f"'{text}" if text.startswith(FORMULA) else text


def lines(run: Import) -> Iterator[str]:
    yield BOM + _line([*run.header, _("Row in the file"), _("Why it was left out")])
    width = len(run.header)
    for row, why in reasons(run, refused_rows(run)):
        cells = [*row.cells, *[""] * (width - len(row.cells))][:width]
        yield _line([*cells, str(row.number), why])


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) for cell in cells])
    return out.getvalue()
