"""Files as clinics have them, and the whole way of an import in one call."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from openpyxl import Workbook

from clinic_journey.importing import actions
from clinic_journey.importing.models import AT_WORK, Import, ImportKind
from clinic_journey.importing.work import work
from patients.models import Clinic
from tests.conftest import NOW

HEADER = ("First name", "Family name", "Mobile", "E-mail", "Date of birth", "ID number")
DANA = ("Dana", "Levi", "050-234-5678", "dana@mail.example", "4.5.1991", "123456782")
YOSSI = ("Yossi", "Cohen", "052-345-6789", "", "17.11.1958", "")


def csv_file(*rows: Sequence[str], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def xlsx_file(*rows: Sequence[Any], title: str = "Sheet1", more: str = "") -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    if more:
        book.create_sheet(more).append(["Nothing", "here"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def uploaded(clinic: Clinic, content: bytes, kind: str = ImportKind.PATIENTS, **more: Any) -> Import:
    given = actions.Upload(kind, more.pop("name", "list.csv"), io.BytesIO(content), len(content))
    return actions.upload(clinic, given, now=NOW, by=None, **more)


def until_idle(run: Import, *, now: datetime = NOW) -> Import:
    """Work as the ticks do, until there is nothing to do."""
    run.refresh_from_db()
    while run.status in AT_WORK:
        assert work(lambda: now, lasts=timedelta(hours=1), only=run) or True
        run.refresh_from_db()
    return run


def checked(
    clinic: Clinic, content: bytes, kind: str = ImportKind.PATIENTS, *, now: datetime = NOW
) -> Import:
    run = uploaded(clinic, content, kind)
    actions.choose_columns(run, run.columns, run.date_order, now=now)
    return until_idle(run, now=now)


def imported(
    clinic: Clinic, content: bytes, kind: str = ImportKind.PATIENTS, *, now: datetime = NOW, **decided: Any
) -> Import:
    run = checked(clinic, content, kind, now=now)
    actions.decide(run, decided.get("left_empty", []))
    actions.start(run, now=now)
    return until_idle(run, now=now)


def undone(run: Import, *, now: datetime = NOW) -> Import:
    actions.undo(run, now=now)
    return until_idle(run, now=now)


def states(run: Import) -> list[str]:
    return list(run.rows.order_by("number").values_list("state", flat=True))


def problems(run: Import) -> list[tuple[int, str]]:
    return list(run.problems.order_by("row__number", "id").values_list("row__number", "code"))
