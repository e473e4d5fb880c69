"""The day of the doctors, one visit and what can be done with it, a new visit. Every action is a plain form."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from appointments import actions, holds, ties
from appointments.day import Chosen, day_of_doctors
from appointments.forms import AskedForm, CancelForm
from appointments.models import APPOINTMENT_MOVES, Appointment, AppointmentStatus
from appointments.options import acts_for, follow_ups, history_of
from appointments.queries import MOVABLE, appointments_visible_to, practitioners_visible_to
from appointments.rooms import room_names_of
from appointments.shown import Days, version_of_days
from appointments.taken import read_marks, taken_since
from appointments.visits import SlotTakenError
from journeys.models import Step
from journeys.queries import open_steps_of
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError, StaleStateError
from patients.models import Patient, Role
from patients.polling import unless_seen
from patients.queries import coming_hours, needs_card, patients_visible_to, search_patients

FOUND = 8


class Save(Protocol):
    """How a write about a visit is kept, so that it can be taken back; whoever routes to a screen knows."""

    def __call__(
        self, patient: Patient, step: Step | None, what: str, act: Callable[[], Appointment], *, here: Here
    ) -> object: ...


ACTS: dict[str, Callable[..., None]] = {
    "arrive": actions.arrive,
    "confirm": actions.confirm,
    "fulfil": actions.fulfil,
    "no_show": actions.no_show,
    "book": holds.keep,
}
SAVED_AS = {
    "arrive": "arrived",
    "confirm": "confirmed",
    "fulfil": "attended",
    "no_show": "no_show",
    "book": "booked",
    "cancel": "cancelled",
}
AT_THE_DESK = {"arrive", "fulfil"}  # she stands there: the moment to ask for a service card that is due
DONE = {
    "arrive": gettext_lazy("Noted: the patient is here."),
    "confirm": gettext_lazy("Noted: the patient says yes to this time."),
    "fulfil": gettext_lazy("Noted: the visit took place. What follows has begun."),
    "no_show": gettext_lazy("Noted: did not come. The time is free again."),
    "book": gettext_lazy("Booked. Repeat the date aloud."),
    "cancel": gettext_lazy("Cancelled, with the reason. The time is free again."),
}


def asked_of(request: HttpRequest) -> dict[str, Any]:
    form = AskedForm(request.GET)
    if not form.is_valid():
        raise Http404
    return form.cleaned_data


@require_GET
@for_staff()
def calendar(request: HttpRequest, here: Here) -> HttpResponse:
    """One day, as a grid or as a list for paper. A free time is booked for the patient who is named or found."""
    asked = asked_of(request)
    of_clinic = patients_visible_to(here.user).filter(clinic=here.clinic)
    patient = get_object_or_404(of_clinic, public_id=asked["patient"]) if asked["patient"] else None
    today = timezone.localtime(here.now).date()
    on = asked["on"] or (timezone.localtime(asked["at"]).date() if asked["at"] else today)
    doctors = list(practitioners_visible_to(here.user).filter(clinic=here.clinic))
    days = Days(on, on + timedelta(days=1), asked["doctor"])
    version = version_of_days(days, here.clinic)  # before what it is of is read
    day = day_of_doctors(
        here.clinic,
        doctors,
        appointments_visible_to(here.user),
        on=on,
        chosen=Chosen(asked["doctor"], asked["room"], coming_hours(patient) if patient else None),
        now=here.now,
    )
    if day is None:
        raise Http404
    found = list(search_patients(of_clinic, asked["whom"])[:FOUND]) if asked["whom"] else None
    audit.shows(*[patient] if patient else [], rows=len(day.visits if found is None else found))
    context = {
        "day": day,
        "days": days,
        "version": version,
        "doctors": doctors,
        "asked": asked,
        "patient": patient,
        "today": today,
        "before": on - timedelta(days=1),
        "after": on + timedelta(days=1),
        "cell_minutes": here.clinic.cell_minutes,
        "as_list": "list" in request.GET,
        "found": found,
    }
    return render(request, "appointments/calendar.html", context)


@require_GET
@for_staff()
def calendar_taken(request: HttpRequest, here: Here) -> HttpResponse:
    """Which of the free times a page shows have been taken meanwhile, and by whom."""
    taken = sorted(taken_since(read_marks(request.GET.get("shown", "")), here.clinic).items())
    return unless_seen(
        request, taken, lambda: render(request, "appointments/_taken.html", {"all_taken": taken})
    )


def found_visit(here: Here, appointment_id: UUID) -> Appointment:
    """The visit with what its page says about it."""
    visits = (
        appointments_visible_to(here.user)
        .filter(clinic=here.clinic)
        .select_related(
            "patient__clinic",
            "practitioner__clinic",
            "step__template_step",
            "step__journey__template",
            "awaits__template_step",
            "awaits__journey__template",
            "made_by",
        )
    )
    return get_object_or_404(visits, public_id=appointment_id)


def seen_of(visit: Appointment) -> str:
    """What a page shows of a visit; a form made on another state of it changes nothing."""
    return f"{visit.status} {visit.practitioner_id} {visit.start:%Y%m%dT%H%M}"


def refuse_unless_seen(request: HttpRequest, visit: Appointment) -> None:
    if request.POST.get("seen", seen_of(visit)) != seen_of(visit):
        raise StaleStateError(_("This visit was changed by somebody else meanwhile."))


def words_of(refusal: RefusedError) -> str:
    return refusal.for_staff if isinstance(refusal, SlotTakenError) else str(refusal)


@require_GET
@for_staff()
def appointment(request: HttpRequest, here: Here, appointment_id: UUID) -> HttpResponse:
    return _page(request, here, found_visit(here, appointment_id), CancelForm())


def _page(
    request: HttpRequest, here: Here, visit: Appointment, cancel_form: CancelForm, *, status: int = 200
) -> HttpResponse:
    step = visit.step or visit.awaits
    journey = step.journey if step else None
    own = [pk for pk in (visit.step_id, visit.awaits_id) if pk]
    follows = follow_ups(visit)
    context = {
        "visit": visit,
        "seen": seen_of(visit),
        "journey": journey,
        "acts": acts_for(visit, follows, now=here.now),
        "room": room_names_of([visit], here.clinic).get(visit.pk, ""),
        "can_move": visit.status in MOVABLE,
        "can_cancel": AppointmentStatus.CANCELLED in APPOINTMENT_MOVES[visit.status],
        "after_cancel": follows.get(ties.CANCELLED, ""),
        "cancel_form": cancel_form,
        "next_steps": open_steps_of(journey).exclude(pk__in=own) if journey else [],
        "history": history_of(visit),
        "ask_card": visit.status == AppointmentStatus.ARRIVED and needs_card(visit.patient, now=here.now),
        "now": here.now,
    }
    return render(request, "appointments/appointment.html", context, status=status)


def save_of(visit: Appointment, what: str, act: Callable[[], object], save: Save, here: Here) -> None:
    """Do something with a visit there is, and keep it as a save."""

    def done() -> Appointment:
        act()
        return visit

    save(visit.patient, visit.step or visit.awaits, what, done, here=here)


def _done(visit: Appointment, act: str, form: CancelForm, here: Here) -> None:
    if act == "cancel":
        actions.cancel(visit, because=form.cleaned_data["because"], now=here.now, by=here.user)
    else:
        ACTS[act](visit, now=here.now, by=here.user)


@require_POST
@for_staff()
def appointment_act(request: HttpRequest, here: Here, appointment_id: UUID, save: Save) -> HttpResponse:
    visit = found_visit(here, appointment_id)
    act = request.POST.get("act", "")
    if act not in DONE:
        raise Http404
    form = CancelForm(request.POST)
    if act == "cancel" and not form.is_valid():
        return _page(request, here, visit, form, status=422)
    try:
        refuse_unless_seen(request, visit)
        save_of(visit, SAVED_AS[act], lambda: _done(visit, act, form, here), save, here)
    except RefusedError as refusal:
        messages.error(request, words_of(refusal))
    else:
        messages.success(request, DONE[act])
        if act in AT_THE_DESK and here.role != Role.DOCTOR and needs_card(visit.patient, now=here.now):
            back = reverse("appointment", args=[visit.public_id])
            card = reverse("patients:card", args=[visit.patient.public_id])
            return redirect(f"{card}?{urlencode({'next': back})}")
    return redirect("appointment", visit.public_id)
