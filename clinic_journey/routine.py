"""The day of a desk: what to look at first, the two minutes of today, what to leave in order before closing (S2.11).

What is open is counted as it is; what else belongs to a morning or an evening a manager writes, a line for each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic_journey.card_rates import coming_without_card
from clinic_journey.handover import waiting_handovers
from clinic_journey.models import Moment, RoutineWords
from clinic_journey.reports.digest import calls_today, end_of_day
from clinic_journey.reports.local_days import local_day
from clinic_journey.reports.parts import part
from clinic_journey.reports.standards import standards_of
from clinic_journey.reports.standards_models import Standard
from journeys.ledgers import promises_until
from journeys.models import OwnerRole, Step, StepStatus
from outreach.conversations import waiting_in
from patients.access import Here
from patients.models import Clinic

LISTED = 100  # a count ends at 99+
NOON = 12
LONGEST = 1000


@dataclass(frozen=True)
class Look:
    """One thing to look at, and where. `number` is None where it cannot be counted."""

    words: str | Promise
    address: str
    number: int | None


@dataclass(frozen=True)
class Half:
    """The morning or the evening of a day."""

    moment: str
    title: str | Promise
    looks: list[Look]
    own: list[str]  # the clinic's lines


Rows = Callable[[Here], QuerySet[Any, Any]]
OPENING: list[tuple[str | Promise, str, Rows]] = [
    (
        _("Shifts to take over"),
        "handover",
        lambda here: waiting_handovers(here.clinic).exclude(by=here.user),
    ),
    (_("The doctor asked: call today"), "today", lambda here: calls_today(here.clinic)),
    (
        _("Promises that come due today"),
        "today",
        lambda here: promises_until(here.clinic, end_of_day(here.clinic, now=here.now), now=here.now),
    ),
    (_("Already late"), "today", lambda here: desks(here).filter(due_at__lte=here.now)),
    (
        _("Come today or tomorrow without a service card"),
        "patients:cards",
        lambda here: coming_without_card(here.clinic, after="", now=here.now),
    ),
]
CLOSING: list[tuple[str | Promise, str, Rows]] = [
    (
        _("Due today, and not done"),
        "today",
        lambda here: desks(here).filter(due_at__lte=end_of_day(here.clinic, now=here.now)),
    ),
    (_("Patients who wrote and wait for an answer"), "inbox", lambda here: waiting_in(here.clinic)),
]


def desks(here: Here) -> QuerySet[Step]:
    """Open steps of the desk, whoever has them."""
    return Step.objects.filter(
        clinic=here.clinic, status=StepStatus.ACTIVE, owner_role=OwnerRole.RECEPTIONIST
    )


def day_of(here: Here) -> list[Half]:
    """Both halves, the one that is now first; a count that fails blanks no other."""
    words = dict(RoutineWords.objects.filter(clinic=here.clinic).values_list("moment", "words"))
    halves = [
        Half(moment, moment.label, _looks(listed, here), lines(words.get(moment, "")))
        for moment, listed in ((Moment.OPENING, OPENING), (Moment.CLOSING, CLOSING))
    ]
    is_morning = here.now.astimezone(ZoneInfo(here.clinic.time_zone)).hour < NOON
    return halves if is_morning else halves[::-1]


def _looks(listed: list[tuple[str | Promise, str, Rows]], here: Here) -> list[Look]:
    return [Look(words, reverse(name), _number(rows, here)) for words, name, rows in listed]


def _number(rows: Rows, here: Here) -> int | None:
    return part(lambda: len(rows(here).values_list("pk")[:LISTED]))


def lines(words: str) -> list[str]:
    return [line.strip() for line in words.splitlines() if line.strip()]


def two_minutes(here: Here) -> Standard | None:
    """One standard a day in turn, of those that are counted and have words for it."""
    listed = [each for each in standards_of(here.clinic).filter(is_on=True) if each.routine]
    if not listed:
        return None
    return listed[local_day(here.now, here.clinic.time_zone).toordinal() % len(listed)]


@transaction.atomic
def write_routine(clinic: Clinic, moment: str, words: str, *, now: datetime) -> None:
    """A line for each thing; without any only what is counted stands there."""
    kept = "\n".join(lines(words))[:LONGEST]
    rows = RoutineWords.objects.filter(clinic=clinic, moment=moment)
    if not kept:
        rows.delete()
        return
    RoutineWords.objects.update_or_create(
        clinic=clinic, moment=moment, defaults={"words": kept, "written_at": now}
    )
