"""Silent patients by what WE always did alike, and how many: as it is now, since a silence has no history.

A few are looked at by the page itself. Of more the clockwork counts all, some at a time, so that neither the page nor
its memory grows with them; the page says then as of when.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from clinic_journey.reports.numbers_models import SilentCount
from clinic_journey.silent import CAUSE_WORDS, NO_CAUSE, NO_CAUSE_YET
from outreach.models import OutreachTask
from outreach.silence import Cause
from outreach.silent import LONGEST_DUE, Silence, read_silences, silences_in, silent_in
from patients.access import Here
from patients.models import Clinic
from patients.queries import beyond

MOST = 60  # looked at by the page itself
BATCH = 200
ORDER: list[Cause | None] = [*Cause, None]  # in which causes are looked for


@dataclass(frozen=True)
class Silent:
    causes: list[tuple[str, int, str]]  # words, how many, and as an address names it
    is_all: bool
    counted_at: datetime | None = None  # empty: as it is now

    @property
    def people(self) -> int:
        return sum(number for _words, number, _cause in self.causes)


def silent_by_cause(here: Here) -> Silent:
    """All of them; where there are many and no night has counted them yet, those who have been silent longest."""
    tasks = silent_in(here.clinic)
    is_all = len(tasks.values_list("pk")[: MOST + 1]) <= MOST
    if not is_all and (counted := _counted(here.clinic)):
        return counted
    return Silent(_named(_causes(silences_in(tasks[:MOST], now=here.now))), is_all)


def _counted(clinic: Clinic) -> Silent | None:
    rows = list(SilentCount.objects.filter(clinic=clinic))
    counts = Counter({Cause(row.cause) if row.cause else None: row.people for row in rows})
    return Silent(_named(counts), is_all=True, counted_at=rows[0].counted_at) if rows else None


def _causes(silences: Iterable[Silence]) -> Counter[Cause | None]:
    return Counter(each.cause for each in silences if each.is_silent)


def _named(counts: Counter[Cause | None]) -> list[tuple[str, int, str]]:
    named = [
        (str(CAUSE_WORDS[cause] if cause else NO_CAUSE), counts[cause], cause or NO_CAUSE_YET)
        for cause in ORDER
    ]
    return [each for each in named if each[1]]


def count_silent(clinic: Clinic, *, now: datetime) -> int:
    """All of a clinic, some at a time, and their numbers instead of the last ones; how many are silent."""
    counts: Counter[Cause | None] = Counter()
    last: OutreachTask | None = None
    while True:
        tasks = list(beyond(silent_in(clinic), last, *LONGEST_DUE)[:BATCH])
        counts += _causes(read_silences(tasks, now=now))
        if len(tasks) < BATCH:
            break
        last = tasks[-1]
    with transaction.atomic():  # two workers at once wait for each other
        Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        SilentCount.objects.filter(clinic=clinic).delete()
        SilentCount.objects.bulk_create(
            SilentCount(clinic=clinic, cause=cause or "", people=counts[cause], counted_at=now)
            for cause in ORDER
        )
    return counts.total()
