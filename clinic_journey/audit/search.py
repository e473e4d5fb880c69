"""The audit trail as a manager searches it; for one patient together with what the desk and the machine did."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.models import AppointmentEvent, AppointmentStatus
from appointments.options import EVENT_WORDS, times_and_why
from clinic_journey.audit.words import CHANGED_WORDS, WHAT_WORDS
from journeys.models import StepEvent
from outreach.models import Attempt
from outreach.queries import outcome_words
from patients.models import AuditAction, AuditEvent, By, Clinic, Patient
from patients.windows import starts_at

AN_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d]*([+-]\d\d:\d\d)?$"
)  # as each database writes it
# The row's own keys, which the line tells already.
OBVIOUS = {"id", "public_id", "clinic_id", "patient_id", "card_id"}
AUDIT, STEP, VISIT, CONTACT = range(4)  # where a line comes from, and its rank within one instant


@dataclass(frozen=True)
class Wanted:
    """What is looked for; what is empty does not matter."""

    clinic: Clinic
    person: User | None = None
    patient: Patient | None = None
    action: str = ""
    what: str = ""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Place:
    """Where a page ended: after this line, in the order of the list."""

    at: datetime
    rank: int
    pk: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()},{self.rank},{self.pk}"

    @classmethod
    def of(cls, text: str) -> "Place | None":
        at, _comma, rest = text.partition(",")
        rank, _comma, pk = rest.partition(",")
        try:
            place = cls(datetime.fromisoformat(at), int(rank), int(pk))
        except ValueError:
            return None
        return place if place.at.tzinfo and place.pk < 2**63 and place.rank in range(4) else None


@dataclass(frozen=True)
class Line:
    """One line of the trail, whichever table it comes from."""

    place: Place
    who: str
    action: str
    what: str
    patient: Patient | None
    detail: str = ""
    ip: str = ""
    agent: str = ""
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    is_failure: bool = False

    @property
    def at(self) -> datetime:
        return self.place.at


def lines(wanted: Wanted, *, after: Place | None, limit: int) -> list[Line]:
    """The newest first. Beside the audit events of one patient stand the events of steps, visits and contacts.

    For a whole clinic these are left out: their tables are written all day and have no index for it.
    """
    found = [
        _line_of_event(event, wanted.clinic.time_zone)
        for events in _events(wanted)
        for event in _page(events, wanted, AUDIT, after, limit)
    ]
    if wanted.patient and not wanted.action and not wanted.what:
        found += _told_elsewhere(wanted, wanted.patient, after, limit)
    found.sort(key=lambda line: (line.at, -line.place.rank, line.place.pk), reverse=True)
    return found[:limit]


def all_lines(wanted: Wanted, *, batch: int = 500) -> Iterator[Line]:
    """For the export: page after page, so that a long trail is never in memory at once."""
    after: Place | None = None
    while True:
        page = lines(wanted, after=after, limit=batch)
        yield from page
        if len(page) < batch:
            return
        after = page[-1].place


def _events(wanted: Wanted) -> list[QuerySet[AuditEvent]]:
    """Of this clinic, and of nobody's: a login under a name that no clinic knows concerns all of them.

    Apart, because each is a stretch of the index in the order of the page; together they would be none.
    """
    ours = AuditEvent.objects.filter(clinic=wanted.clinic)
    if wanted.patient:
        return [_narrowed(ours.filter(patient=wanted.patient), wanted)]
    nobodys = AuditEvent.objects.filter(clinic__isnull=True, patient__isnull=True)
    return [_narrowed(ours, wanted), _narrowed(nobodys, wanted)]


def _narrowed(events: QuerySet[AuditEvent], wanted: Wanted) -> QuerySet[AuditEvent]:
    if wanted.person:
        events = events.filter(actor=wanted.person)
    if wanted.action:
        events = events.filter(action=wanted.action)
    if wanted.what:
        events = events.filter(what=wanted.what)
    return events.select_related("patient", "actor")


def _told_elsewhere(wanted: Wanted, patient: Patient, after: Place | None, limit: int) -> list[Line]:
    steps = StepEvent.objects.filter(step__journey__patient=patient, step__clinic=wanted.clinic)
    visits = AppointmentEvent.objects.filter(appointment__patient=patient, appointment__clinic=wanted.clinic)
    contacts = Attempt.objects.filter(patient=patient, clinic=wanted.clinic, sent_at__isnull=False)
    if wanted.person:
        steps, visits = steps.filter(by=wanted.person), visits.filter(by=wanted.person)
        contacts = contacts.filter(claimed_by=wanted.person)
    steps = steps.select_related("step__template_step", "by")
    visits = visits.select_related("appointment", "by")
    contacts = contacts.select_related("claimed_by")
    return [
        *[_line_of_step(event, patient) for event in _page(steps, wanted, STEP, after, limit)],
        *[_line_of_visit(event, patient) for event in _page(visits, wanted, VISIT, after, limit)],
        *[
            _line_of_contact(attempt, patient)
            for attempt in _page(contacts, wanted, CONTACT, after, limit, at="sent_at")
        ],
    ]


def _page(
    rows: QuerySet[Any], wanted: Wanted, rank: int, after: Place | None, limit: int, *, at: str = "at"
) -> QuerySet[Any]:
    zone = wanted.clinic.time_zone
    if wanted.first:
        rows = rows.filter(**{f"{at}__gte": starts_at(zone, wanted.first, time.min)})
    if wanted.last:
        rows = rows.filter(**{f"{at}__lt": starts_at(zone, wanted.last + timedelta(days=1), time.min)})
    if after:
        same = Q(**{at: after.at})
        within = (
            same if rank > after.rank else same & Q(pk__lt=after.pk) if rank == after.rank else Q(pk=None)
        )
        rows = rows.filter(Q(**{f"{at}__lt": after.at}) | within, **{f"{at}__lte": after.at})
    return rows.order_by(f"-{at}", "-pk")[:limit]


def _line_of_event(event: AuditEvent, zone: str) -> Line:
    return Line(
        Place(event.at, AUDIT, event.pk),
        who=who_of(event),
        action=str(AuditAction(event.action).label),
        what="" if event.what == "login" else what_words(event.what),
        patient=event.patient if event.patient_id else None,
        detail=_detail_of(event),
        ip=event.ip,
        agent=event.agent,
        changes=changes_of(event, zone),
        is_failure=event.action == AuditAction.LOGIN_FAILED,
    )


def who_of(event: AuditEvent) -> str:
    name = name_of(event.actor) if event.actor_id and event.actor else ""
    if event.by == By.PROGRAM and name:
        return _("%(name)s, by a program") % {"name": name}
    if event.by == By.NOBODY and name:
        return _("Somebody, as %(name)s") % {"name": name}
    return name or str(By(event.by).label)


def name_of(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else _("system")


def what_words(what: str) -> str:
    """A page or a kind of row in words; one that has none yet by its own name."""
    return str(WHAT_WORDS.get(what, what.replace("_", " ").replace("-", " ")))


def _detail_of(event: AuditEvent) -> str:
    if event.rows is None:
        return event.asked
    return _("%(asked)s %(rows)s rows") % {"asked": event.asked, "rows": event.rows}


def changes_of(event: AuditEvent, zone: str) -> list[tuple[str, str, str]]:
    """Column, before, after; of what was added or removed only one side. Instants in the clinic's time."""
    before, after = event.before or {}, event.after or {}
    names = [name for name in dict.fromkeys([*before, *after]) if name not in OBVIOUS]
    return [
        (_column_words(name), _text(name, before.get(name), zone), _text(name, after.get(name), zone))
        for name in names
    ]


def _column_words(name: str) -> str:
    return str(CHANGED_WORDS.get(name, name.removesuffix("_id").replace("_", " ")))


def _text(name: str, value: Any, zone: str) -> str:
    if name == "weekday" and value in WEEKDAYS:
        return str(WEEKDAYS[value])
    if isinstance(value, str) and AN_INSTANT.match(value):
        at = datetime.fromisoformat(value)
        local = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone))
        return date_format(local, "j.n.Y H:i")
    return "" if value is None else str(value)


def _line_of_step(event: StepEvent, patient: Patient) -> Line:
    who, kind = name_of(event.by), event.get_kind_display()
    return Line(Place(event.at, STEP, event.pk), who, kind, event.step.name, patient, detail=event.detail)


def _line_of_visit(event: AppointmentEvent, patient: Patient) -> Line:
    known = AppointmentStatus(event.what).label if event.what in AppointmentStatus.values else event.what
    action = str(EVENT_WORDS.get(event.what, known))
    who, what = name_of(event.by), what_words("appointment")
    detail = " ".join(part for part in times_and_why(event) if part)
    return Line(Place(event.at, VISIT, event.pk), who, action, what, patient, detail=detail)


def _line_of_contact(attempt: Attempt, patient: Patient) -> Line:
    at = attempt.sent_at or attempt.send_at
    who, channel = name_of(attempt.claimed_by), attempt.get_channel_display()
    return Line(
        Place(at, CONTACT, attempt.pk), who, _("Contact"), channel, patient, detail=outcome_words(attempt)
    )
