"""Other people's tables do not stay: file and rows go when nothing can be undone any more, the counts remain.

What was never written goes wholly. Of the rows only digests stay (KnownAs), by which a second run finds its patients.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Count

from clinic_journey.importing.actions import drop_rows, throw_away
from clinic_journey.importing.models import ENDED, KEPT_FOR, MAY_GO, Import
from patients.actions import StaleStateError


def forget_imports(now: datetime) -> int:
    """Those whose time is over, and those that an interruption left half forgotten. Returns how many."""
    old = Import.objects.filter(status_at__lte=now - KEPT_FOR)
    due = [
        *old.filter(status__in=MAY_GO).exclude(status__in=ENDED),
        *old.filter(status__in=ENDED).exclude(forgotten_at__isnull=False, file=""),
    ]
    for run in due:
        if run.status in ENDED:
            _forget(run, now=now)
        else:
            _throw_away(run)
    return len(due)


def _throw_away(run: Import) -> None:
    try:
        throw_away(run)
    except StaleStateError:  # somebody has taken it up again
        return


def _forget(run: Import, *, now: datetime) -> None:
    """First the mark, which no undoing passes; then the rows and the file, again after an interruption."""
    with transaction.atomic():
        marked = Import.objects.filter(pk=run.pk, status=run.status, forgotten_at__isnull=True)
        if marked.update(forgotten_at=now):
            by_state = dict(run.rows.order_by().values_list("state").annotate(Count("pk")))
            Import.objects.filter(pk=run.pk).update(counts=by_state)
    if not Import.objects.filter(pk=run.pk, forgotten_at__isnull=False).exists():
        return  # an undoing was quicker
    drop_rows(run)
    run.file.delete(save=False)
    Import.objects.filter(pk=run.pk).update(file="")
