"""The worklist as one person sees it: what they put off apart, who is with whom, and what has changed meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from clinic_journey.models import AsideKind, DeskAction
from clinic_journey.outcomes import saved_words
from clinic_journey.worklist import ROLES, Row, worklist
from journeys.ledgers import SOON, promises_until
from journeys.models import StepKind
from patients.access import Here
from patients.models import Role
from patients.queries import key_in

SHOWN_LATER = 12
MOST = 100  # promises that are counted
SHOWN_FOR = timedelta(hours=12)  # no page is older than a working day


@dataclass(frozen=True)
class Queue:
    now: list[Row]
    later: list[Row]
    parked: list[Row]

    @property
    def everything(self) -> list[Row]:
        return [*self.now, *self.later, *self.parked]

    @property
    def next_hours(self) -> list[Row]:
        """Of what comes later today, as much as is shown."""
        return self.later[:SHOWN_LATER]

    @property
    def shown(self) -> list[Row]:
        return [*self.now, *self.next_hours, *self.parked]

    def first_free(self) -> Row | None:
        """The first that nobody else is with; where everybody is served, the first."""
        free = (row for row in self.now if not row.due.served_by)
        return next(free, self.now[0] if self.now else None)


def queue_of(here: Here, *, patient_id: int | None = None) -> Queue:
    found = worklist(here, patient_id=patient_id)
    groups: dict[str, list[Row]] = {"": [], AsideKind.SKIPPED: [], AsideKind.PARKED: []}
    for row in found.now:
        groups[row.due.aside or ""].append(row)
    return Queue([*groups[""], *groups[AsideKind.SKIPPED]], found.later, groups[AsideKind.PARKED])


@dataclass(frozen=True)
class DueSoon:
    """Promises of one person that come due within ten minutes: how many, and the first of them."""

    number: int
    at: datetime
    step: UUID

    @property
    def mark(self) -> str:
        """What a page that shows it says it knows."""
        return f"{self.step}.{self.number}"


def due_soon(here: Here) -> DueSoon | None:
    """Mine, and those that nobody of us who does this work has yet."""
    nobodys = Q(owner=None, owner_role__in=ROLES[Role(here.role)])
    promises = promises_until(here.clinic, here.now + SOON, now=here.now)
    mine = list(promises.filter(Q(owner=here.user) | nobodys).values_list("due_at", "public_id")[:MOST])
    at, step = mine[0] if mine else (None, None)
    return DueSoon(len(mine), at, step) if at and step else None


@dataclass(frozen=True)
class CallToday:
    """Patients whom the doctor asked to call today, and have not been called yet: how many, and the first."""

    number: int
    step: UUID

    @property
    def mark(self) -> str:
        return f"{self.step}.{self.number}"


def call_today(rows: Iterable[Row]) -> CallToday | None:
    """A call that a journey asks for, unlike one that is asked for by what a patient wrote."""
    found = [
        each.due.public_id
        for row in rows
        for each in [row, *row.others]
        if each.due.kind == StepKind.CALL and each.due.has_template
    ]
    return CallToday(len(found), found[0]) if found else None


def notices(here: Here, rows: Iterable[Row]) -> dict[str, Any]:
    """What is told beside the list; `due_mark`: which of it a page shows."""
    soon, calls = due_soon(here), call_today(rows)
    mark = "/".join(each.mark for each in (soon, calls) if each)
    return {"due_soon": soon, "call_today": calls, "due_mark": mark}


@dataclass(frozen=True)
class News:
    """What a page that shows `marks` does not know yet: how many are new, and words for the rows it shows."""

    new: int
    total: int
    said: dict[str, str]
    broken: Row | None = field(repr=False)  # a promise that has just been broken
    after: str  # the mark of the row it goes behind
    now: list[Row] = field(repr=False)

    @property
    def broken_rows(self) -> list[Row]:
        return [self.broken] if self.broken else []


def news_for(marks: Iterable[str], here: Here) -> News:
    """`marks` as the page has them, in their order; a "!" behind one: shown as a broken promise already."""
    queue = queue_of(here)
    given = [mark for mark in dict.fromkeys(marks) if mark]
    shown = [mark.removesuffix("!") for mark in given]
    known = {row.mark: row for row in queue.everything}
    gone = [mark for mark in shown if mark not in known]
    done = _done_by(gone, here)
    said = {mark: done.get(mark, _("done")) for mark in gone}
    said |= {mark: known[mark].served_words for mark in shown if mark in known}
    broken, after = _broken(queue.now, shown, {mark[:-1] for mark in given if mark.endswith("!")})
    new = sum(row.mark not in shown and row is not broken for row in queue.now)
    return News(new, len(queue.now), said, broken, after, queue.now)


def _broken(now: list[Row], shown: list[str], known_as_broken: set[str]) -> tuple[Row | None, str]:
    """The first broken promise the page does not know of, and behind which row it goes.

    It takes its place in the order, but never the first: that is where somebody is at work. All else that
    arrives waits until it is asked for.
    """
    for at, row in enumerate(now):
        if not row.is_broken_promise or row.mark in known_as_broken or row.mark in shown[:1]:
            continue
        standing = {each.mark for each in now} - {row.mark}
        first = next((mark for mark in shown if mark in standing), "")
        before = (each.mark for each in reversed(now[:at]) if each.mark in shown)
        if first:
            return row, next(before, first)
    return None, ""


def _done_by(marks: Iterable[str], here: Here) -> dict[str, str]:
    """Who saved what about the rows that have left the list."""
    patients = [key for mark in marks if mark[:1] == "p" and (key := key_in(mark[1:])) is not None]
    recent = DeskAction.objects.filter(
        clinic=here.clinic, patient__in=patients, undone_at__isnull=True, at__gt=here.now - SHOWN_FOR
    )
    return {
        f"p{action.patient_id}": saved_words(action)
        for action in recent.select_related("user").order_by("pk")
    }
