"""A file as rows of text, read as a stream: CSV in the encodings clinics have, or a sheet of XLSX."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from django.utils.translation import gettext as _

from clinic_journey.importing import workbook
from clinic_journey.importing.limits import MAX_COLUMNS, MAX_LINE, MAX_ROWS
from patients.actions import RefusedError
from referrals.intake.charsets import decode

ZIP, OLD_OFFICE, PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
CODE_PAGES = ("cp1255", "cp1251", "koi8-r", "cp1256")
DELIMITERS = ",;\t|"
BLOCK, SAMPLE_BYTES, SAMPLE_ROWS = 1 << 16, 1 << 16, 30
_LETTERS = re.compile(rb"[\xc0-\xff]+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
Row = tuple[int, list[str]]  # its number in the file, from 1, and its cells


@dataclass(frozen=True)
class Layout:
    """How a file is to be read."""

    encoding: str = ""  # empty: XLSX
    delimiter: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class Look:
    """What a first look at a file shows."""

    layout: Layout
    sheets: tuple[str, ...]
    header_row: int
    header: list[str]
    sample: list[list[str]]


def look(file: BinaryIO, *, sheet: str = "") -> Look:
    """Find out how to read a file, whatever its name says, or refuse it with words that help."""
    file.seek(0)
    start = file.read(8)
    if not start.strip():
        raise RefusedError(_("The file is empty. Export the table again, with its line of column names."))
    if start.startswith(OLD_OFFICE):
        raise RefusedError(
            _("This is an old Excel file, or it has a password. Save it as XLSX without a password.")
        )
    if start.startswith(PDF):
        raise RefusedError(_("This is a PDF. Export the table as CSV or XLSX instead."))
    sheets: tuple[str, ...] = ()
    if start.startswith(ZIP):
        sheets = workbook.sheets(file)
        layout = Layout(sheet=sheet if sheet in sheets else sheets[0])
    else:
        encoding = encoding_of(file)
        layout = Layout(encoding, _delimiter(file, encoding))
    found = list(islice(rows(file, layout), SAMPLE_ROWS))
    header_row, header = _header(found)
    return Look(layout, sheets, header_row, header, [cells for n, cells in found if n > header_row])


def rows(file: BinaryIO, layout: Layout) -> Iterator[Row]:
    """Yield the rows that hold anything, one at a time; memory does not grow with the file."""
    file.seek(0)
    source = _csv_rows(file, layout) if layout.encoding else workbook.rows(file, layout.sheet)
    for given, (number, cells) in enumerate((row for row in source if any(row[1])), start=1):
        if given > MAX_ROWS + 1:
            raise RefusedError(
                _("The file has more than %(rows)s rows. Divide it and import the parts one after another.")
                % {"rows": MAX_ROWS}
            )
        yield number, cells


def encoding_of(file: BinaryIO) -> str:
    """By its mark if it has one, else UTF-8 if all of it is, else the code page its letters look like."""
    file.seek(0)
    block = file.read(BLOCK)
    for mark, name in BOMS:
        if block.startswith(mark):
            return name
    if b"\0" in block[:200]:
        return _unmarked_utf_16(block)
    strict, is_utf_8, letters = codecs.getincrementaldecoder("utf-8")(), True, b""
    while block:
        if b"\0" in block:
            raise _not_a_table()
        try:
            strict.decode(block)
        except UnicodeDecodeError:
            is_utf_8 = False
        if len(letters) < SAMPLE_BYTES:
            letters += b" ".join(_LETTERS.findall(block)) + b" "
        block = file.read(BLOCK)
    return "utf-8" if is_utf_8 else _code_page(letters[:SAMPLE_BYTES])


def _unmarked_utf_16(block: bytes) -> str:
    """Zero bytes at one side of the pairs only, and no signs that no text has; otherwise it is no text."""
    for name, zero_side, other_side in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        if 0 in block[zero_side::2] and 0 not in block[other_side::2]:
            text = block.decode(name, "ignore")
            if not _CONTROL.search(text):
                return name
    raise _not_a_table()


def _code_page(letters: bytes) -> str:
    text = decode(letters).text
    return next((page for page in CODE_PAGES if decode(letters, page).text == text), CODE_PAGES[0])


def _not_a_table() -> RefusedError:
    return RefusedError(_("This file is not a table. Export the list as CSV or XLSX and upload that."))


def _lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, errors="replace", newline="")
    try:
        while line := text.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE or "\0" in line:
                raise _not_a_table()
            yield line
    finally:
        if not file.closed:
            text.detach()  # the file belongs to the caller, who may read it again


def _delimiter(file: BinaryIO, encoding: str) -> str:
    """The sign that cuts the first lines into the most columns, and into as many in each."""
    lines = list(islice(_lines(file, encoding), 20))

    def evenness(sign: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=sign) if row]
        usual = max(set(widths), key=widths.count) if widths else 0
        return (widths.count(usual) if usual > 1 else 0, usual)

    try:
        return max(DELIMITERS, key=evenness)
    except csv.Error as error:
        raise _broken_quotes(1) from error


def _csv_rows(file: BinaryIO, layout: Layout) -> Iterator[Row]:
    reader = csv.reader(_lines(file, layout.encoding), delimiter=layout.delimiter)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken_quotes(number) from error
        yield number, [cell.strip() for cell in cells[: MAX_COLUMNS + 1]]


def _broken_quotes(number: int) -> RefusedError:
    return RefusedError(
        _("A quotation mark that opens in row %(row)s is never closed. Correct that row and upload again.")
        % {"row": number}
    )


def _header(found: list[Row]) -> tuple[int, list[str]]:
    """The first row with two names in it: a title above the table is not the line of names."""
    at = next((row for row in found if sum(map(bool, row[1])) > 1), found[0] if found else None)
    if at is None:
        raise RefusedError(_("The file is empty. Export the table again, with its line of column names."))
    number, header = at
    if len(header) > MAX_COLUMNS:
        raise RefusedError(
            _("The table has more than %(columns)s columns. Keep those to be imported and upload again.")
            % {"columns": MAX_COLUMNS}
        )
    if found[-1][0] == number:
        raise RefusedError(_("There are no rows under the column names. Export the table with its rows."))
    return number, [name[:80] for name in header]
