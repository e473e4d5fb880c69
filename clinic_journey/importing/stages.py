"""What each stage does with a chunk of rows: read and matched before its transaction, written inside it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from clinic_journey.importing.faults import Fault, Terms
from clinic_journey.importing.models import (
    Import,
    ImportKind,
    ImportProblem,
    ImportRow,
    ImportStatus,
    RowState,
)
from clinic_journey.importing.people import Record, Register, read_person
from clinic_journey.importing.register import write_person
from clinic_journey.importing.undo import take_back
from clinic_journey.importing.visits import Wish, check_visit, doctors_of, read_visit, write_visit
from patients.actions import RefusedError

logger = logging.getLogger(__name__)
WRITTEN = ["state", "identity", "patient", "appointment", "wrote", "differs", "note"]
SHOWN = 200  # signs of what was found
UNDOABLE = (RowState.MADE, RowState.FILLED)


@dataclass(frozen=True)
class Read:
    """A row's meaning and what is wrong with it."""

    meaning: Record | Wish
    faults: list[Fault]

    @property
    def who(self) -> Record:
        return self.meaning.who if isinstance(self.meaning, Wish) else self.meaning


def terms_of(run: Import, *, now: datetime) -> Terms:
    today = now.astimezone(ZoneInfo(run.clinic.time_zone)).date()
    return Terms(run.clinic, run.date_order, today)


def prepare(run: Import, rows: Sequence[ImportRow], *, now: datetime) -> list[Read]:
    """Read the cells of the rows; undoing needs none of it."""
    if run.status == ImportStatus.UNDOING:
        return []
    terms = terms_of(run, now=now)
    doctors = doctors_of(run.clinic) if run.kind == ImportKind.APPOINTMENTS else []
    found = []
    for row in rows:
        cells = {name: text for name, text in zip(run.columns, row.cells, strict=False) if name and text}
        if run.kind == ImportKind.APPOINTMENTS:
            found.append(Read(*read_visit(cells, terms, doctors)))
        else:
            found.append(Read(*read_person(cells, terms)))
    return found


def carry_out(run: Import, rows: Sequence[ImportRow], read: Sequence[Read], *, now: datetime) -> None:
    """Inside the chunk's transaction: the outcome of each row, written at once at the end."""
    if run.status == ImportStatus.CHECKING:
        _check(run, rows, read, now=now)
    elif run.status == ImportStatus.IMPORTING:
        _import(run, rows, read, now=now)
    else:
        for row in rows:
            if row.state in UNDOABLE:
                take_back(row)
    # An upsert of the whole rows: `bulk_update` builds a CASE for each field and row, which takes Django a second.
    ImportRow.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=WRITTEN)


def _check(run: Import, rows: Sequence[ImportRow], read: Sequence[Read], *, now: datetime) -> None:
    register = Register(run.clinic, [each.who for each in read], run_id=run.pk)
    first = _first_numbers(run, rows, [each.meaning.identity for each in read])
    problems = []
    for row, each in zip(rows, read, strict=True):
        row.identity, row.patient, row.note, row.wrote = each.meaning.identity, None, "", {}
        faults = [*each.faults, *_beside(row, each, register, now=now)]
        earlier = first.setdefault(row.identity, row.number)
        if earlier < row.number and not each.faults:
            faults.append(Fault("repeated", "", each.who.full_name[:SHOWN], str(earlier)))
        if len(row.cells) > len(run.columns) and any(row.cells[len(run.columns) :]):
            faults.append(Fault("too_many_cells", "", " · ".join(row.cells)))
        row.state = RowState.WRONG if faults else RowState.READY
        problems += [
            ImportProblem(
                run=run, row=row, code=f.code, field=f.field, found=f.found[:SHOWN], detail=f.detail
            )
            for f in faults
        ]
    ImportProblem.objects.bulk_create(problems)


def _beside(row: ImportRow, read: Read, register: Register, *, now: datetime) -> list[Fault]:
    """What is wrong with a row beside what we have already."""
    if isinstance(read.meaning, Wish):
        is_whole = all(fault.code == "minutes_wrong" for fault in read.faults)  # the usual length stands in
        return check_visit(row, read.meaning, register, now=now) if is_whole else []
    match = register.find(read.meaning)
    row.patient = match.patient
    if match.doubtful:
        others = ", ".join(patient.full_name for patient in match.doubtful)
        return [Fault("perhaps_known", "given_name", read.who.full_name, others[:SHOWN])]
    return []


def _first_numbers(run: Import, rows: Sequence[ImportRow], identities: list[str]) -> dict[str, int]:
    """In which row of the file each of these was met first, before this chunk."""
    before = run.rows.filter(number__lt=rows[0].number, identity__in=identities).order_by("-number")
    return dict(before.values_list("identity", "number"))


def _import(run: Import, rows: Sequence[ImportRow], read: Sequence[Read], *, now: datetime) -> None:
    register = Register(run.clinic, [each.who for each in read], run_id=run.pk)
    unsolved = set(
        ImportProblem.objects.filter(row__in=rows)
        .exclude(code__in=run.left_empty)
        .values_list("row", flat=True)
    )
    for row, each in zip(rows, read, strict=True):
        if row.pk in unsolved:
            row.state = RowState.REFUSED
            continue
        try:
            with transaction.atomic():
                _write(row, each.meaning, register, now=now)
        except RefusedError as refusal:
            _refuse(row, str(refusal))
        except (OperationalError, InterfaceError):
            raise  # the database is away: the chunk is tried again
        except Exception:
            logger.exception("Row %s of import %s could not be written.", row.number, run.pk)
            _refuse(row, _("Something went wrong with this row. It is in the log of the server."))


def _write(row: ImportRow, meaning: Record | Wish, register: Register, *, now: datetime) -> None:
    if isinstance(meaning, Wish):
        write_visit(row, meaning, register, now=now)
    else:
        write_person(row, meaning, register, now=now)


def _refuse(row: ImportRow, words: str) -> None:
    row.state, row.note, row.wrote = RowState.REFUSED, words[:400], {}
    row.patient = row.appointment = None
