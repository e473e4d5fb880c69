"""Why a row stands in Today: one sentence with facts in it, that a receptionist can read aloud."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.due import Due
from journeys.models import Step, StepKind, StepStatus
from outreach.queries import LIVE_VISITS

A_CALL = 120  # seconds
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NOT_KEPT = {
    "no_show": gettext_lazy("The visit was missed %(ago)s ago and there is no new date."),
    "cancelled": gettext_lazy("The visit was cancelled %(ago)s ago and there is no new date."),
}


class Visit(NamedTuple):
    """The next live visit of a journey, as far as a sentence names it."""

    start: datetime
    end: datetime
    status: str
    hold_until: datetime | None
    confirmed_at: datetime | None


@dataclass(frozen=True)
class Facts:
    """What is known around one journey; empty where it has not happened."""

    decided_at: datetime | None = None
    arrived_at: datetime | None = None
    not_kept: str = ""  # how the last visit ended, if it did not take place
    not_kept_at: datetime | None = None
    visit: Visit | None = None


NOTHING_KNOWN = Facts()
Ended = dict[tuple[int, str], tuple[str, datetime]]


def facts_of(listed: Sequence[Due]) -> dict[int, Facts]:
    """The facts of each journey that has any, in two queries whatever the number of rows."""
    journeys = {due.journey_id for due in listed}
    visits = _visits(journeys, {due.patient_id for due in listed if due.patient_id})
    ended: Ended = {}
    rows = Step.objects.filter(
        journey__in=journeys,
        status=StepStatus.COMPLETED,
        kind__in=[StepKind.REVIEW, StepKind.AWAIT_RESULT, StepKind.VISIT],
    ).order_by("completed_at")
    for journey_id, kind, outcome, at in rows.values_list("journey_id", "kind", "outcome", "completed_at"):
        if at is not None and outcome != "revoked":
            ended[journey_id, kind] = (outcome, at)
    known = {journey_id for journey_id, _kind in ended} | visits.keys()
    return {journey_id: _facts(journey_id, ended, visits.get(journey_id)) for journey_id in known}


def _visits(journeys: set[int], patients: set[int]) -> dict[int, Visit]:
    live = Appointment.objects.filter(
        Q(step__journey__in=journeys) | Q(awaits__journey__in=journeys),
        patient__in=patients,  # says nothing new, and finds them by an index
        status__in=LIVE_VISITS,
    ).order_by("-start")
    columns = ("step__journey_id", "awaits__journey_id", *Visit._fields)
    return {own or waits: Visit(*visit) for own, waits, *visit in live.values_list(*columns)}


def _facts(journey_id: int, ended: Ended, visit: Visit | None) -> Facts:
    _outcome, decided_at = ended.get((journey_id, StepKind.REVIEW), ("", None))
    arrival, arrived_at = ended.get((journey_id, StepKind.AWAIT_RESULT), ("", None))
    not_kept, at = ended.get((journey_id, StepKind.VISIT), ("", None))
    return Facts(
        decided_at=decided_at,
        arrived_at=arrived_at if arrival == "received" else None,
        not_kept=not_kept if not_kept in NOT_KEPT else "",
        not_kept_at=at,
        visit=visit,
    )


def ago(at: datetime, *, now: datetime) -> str:
    """The largest unit alone, as people say it: 40 minutes, 2 days."""
    return timesince(at, now, depth=1)


def took_words(took: timedelta) -> str:
    """How long something took: in seconds as long as a call lasts, then in the largest unit alone."""
    seconds = took // timedelta(seconds=1)
    if seconds < A_CALL:
        return ngettext("%(number)s second", "%(number)s seconds", seconds) % {"number": seconds}
    return ago(EPOCH, now=EPOCH + took)


def said(at: datetime, *, now: datetime) -> str:
    """An instant as it is said on the phone, in the clinic's time: today 18:00, Tuesday 18 November, 14:30."""
    local, days = localtime(at), (localtime(at).date() - localtime(now).date()).days
    clock = date_format(local, "H:i")
    if days in (0, 1):
        return (_("today %(clock)s") if days == 0 else _("tomorrow %(clock)s")) % {"clock": clock}
    return date_format(local, "l j E, H:i")


def why_now(step: Due, facts: Facts, *, now: datetime) -> str:
    """The sentence of one step; a row that stands for several says one for each."""
    sentence = SENTENCES.get(StepKind(step.kind), _plain)
    return sentence(step, facts, now=now)


def _promise(step: Due, _facts: Facts, *, now: datetime) -> str:
    assert step.due_at is not None  # noqa: S101 - an active step has one, by constraint
    is_late, when = step.due_at <= now, said(step.due_at, now=now)
    if step.title:
        words = (
            _("We promised by %(when)s and are late: %(what)s")
            if is_late
            else _("We promised by %(when)s: %(what)s")
        )
        return words % {"when": when, "what": step.name}
    values = {"when": when, "what": step.about_name or step.name}
    if is_late:
        return _("We promised an answer by %(when)s about “%(what)s” and are late.") % values
    return _("We promised an answer by %(when)s about “%(what)s”.") % values


def _call(step: Due, _facts: Facts, *, now: datetime) -> str:
    if step.patient_id is None:
        return _("Nobody we know writes from there. Find out who it is.")
    if not step.has_template and step.title:
        return step.name
    return _("The doctor asked %(ago)s ago that we call the patient today.") % {
        "ago": ago(step.opened_at or now, now=now)
    }


def _tell(step: Due, facts: Facts, *, now: datetime) -> str:
    is_for_the_other_parent = bool(step.about_name) and not step.has_template
    if facts.arrived_at is None or is_for_the_other_parent:
        return _plain(step, facts, now=now)
    words = _("Everything we were waiting for arrived %(ago)s ago; the patient has not heard it from us.")
    return words % {"ago": ago(facts.arrived_at, now=now)}


def _confirm(_step: Due, facts: Facts, *, now: datetime) -> str:
    return f"{_decided(facts, now=now)} {_visit(facts, now=now)}"


def _coming(step: Due, facts: Facts, *, now: datetime) -> str:
    is_ahead = facts.visit and facts.visit.end > now
    return _visit(facts, now=now) if is_ahead else _plain(step, facts, now=now)


def _recall(step: Due, facts: Facts, *, now: datetime) -> str:
    if step.last_visit_at is None:
        return _plain(step, facts, now=now)
    words = _("The last visit was on %(date)s; it is time for the check-up.")
    return words % {"date": date_format(localtime(step.last_visit_at), "j E Y")}


def _decided(facts: Facts, *, now: datetime) -> str:
    if facts.decided_at is None:
        return _("The doctor has decided.")
    return _("The doctor decided %(ago)s ago.") % {"ago": ago(facts.decided_at, now=now)}


def _visit(facts: Facts, *, now: datetime) -> str:
    visit = facts.visit
    if visit is None:
        return _("The visit has no date yet.")
    values = {"when": said(visit.start, now=now)}
    if visit.status == AppointmentStatus.PENDING and visit.hold_until:
        values["until"] = said(visit.hold_until, now=now)
        return _("The visit %(when)s is held until %(until)s.") % values
    if visit.confirmed_at:
        return _("The visit %(when)s is confirmed.") % values
    return _("The visit %(when)s is not confirmed.") % values


def _book(step: Due, facts: Facts, *, now: datetime) -> str:
    if facts.not_kept and facts.not_kept_at:
        return str(NOT_KEPT[facts.not_kept]) % {"ago": ago(facts.not_kept_at, now=now)}
    if facts.decided_at:
        return _("%(decided)s The next visit has no date.") % {"decided": _decided(facts, now=now)}
    return _("The next visit has been without a date for %(ago)s.") % {
        "ago": ago(step.opened_at or now, now=now)
    }


PLAIN = {
    StepKind.REVIEW: gettext_lazy("The result has waited %(ago)s for the doctor's decision."),
    StepKind.TELL: gettext_lazy("There has been news for %(ago)s and the patient has not heard it from us."),
    StepKind.IDENTIFY: gettext_lazy("A document came %(ago)s ago and nobody knows whose it is."),
    StepKind.REFER: gettext_lazy("The doctor asked %(ago)s ago for another referral."),
    StepKind.AWAIT_RESULT: gettext_lazy("The result was due %(late)s ago; ask the institute."),
    StepKind.AWAIT_PATIENT: gettext_lazy("The patient was to be at the institute %(late)s ago."),
    StepKind.VISIT: gettext_lazy("The visit was over %(late)s ago and nobody said how it ended."),
    StepKind.RECALL: gettext_lazy("It is time for the check-up."),
    StepKind.THANK: gettext_lazy("The visit was over %(ago)s ago; say thank you."),
}


def _plain(step: Due, _facts: Facts, *, now: datetime) -> str:
    if step.title and not step.has_template and step.kind != StepKind.IDENTIFY:
        return step.name
    opened, due = step.opened_at or now, step.due_at or now
    words = str(PLAIN.get(StepKind(step.kind), ""))
    if not words or (due >= now and "%(late)s" in words):
        return f"{step.name}."
    if "%" not in words:
        return words
    return words % {"ago": ago(opened, now=now), "late": ago(due, now=now)}


SENTENCES: dict[StepKind, Callable[..., str]] = {
    StepKind.PROMISE: _promise,
    StepKind.CALL: _call,
    StepKind.TELL: _tell,
    StepKind.CONFIRM: _confirm,
    StepKind.BOOK: _book,
    StepKind.VISIT: _coming,
    StepKind.RECALL: _recall,
}
