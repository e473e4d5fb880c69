"""Lists as files for a spreadsheet, line by line, so that the longest needs no memory."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

BOM = "\ufeff"  # without it Excel reads Hebrew as Latin
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The mark by which spreadsheets know UTF-8 comes with the first line, the headings."""
    mark = BOM
    for row in rows:
        out = io.StringIO()
        csv.writer(out).writerow([harmless(cell) for cell in row])
        yield mark + out.getvalue()
        mark = ""


def harmless(text: str) -> str:
    """A spreadsheet runs what begins like a formula; an apostrophe before it makes it text."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
