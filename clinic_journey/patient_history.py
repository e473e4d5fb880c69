"""What has happened to one patient, newest first: everything, the contacts alone, or the visits alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, gettext_lazy

from appointments.models import AppointmentEvent
from appointments.options import happened
from clinic_journey.history_words import detail_words
from journeys.models import EventKind, StepEvent
from journeys.queries import history_of
from outreach.models import NUMBER_TEST, Attempt
from outreach.queries import why_words
from outreach.trace import decided_words
from patients.models import Patient

SHOWN = 40
EVERYTHING, CONTACTS, VISITS = "", "contacts", "visits"
KINDS = {
    EVERYTHING: gettext_lazy("All"),
    CONTACTS: gettext_lazy("Contacts"),
    VISITS: gettext_lazy("Visits"),
}


@dataclass(frozen=True)
class Moment:
    """One line of the history: an event of a step or of a visit, or a contact."""

    at: datetime
    who: str
    what: str
    detail: str
    is_late: bool = False

    @property
    def on(self) -> date:
        return self.at.date()


def history_context(patient: Patient, asked: str, zone: str) -> dict[str, object]:
    """What is shown, and the kinds to choose from; `history_next` is the one that the key H leads to."""
    shown = asked if asked in KINDS else EVERYTHING
    kinds = list(KINDS)
    return {
        "history": history(patient, zone, shown),
        "history_kinds": KINDS.items(),
        "history_shown": shown,
        "history_next": kinds[(kinds.index(shown) + 1) % len(kinds)],
    }


def history(patient: Patient, zone: str, shown: str = EVERYTHING) -> list[Moment]:
    """The last of it, in the clinic's time."""
    moments: list[Moment] = []
    if shown != VISITS:
        moments += [*_of_steps(patient, shown), *_of_contacts(patient)]
    if shown != CONTACTS:
        moments += _of_visits(patient)
    moments.sort(key=lambda moment: moment.at, reverse=True)
    local = ZoneInfo(zone)
    return [Moment(m.at.astimezone(local), m.who, m.what, m.detail, m.is_late) for m in moments[:SHOWN]]


def _of_steps(patient: Patient, shown: str) -> Iterator[Moment]:
    events = history_of(patient).exclude(step__outreach_tasks__message_key=NUMBER_TEST)
    if shown == CONTACTS:
        events = events.filter(kind=EventKind.CHASED)
    for event in events[:SHOWN]:
        who = event.by.get_full_name() if event.by else _("by itself")
        is_late = event.kind in {EventKind.STALLED, EventKind.CHASED}
        yield Moment(event.at, who, _happened(event), detail_words(event), is_late)


def _happened(event: StepEvent) -> str:
    if event.kind != EventKind.PROMISED:
        return f"{event.step.name}: {event.get_kind_display()}"
    if not event.step.title:
        return _("We promised an answer")
    return _("We promised: %(what)s") % {"what": event.step.name}


def _of_contacts(patient: Patient) -> Iterator[Moment]:
    attempts = (
        Attempt.objects.filter(patient=patient)
        .select_related("contact_point", "claimed_by", "task__step__template_step")
        .prefetch_related("decisions")
        .order_by("-send_at")[:SHOWN]
    )
    for attempt in attempts:
        who = attempt.claimed_by.get_full_name() if attempt.claimed_by else _("by itself")
        what = f"{attempt.get_channel_display()}: {attempt.get_status_display()}"
        if attempt.task.message_key == NUMBER_TEST:
            what = _("Test message, %(how)s") % {"how": what}
        detail = ", ".join(words for words in [why_words(attempt), decided_words(attempt)] if words)
        yield Moment(attempt.sent_at or attempt.send_at, who, what, detail)


def _of_visits(patient: Patient) -> Iterator[Moment]:
    events = AppointmentEvent.objects.filter(appointment__patient=patient)
    for event in events.select_related("by", "appointment").order_by("-at", "-id")[:SHOWN]:
        at, what, who, why = happened(event)
        visit = date_format(localtime(event.appointment.start), "j E, H:i")
        yield Moment(at, who, _("Visit of %(when)s: %(what)s") % {"when": visit, "what": what}, why)
