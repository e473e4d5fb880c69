"""The stages of an import, chunk by chunk: read, check, write, undo. Any number of workers, killed at any time.

`reached` is the claim: a chunk's transaction begins by moving it from where the worker saw it, so of two
workers one moves it and the other finds it moved, and a killed worker's chunk was never there. `busy_until`
only keeps workers from trying in vain.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation

from clinic_journey.importing import reading, stages
from clinic_journey.importing.models import AT_WORK, Import, ImportRow, ImportStatus
from patients.actions import RefusedError, StaleStateError

CHUNK = 100  # rows in one transaction: the desk waits no longer than that on SQLite
READ_CHUNK = 1000
BUSY = timedelta(seconds=30)
Clock = Callable[[], datetime]
NEXT = {
    ImportStatus.READING: ImportStatus.CHECKING,
    ImportStatus.CHECKING: ImportStatus.CHECKED,
    ImportStatus.IMPORTING: ImportStatus.DONE,
    ImportStatus.UNDOING: ImportStatus.UNDONE,
}


def work(clock: Clock, *, lasts: timedelta, only: Import | None = None) -> int:
    """Go on with one import that nobody is at, for about as long as told. Returns how many rows that were."""
    run = claim(clock(), only=only)
    if run is None:
        return 0
    stop, done = clock() + lasts, 0
    with in_the_clinics_words(run):
        try:
            while run.status in AT_WORK and clock() < stop:
                done += advance(run, clock)
        except StaleStateError:  # another worker is further
            return done
    Import.objects.filter(pk=run.pk, status=run.status).update(busy_until=None)
    return done


@contextmanager
def in_the_clinics_words(run: Import) -> Iterator[None]:
    """What is refused here is read later, at the clinic: in its language and on its clock."""
    with translation.override(run.clinic.language), timezone.override(run.clinic.time_zone):
        yield


def claim(now: datetime, *, only: Import | None = None) -> Import | None:
    free = Import.objects.filter(Q(busy_until__isnull=True) | Q(busy_until__lt=now), status__in=AT_WORK)
    if only is not None:
        free = free.filter(pk=only.pk)
    run = free.select_related("clinic").order_by("status_at").first()
    if run is None:
        return None
    taken = free.filter(pk=run.pk, status=run.status, reached=run.reached).update(busy_until=now + BUSY)
    return run if taken else None


def advance(run: Import, clock: Clock) -> int:
    """One chunk of the present stage, or the step to the next stage. Returns how many rows it dealt with."""
    if run.status == ImportStatus.READING:
        return _read(run, clock)
    rows = list(run.rows.filter(number__gt=run.reached).order_by("number")[:CHUNK])
    now = clock()
    if not rows:
        enter(run, NEXT[ImportStatus(run.status)], now=now)
        return 0
    for row in rows:
        row.run = run
    prepared = stages.prepare(run, rows, now=now)
    with transaction.atomic():
        reach(run, rows[-1].number, now=now)
        stages.carry_out(run, rows, prepared, now=now)
    run.reached = rows[-1].number
    return len(rows)


def reach(run: Import, number: int, *, now: datetime) -> None:
    """Move the mark from where this worker saw it; whoever comes second waits here, and then gives up."""
    moved = Import.objects.filter(pk=run.pk, status=run.status, reached=run.reached).update(
        reached=number, busy_until=now + BUSY
    )
    if not moved:
        raise StaleStateError


def enter(run: Import, status: ImportStatus, *, now: datetime, **written: object) -> None:
    """The step from one stage to the next, which begins at the first row again."""
    moved = Import.objects.filter(pk=run.pk, status=run.status, reached=run.reached).update(
        status=status, status_at=now, reached=0, busy_until=None, **written
    )
    if not moved:
        raise StaleStateError
    run.status, run.status_at, run.reached = status, now, 0


def _read(run: Import, clock: Clock) -> int:
    """Store the rows of the file from where reading had come to, to the end: a file has no middle to seek."""
    layout = reading.Layout(run.encoding, run.delimiter, run.sheet)
    stored = 0
    try:
        with run.opened() as file:
            after = max(run.reached, run.header_row)
            rest = (row for row in reading.rows(file, layout) if row[0] > after)
            while chunk := list(islice(rest, READ_CHUNK)):
                with transaction.atomic():
                    reach(run, chunk[-1][0], now=clock())
                    ImportRow.objects.bulk_create(
                        ImportRow(run=run, number=number, cells=cells) for number, cells in chunk
                    )
                run.reached = chunk[-1][0]
                stored += len(chunk)
    except RefusedError as refusal:
        if isinstance(refusal, StaleStateError):
            raise
        enter(run, ImportStatus.FAILED, now=clock(), trouble=str(refusal)[:300])
        return stored
    enter(run, ImportStatus.CHECKING, now=clock(), total=run.rows.count())
    return stored
