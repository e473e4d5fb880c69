"""Files of every kind: those that clinics export, and those that are broken, each with its sentence."""

import io
import tracemalloc
import zipfile

import pytest

from clinic_journey.importing import limits, reading
from clinic_journey.importing.reading import look, rows
from patients.actions import RefusedError
from tests.clinic_journey.importing.files import DANA, HEADER, csv_file, xlsx_file

HEBREW = (
    ("שם פרטי", "שם משפחה", "טלפון"),
    ("דנה", "לוי", "050-2345678"),
    ("יוסי – האב", 'כהן "ג\'וני"', "03-5550142"),
)
RUSSIAN = (("Имя", "Фамилия", "Телефон"), ("Ольга", "Кузнецова", "050-2345678"), ("Анна", "Соколова", ""))
ARABIC = (
    ("الاسم", "العائلة", "هاتف"),
    ("محمد", "منصور", "050-2345678"),
    ("فاطمة", "حداد", ""),
    ("أحمد", "خطيب", ""),
)


def table(content: bytes) -> list[list[str]]:
    file = io.BytesIO(content)
    return [cells for _number, cells in rows(file, look(file).layout)]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", HEBREW), ("utf-8-sig", HEBREW), ("utf-16", HEBREW), ("cp1255", HEBREW), ("utf-16-le", RUSSIAN),
        ("cp1251", RUSSIAN), ("utf-8", RUSSIAN), ("cp1256", ARABIC), ("utf-16", ARABIC), ("utf-8", ARABIC),
    ],
)  # fmt: skip
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encoding_and_delimiter_are_found(
    encoding: str, text: tuple[tuple[str, ...], ...], delimiter: str
) -> None:
    assert table(csv_file(*text, delimiter=delimiter, encoding=encoding)) == [list(row) for row in text]


def test_a_code_page_is_found_among_many_latin_cells() -> None:
    wide = [(*row, "someone@mail.example", "A1 file", "1991-05-04", "yes") for row in ARABIC]
    assert table(csv_file(*wide, encoding="cp1256")) == [list(row) for row in wide]


def test_xlsx_holds_dates_times_and_numbers_as_typed() -> None:
    from datetime import date, datetime, time  # noqa: PLC0415 - slow import

    content = xlsx_file(
        ("Name", "Born", "At", "Start", "Phone", "Half"),
        ("Dana", date(1991, 5, 4), time(14, 30), datetime(2026, 12, 4, 9, 5), 502345678, 1.5),  # noqa: DTZ001
    )
    assert table(content)[1] == ["Dana", "1991-05-04", "14:30", "2026-12-04 09:05", "502345678", "1.5"]


def test_a_title_above_the_table_is_no_header() -> None:
    seen = look(io.BytesIO(csv_file(("Patients of Alon Clinic",), (), HEADER, DANA)))
    assert (seen.header, seen.header_row, seen.sample) == (list(HEADER), 3, [list(DANA)])


def test_what_a_file_is_called_does_not_matter() -> None:
    assert look(io.BytesIO(csv_file(HEADER, DANA))).header == list(HEADER)
    assert look(io.BytesIO(xlsx_file(HEADER, DANA))).header == list(HEADER)


def test_another_sheet_can_be_chosen() -> None:
    content = io.BytesIO(xlsx_file(HEADER, DANA, title="Cover", more="Second"))
    assert look(content).sheets == ("Cover", "Second")
    with pytest.raises(RefusedError, match="no rows under"):
        look(content, sheet="Second")


def zipped(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return out.getvalue()


BROKEN = {
    "empty": (b"", "empty"),
    "only blank lines": (b"\n\n  \n", "empty"),
    "header only": (csv_file(HEADER), "no rows under"),
    "header only, in a sheet": (xlsx_file(HEADER), "no rows under"),
    "NUL bytes": (csv_file(HEADER, DANA) + b"Yossi\0\0\0,Cohen", "not a table"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "not a table"),
    "PDF": (b"%PDF-1.7 ...", "PDF"),
    "old Excel or password": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel"),
    "a million columns": (b"a," * 1_000_000 + b"\n1,2\n", "not a table"),
    "a thousand columns": (b"a," * 1_000 + b"\n1,2\n", "more than 100 columns"),
    "a thousand columns in a sheet": (xlsx_file(["a"] * 1000, ["b"]), "more than 100 columns"),
    "a quote that never ends": (b'a,b\n1,"' + b"x,\n" * 100_000, "never closed"),
    "half an XLSX": (xlsx_file(HEADER, DANA)[:-900], "broken"),
    "a zip of something": (zipped(photo=b"x"), "not a table"),
    "a workbook of nonsense": (zipped(xl__workbook_xml=b"<not really"), "broken"),
    "a bomb": (zipped(xl__workbook_xml=b"<a/>", xl__sharedStrings_xml=b"0" * (limits.MAX_SHARED_TEXT + 1)), "unpacks"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        look(io.BytesIO(content))


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    assert len(table(csv_file(HEADER, DANA, DANA))) == 3
    with pytest.raises(RefusedError, match="more than 2 rows"):
        table(csv_file(HEADER, DANA, DANA, DANA))


def peak_of(content: bytes) -> int:
    file = io.BytesIO(content)
    tracemalloc.start()
    try:
        for _row in rows(file, look(file).layout):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file() -> None:
    line = csv_file(DANA)
    small, large = csv_file(HEADER) + line * 10_000, csv_file(HEADER) + line * 100_000
    assert peak_of(large) < 2 * peak_of(small)
