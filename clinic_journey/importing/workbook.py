"""Sheets of an XLSX file, row by row. It is a zip file, so its size unpacked is asked before it is unpacked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from clinic_journey.importing.limits import MAX_CELL, MAX_COLUMNS, MAX_SHARED_TEXT, MAX_UNPACKED
from patients.actions import RefusedError

BROKEN = (
    BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    OSError,
    SyntaxError,
)
TEXTS = "xl/sharedStrings.xml"


def sheets(file: BinaryIO) -> tuple[str, ...]:
    with _opened(file) as book:
        return tuple(sheet.title for sheet in book.worksheets)


def rows(file: BinaryIO, sheet: str) -> Iterator[tuple[int, list[str]]]:
    with _opened(file) as book:
        table = book[sheet] if sheet in book.sheetnames else book.worksheets[0]
        table.reset_dimensions()  # some programs write a wrong size into the file
        for number, cells in enumerate(table.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True), start=1):
            texts = [as_text(value) for value in cells]
            while texts and not texts[-1]:
                texts.pop()
            yield number, texts


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Any]:
    """The workbook, read-only. Whatever a broken file makes the reader raise becomes one sentence."""
    try:
        _refuse_bomb(file)
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            if not book.worksheets:
                raise RefusedError(_("There is no sheet in this file. Save the table as XLSX again."))
            yield book
        finally:
            book.close()
    except BROKEN as error:
        raise RefusedError(
            _("This XLSX file is broken or incomplete. Save it again as XLSX or CSV and upload that.")
        ) from error


def _refuse_bomb(file: BinaryIO) -> None:
    file.seek(0)
    with ZipFile(file) as packed:
        sizes = {entry.filename: entry.file_size for entry in packed.infolist()}
    if "xl/workbook.xml" not in sizes:
        raise RefusedError(_("This file is not a table. Export the list as CSV or XLSX and upload that."))
    if sum(sizes.values()) > MAX_UNPACKED or sizes.get(TEXTS, 0) > MAX_SHARED_TEXT:
        raise RefusedError(
            _("This file unpacks to far more than a list needs. Save it as CSV and upload that.")
        )
    file.seek(0)


def as_text(value: object) -> str:
    """A cell as one would type it; dates in the one form that cannot be misread."""
    match value:
        case None:
            return ""
        case datetime():
            return (
                value.strftime("%Y-%m-%d %H:%M") if value.time() != time.min else value.strftime("%Y-%m-%d")
            )
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value).replace("\0", "").strip()[:MAX_CELL]
