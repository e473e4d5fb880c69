"""Visits that lost their hours: the doctor is away, or a day was closed, after they were made.

Nothing is cancelled by itself. Each stays as it is, asks the desk to move it, and its patient is told. The
condition is read from the calendar, so whatever closed a cell, the next look finds the visit in it.
"""

import logging
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from appointments import queries
from appointments.models import Appointment, AppointmentStatus
from appointments.ties import REBOOK_WITHIN, give_journey
from appointments.visits import spoken
from journeys.actions import AdHoc, add_step, lock_journey
from journeys.clinic_time import soon
from journeys.models import OPEN_JOURNEYS, StepKind

logger = logging.getLogger(__name__)


def ask_to_move_all(visits: QuerySet[Appointment], *, now: datetime, by: User | None = None) -> int:
    """A step for the desk for each of these visits that stands outside the hours. Returns how many are new."""
    keys = list(queries.outside_hours(visits, now=now).values_list("pk", flat=True))
    return sum(_ask_to_move(pk, now=now, by=by) for pk in keys)


def _ask_to_move(pk: int, *, now: datetime, by: User | None) -> bool:
    """One visit that fails stops no other; the next look tries it again."""
    try:
        with transaction.atomic():
            return ask_to_move(queries.locked(pk), now=now, by=by)
    except Exception:
        logger.exception("Nobody was asked to move visit %s; the next look tries it again.", pk)
        return False


def ask_to_move(visit: Appointment, *, now: datetime, by: User | None = None) -> bool:
    """False where somebody is asked already, or nothing is certain yet that could be lost. Inside atomic()."""
    if visit.status == AppointmentStatus.BOOKED and visit.step is None:
        give_journey(visit, now=now, by=by)
    about = visit.step or visit.awaits
    if about is None:  # a time kept for minutes while somebody books
        return False
    journey = lock_journey(about.journey_id)
    if journey.status not in OPEN_JOURNEYS or queries.steps_to_move(about.pk).exists():
        return False
    due_at = soon(journey.clinic, REBOOK_WITHIN, now=now)

    def title() -> str:
        return _("Move the visit of %(time)s: %(doctor)s does not receive then") % {
            "time": spoken(visit.start, visit.practitioner),
            "doctor": visit.practitioner.name,
        }

    asked = AdHoc(StepKind.BOOK, title, min(due_at, visit.start), message_key="visit_to_move", about=about)
    add_step(journey, asked, now=now, by=by)
    return True
