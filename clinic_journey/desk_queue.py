"""The worklist as one person sees it: what they put off apart, who is with whom, and what has changed meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from clinic_journey import desk
from clinic_journey.models import AsideKind, DeskAction
from clinic_journey.outcomes import saved_words
from clinic_journey.worklist import Row, worklist
from patients.access import Here

SHOWN_FOR = timedelta(hours=12)  # no page is older than a working day


@dataclass(frozen=True)
class Queue:
    now: list[Row]
    later: list[Row]
    parked: list[Row]
    with_doctor: int

    @property
    def everything(self) -> list[Row]:
        return [*self.now, *self.later, *self.parked]

    def first_free(self) -> Row | None:
        """The first that nobody else is with; where everybody is served, the first."""
        return next((row for row in self.now if not row.served_by), self.now[0] if self.now else None)


def queue_of(here: Here) -> Queue:
    found, aside, served = worklist(here), desk.aside_of(here), desk.served_by_others(here)
    for row in found.now + found.later:
        row.served_by = served.get(row.step.journey.patient_id or 0, "")
    groups: dict[str, list[Row]] = {"": [], AsideKind.SKIPPED: [], AsideKind.PARKED: []}
    for row in found.now:
        groups[aside.get(row.step.pk, "")].append(row)
    now = [*groups[""], *groups[AsideKind.SKIPPED]]
    return Queue(now, found.later, groups[AsideKind.PARKED], found.with_doctor)


@dataclass(frozen=True)
class News:
    """What a page that shows `marks` does not know yet: how many are new, and words for the rows it shows."""

    new: int
    total: int
    said: dict[str, str]


def news_for(marks: Iterable[str], here: Here) -> News:
    queue = queue_of(here)
    shown = [mark for mark in dict.fromkeys(marks) if mark]
    known = {row.mark: row for row in queue.everything}
    gone = [mark for mark in shown if mark not in known]
    done = _done_by(gone, here)
    said = {mark: done.get(mark, _("done")) for mark in gone}
    for mark in shown:
        if mark in known:
            other = known[mark].served_by
            said[mark] = _("%(who)s is here") % {"who": other} if other else ""
    new = sum(row.mark not in shown for row in queue.now)
    return News(new, len(queue.now), said)


def _done_by(marks: Iterable[str], here: Here) -> dict[str, str]:
    """Who saved what about the rows that have left the list."""
    patients = [int(mark[1:]) for mark in marks if mark[:1] == "p" and mark[1:].isdecimal()]
    recent = DeskAction.objects.filter(
        clinic=here.clinic, patient__in=patients, undone_at__isnull=True, at__gt=here.now - SHOWN_FOR
    )
    return {
        f"p{action.patient_id}": saved_words(action)
        for action in recent.select_related("user").order_by("pk")
    }
