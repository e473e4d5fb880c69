"""Deadlines in a clinic's working time, also where nobody has said yet when the clinic opens.

Whoever starts something is asked to set the hours first. What is going on already never stops for it: a tick, a
cancelled visit or an arrived result counts in calendar time then, so that every obligation has its deadline.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from journeys import deadlines
from journeys.deadlines import Limit, Unit
from patients.actions import RefusedError
from patients.models import Clinic
from patients.queries import opening_hours
from patients.windows import Hours

ANY_TIME = Limit(1, Unit.SAME_DAY)
WITHOUT_HOURS = {
    Unit.WORKING_HOURS: timedelta(hours=1),
    Unit.WORKING_DAYS: timedelta(days=1),
    Unit.SAME_DAY: timedelta(days=1),
    Unit.DAYS: timedelta(days=1),
    Unit.MONTHS: timedelta(days=30),
}


def due_within(limit: Limit, opening: Hours, *, now: datetime) -> datetime:
    """By when, in these opening hours; in calendar time where there are none."""
    try:
        return deadlines.due_at(now, limit, opening)
    except deadlines.NoWorkingTime:
        return now + WITHOUT_HOURS[limit.unit] * limit.amount


def soon(clinic: Clinic, limit: Limit, *, now: datetime) -> datetime:
    return due_within(limit, opening_hours(clinic, now=now), now=now)


def refuse_without_hours(clinic: Clinic, *, now: datetime) -> None:
    """A person is about to start something that the clinic could not give a date for."""
    try:
        deadlines.due_at(now, ANY_TIME, opening_hours(clinic, now=now))
    except deadlines.NoWorkingTime as error:
        raise RefusedError(
            _(
                "This clinic has no opening hours yet, so nothing can get a date. "
                "Set them in the settings, under the clinic; then do this again."
            )
        ) from error
