"""Who stands behind a number: one list for all of them, each paged by key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic_journey.reports.digest import calls_today, end_of_day
from clinic_journey.reports.money import waiting_journeys
from clinic_journey.reports.numbers import beyond_the_limit, called_unchanged, last_days, nothing_planned
from clinic_journey.reports.numbers_events import CAME, first_contacts, holds_over
from journeys.ledgers import promises_until
from outreach.queries import outcome_words, why_words
from patients.access import Here
from patients.models import Patient
from patients.queries import beyond, key_in

PAGE = 25


@dataclass(frozen=True)
class Line:
    patient: Patient | None
    at: datetime | None
    words: str


@dataclass(frozen=True)
class Listed:
    """One list: its rows in their order, and what is said of each."""

    title: str | Promise
    none: str | Promise
    rows: Callable[[Here], QuerySet[Any]]
    order: tuple[str, str]
    line: Callable[[Any], Line]


def _not_returned(here: Here) -> QuerySet[Any]:
    lately, _before = last_days(here.clinic, now=here.now)
    rows = first_contacts(here.clinic, lately).filter(returned=False)
    return rows.select_related("patient").order_by("-called_at", "-pk")


def _holds_lost(here: Here) -> QuerySet[Any]:
    lately, _before = last_days(here.clinic, now=here.now)
    rows = holds_over(here.clinic, lately).exclude(status__in=CAME)
    return rows.select_related("patient").order_by("-start", "-pk")


def _journeys(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("patient", "template")


def _steps(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("journey__patient", "template_step")


LISTS: dict[str, Listed] = {
    "returned": Listed(
        _("Invited, and not here within 15 days"),
        _("Everybody we invited came within 15 days."),
        _not_returned,
        ("-called_at", "-pk"),
        lambda row: Line(row.patient, row.called_at, f"{row.get_channel_display()}: {outcome_words(row)}"),
    ),
    "holds": Listed(
        _("Held visits that did not take place"),
        _("Every held visit took place."),
        _holds_lost,
        ("-start", "-pk"),
        lambda row: Line(row.patient, row.start, row.ended_words or str(row.get_status_display())),
    ),
    "nothing_planned": Listed(
        _("Open journeys in which nothing is planned"),
        _("Every open journey has a next step with a date."),
        lambda here: _journeys(nothing_planned(here.clinic)),
        ("opened_at", "pk"),
        lambda row: Line(row.patient, row.opened_at, row.name),
    ),
    "unchanged": Listed(
        _("Called in the last 14 days, and nothing has changed since"),
        _("After every call of the last 14 days something has happened."),
        lambda here: called_unchanged(here.clinic, now=here.now).select_related("patient"),
        ("-called_at", "-pk"),
        lambda row: Line(row.patient, row.called_at, outcome_words(row)),
    ),
    "beyond": Listed(
        _("Contacted by hand in the last 14 days beyond the clinic’s own limit"),
        _("Nobody was contacted more often than the clinic itself sets."),
        lambda here: beyond_the_limit(here.clinic, now=here.now).select_related("patient"),
        ("-called_at", "-pk"),
        lambda row: Line(row.patient, row.called_at, f"{row.get_channel_display()}: {why_words(row)}"),
    ),
    "promises_today": Listed(
        _("Promises that come due today, the next first"),
        _("No promise comes due today any more."),
        lambda here: _steps(promises_until(here.clinic, end_of_day(here.clinic, now=here.now), now=here.now)),
        ("due_at", "pk"),
        lambda row: Line(row.journey.patient, row.due_at, row.name),
    ),
    "calls_today": Listed(
        _("The doctor asked: call today"),
        _("Every patient whom the doctor asked to call was called."),
        lambda here: _steps(calls_today(here.clinic)),
        ("due_at", "pk"),
        lambda row: Line(row.journey.patient, row.due_at, row.name),
    ),
    "at_risk": Listed(
        _("Waiting for their next visit, the longest first"),
        _("Nobody waits for a next visit."),
        lambda here: _journeys(waiting_journeys(here.clinic)),
        ("waits_since", "pk"),
        lambda row: Line(row.patient, row.waits_since, row.name),
    ),
}


def page_of(listed: Listed, here: Here, after: str) -> tuple[list[Line], int | None]:
    """The lines after a key, and the key to go on from if there are more."""
    rows = listed.rows(here)
    key = key_in(after)
    last: Model | None = rows.filter(pk=key).first() if key is not None else None
    found = list(beyond(rows, last, *listed.order)[: PAGE + 1])
    return [listed.line(row) for row in found[:PAGE]], found[PAGE - 1].pk if len(found) > PAGE else None
