"""What people do with an import: upload, choose columns, decide about problems, start, undo."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic_journey.importing.columns import guess_columns, guess_date_order, missing_columns
from clinic_journey.importing.models import (
    MAY_GO,
    MAY_MAP,
    Import,
    ImportProblem,
    ImportRow,
    ImportStatus,
)
from clinic_journey.importing.reading import Look, look
from clinic_journey.importing.words import may_be_left_empty
from patients.actions import RefusedError, StaleStateError
from patients.models import Clinic


@dataclass(frozen=True)
class Upload:
    """A file as it came."""

    kind: str
    name: str
    file: BinaryIO
    size: int


def upload(clinic: Clinic, given: Upload, *, now: datetime, by: User | None) -> Import:
    """Look at the file, refuse it in words if it is none of ours, else keep it with the columns guessed."""
    if given.size > settings.MAX_ATTACHMENT_BYTES:
        raise RefusedError(
            _("The file is larger than %(size)s MB. Divide it and import the parts one after another.")
            % {"size": settings.MAX_ATTACHMENT_BYTES // 2**20}
        )
    seen = look(given.file)
    run = Import(
        clinic=clinic, kind=given.kind, name=given.name[:200], status_at=now, made_at=now, made_by=by
    )
    _lay_out(run, seen)
    given.file.seek(0)
    run.file = File(given.file, name=given.name)
    run.save(force_insert=True)
    return run


def _lay_out(run: Import, seen: Look) -> None:
    """How the file is read, and its columns: as chosen for the same header before, else by their names."""
    run.encoding, run.delimiter, run.sheet = seen.layout.encoding, seen.layout.delimiter, seen.layout.sheet
    run.header, run.header_row = seen.header, seen.header_row
    run.header_digest = sha256("\x1f".join(seen.header).encode()).hexdigest()
    before = (
        Import.objects.filter(clinic=run.clinic, kind=run.kind, header_digest=run.header_digest)
        .exclude(status=ImportStatus.MAPPING)
        .order_by("-made_at", "-pk")
        .first()
    )
    run.columns = before.columns if before else guess_columns(run.kind, seen.header)
    run.date_order = before.date_order if before else guess_date_order(run.columns, seen.sample)


def choose_sheet(run: Import, sheet: str) -> None:
    """Another sheet of the workbook has another header; nothing was read of it yet."""
    with run.opened() as file:
        seen = look(file, sheet=sheet)
    _lay_out(run, seen)
    named = [
        "encoding",
        "delimiter",
        "sheet",
        "header",
        "header_row",
        "header_digest",
        "columns",
        "date_order",
    ]
    values = {name: getattr(run, name) for name in named}
    if not Import.objects.filter(pk=run.pk, status=ImportStatus.MAPPING).update(**values):
        raise StaleStateError(_("This import has gone on meanwhile."))


@transaction.atomic
def choose_columns(run: Import, columns: Sequence[str], date_order: str, *, now: datetime) -> None:
    """Keep the choice and have the rows read and checked by it, also anew."""
    missing = missing_columns(run.kind, columns)
    if missing:
        raise RefusedError(" ".join(missing))
    moved = Import.objects.filter(pk=run.pk, status__in=MAY_MAP).update(
        columns=list(columns),
        date_order=date_order,
        left_empty=[],
        status=ImportStatus.READING,
        status_at=now,
        reached=0,
        total=0,
    )
    if not moved:
        raise StaleStateError(_("This import has gone on meanwhile."))
    drop_rows(run)


def drop_rows(run: Import) -> None:
    """In pieces, since Django reads what it deletes: memory stays bounded whatever the file."""
    ImportProblem.objects.filter(run=run).delete()
    while some := list(run.rows.values_list("pk", flat=True)[:1000]):
        ImportRow.objects.filter(pk__in=some).delete()


def decide(run: Import, codes: Sequence[str]) -> None:
    """The problems whose rows are imported without the field; rows with any other problem are left out."""
    known = set(run.problems.values_list("code", flat=True).distinct())
    chosen = [code for code in codes if code in known and may_be_left_empty(code, run.kind)]
    if not Import.objects.filter(pk=run.pk, status=ImportStatus.CHECKED).update(left_empty=chosen):
        raise StaleStateError(_("This import has gone on meanwhile."))
    run.left_empty = chosen


def start(run: Import, *, now: datetime) -> None:
    _enter_alone(run, ImportStatus.CHECKED, ImportStatus.IMPORTING, now=now)


def undo(run: Import, *, now: datetime) -> None:
    _enter_alone(run, ImportStatus.DONE, ImportStatus.UNDOING, now=now)


def _enter_alone(run: Import, source: ImportStatus, target: ImportStatus, *, now: datetime) -> None:
    """Of a clinic's imports one writes at a time: two at once could make one person twice."""
    try:
        with transaction.atomic():
            moved = Import.objects.filter(pk=run.pk, status=source, forgotten_at__isnull=True).update(
                status=target, status_at=now, reached=0, busy_until=None
            )
    except IntegrityError as clash:
        raise RefusedError(
            _("Another import of this clinic is being written just now. Start this one when it has ended.")
        ) from clash
    if not moved:
        raise StaleStateError(_("This import has gone on meanwhile."))
    run.status, run.status_at, run.reached = target, now, 0


def throw_away(run: Import) -> None:
    """Remove an import of which nothing is written, or nothing any more; its file goes with it."""
    with transaction.atomic():
        locked = Import.objects.select_for_update().filter(pk=run.pk, status__in=MAY_GO).first()
        if locked is None:
            raise StaleStateError(_("This import has gone on meanwhile."))
        drop_rows(locked)
        locked.delete()
    run.file.delete(save=False)
