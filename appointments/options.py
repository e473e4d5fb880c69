"""What can be done with a visit now, what each choice sets going, and what has happened to it."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy

from appointments import actions, holds, ties
from appointments.models import APPOINTMENT_MOVES, Appointment, AppointmentEvent, AppointmentStatus, as_read
from journeys.actions import ATTENDED
from journeys.models import EdgeEffect, StepEdge

EVENT_WORDS = {
    actions.ABOVE_SHARE: gettext_lazy("Held above a quarter of the doctor's week"),
    actions.MOVED: gettext_lazy("Moved"),
    actions.CONFIRMED: gettext_lazy("Confirmed by the patient"),
    holds.MOVED_BY_RULE: gettext_lazy("Moved by itself, as the result was late"),
}


@dataclass(frozen=True)
class Act:
    """A button: what it says, and what it sets going."""

    code: str
    words: str
    follows: str


def acts_for(visit: Appointment, follows: dict[str, str], *, now: datetime) -> list[Act]:
    """What can be done with the visit now: nobody arrives on another day or fails to come to what is ahead."""
    moves = APPOINTMENT_MOVES[visit.status]
    has_begun = visit.start <= now
    is_day = timezone.localtime(visit.start).date() <= timezone.localtime(now).date()
    acts = []
    if AppointmentStatus.ARRIVED in moves and is_day:
        acts.append(Act("arrive", _("Is here"), _("the doctor sees it in the calendar")))
    if visit.status == AppointmentStatus.BOOKED and visit.confirmed_at is None and not has_begun:
        acts.append(Act("confirm", _("The patient confirms"), _("asked on the phone or at the desk")))
    if AppointmentStatus.FULFILLED in moves and (has_begun or visit.status == AppointmentStatus.ARRIVED):
        acts.append(Act("fulfil", _("Took place"), follows.get(ATTENDED, "")))
    if AppointmentStatus.NOSHOW in moves and has_begun:
        acts.append(Act("no_show", _("Did not come"), follows.get(ties.NO_SHOW, "")))
    if visit.status == AppointmentStatus.PENDING and visit.awaits_id is None:
        acts.append(Act("book", _("Keep: book it"), _("it waits for nothing")))
    return acts


def follow_ups(visit: Appointment) -> dict[str, str]:
    """The steps that open after each outcome of a visit, by name; a hold that is given back opens none."""
    ends = (ATTENDED, ties.NO_SHOW, ties.CANCELLED)
    step = visit.step
    if visit.status == AppointmentStatus.PENDING:
        return {}
    if step is None or step.template_step_id is None:
        new_date = _("next: find a new date")
        return {ties.NO_SHOW: new_date, ties.CANCELLED: new_date}
    edges = StepEdge.objects.filter(source=step.template_step_id, effect=EdgeEffect.OPENS)
    found = [(edge.outcome, edge.target.name) for edge in edges.select_related("target").order_by("pk")]
    named = {end: [name for outcome, name in found if outcome in ("", end)] for end in ends}
    return {end: _("next: %(steps)s") % {"steps": ", ".join(names)} for end, names in named.items() if names}


def history_of(visit: Appointment) -> list[tuple[datetime, str, str, str]]:
    """When, what, who, why; of a move the words after its two times."""
    return [happened(event) for event in visit.events.select_related("by")]


def happened(event: AppointmentEvent) -> tuple[datetime, str, str, str]:
    known = AppointmentStatus(event.what).label if event.what in AppointmentStatus.values else event.what
    what = EVENT_WORDS.get(event.what, known)
    _times, why = times_and_why(event)
    return event.at, str(what), event.by.get_full_name() if event.by else _("system"), why


def times_and_why(event: AppointmentEvent) -> tuple[str, str]:
    """The detail of an event: of a move its two times, and the reason in the reader's language."""
    if event.what != actions.MOVED:
        return "", as_read(event.detail)
    times, zone, why = event.detail.partition(" UTC")
    return times + zone, as_read(why.strip())
