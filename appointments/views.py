"""The day of the doctors, one visit and what can be done with it, a new visit. Every action is a plain form."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments import actions, holds
from appointments.day import day_of_doctors
from appointments.forms import AskedForm, BookForm, CancelForm, MoveForm, TimesForm, lengths, usual_length
from appointments.models import APPOINTMENT_MOVES, Appointment, AppointmentStatus, Practitioner
from appointments.offers import Offers, Wanted, offers_for
from appointments.options import acts_for, follow_ups, history_of
from appointments.queries import MOVABLE, appointments_visible_to, practitioners_visible_to
from appointments.visits import SlotTakenError, Visit, spoken
from journeys.models import Journey, Step
from journeys.queries import open_steps_of, steps_visible_to
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError, StaleStateError
from patients.models import Patient, Role
from patients.queries import needs_card, patients_visible_to, search_patients

FOUND = 8
ACTS: dict[str, Callable[..., None]] = {
    "arrive": actions.arrive,
    "confirm": actions.confirm,
    "fulfil": actions.fulfil,
    "no_show": actions.no_show,
    "book": holds.keep,
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


def _asked(request: HttpRequest) -> dict[str, Any]:
    form = AskedForm(request.GET)
    if not form.is_valid():
        raise Http404
    return form.cleaned_data


@require_GET
@for_staff()
def calendar(request: HttpRequest, here: Here) -> HttpResponse:
    """One day, as a grid or as a list for paper. A free time is booked for the patient who is named or found."""
    asked = _asked(request)
    of_clinic = patients_visible_to(here.user).filter(clinic=here.clinic)
    patient = get_object_or_404(of_clinic, public_id=asked["patient"]) if asked["patient"] else None
    today = timezone.localtime(here.now).date()
    on = asked["on"] or (timezone.localtime(asked["at"]).date() if asked["at"] else today)
    doctors = list(practitioners_visible_to(here.user).filter(clinic=here.clinic))
    day = day_of_doctors(
        here.clinic,
        doctors,
        appointments_visible_to(here.user),
        on=on,
        chosen=asked["doctor"],
        now=here.now,
    )
    if day is None:
        raise Http404
    audit.shows(rows=len(day.visits))
    context = {
        "day": day,
        "doctors": doctors,
        "asked": asked,
        "patient": patient,
        "today": today,
        "before": on - timedelta(days=1),
        "after": on + timedelta(days=1),
        "cell_minutes": here.clinic.cell_minutes,
        "as_list": "list" in request.GET,
        "found": search_patients(of_clinic, asked["whom"])[:FOUND] if asked["whom"] else None,
    }
    return render(request, "appointments/calendar.html", context)


def _found(here: Here, appointment_id: UUID) -> Appointment:
    """The visit with what its page says about it; from here on the page's times are its clinic's."""
    visits = appointments_visible_to(here.user).select_related(
        "patient__clinic",
        "practitioner__clinic",
        "step__template_step",
        "step__journey__template",
        "awaits__template_step",
        "awaits__journey__template",
        "made_by",
    )
    found = get_object_or_404(visits, public_id=appointment_id)
    timezone.activate(found.practitioner.clinic.time_zone)
    return found


def _seen(visit: Appointment) -> str:
    """What a page shows of a visit; a form made on another state of it changes nothing."""
    return f"{visit.status} {visit.practitioner_id} {visit.start:%Y%m%dT%H%M}"


def _refuse_unless_seen(request: HttpRequest, visit: Appointment) -> None:
    if request.POST.get("seen", _seen(visit)) != _seen(visit):
        raise StaleStateError(_("This visit was changed by somebody else meanwhile."))


def _words(refusal: RefusedError) -> str:
    return refusal.for_staff if isinstance(refusal, SlotTakenError) else str(refusal)


@require_GET
@for_staff()
def appointment(request: HttpRequest, here: Here, appointment_id: UUID) -> HttpResponse:
    return _page(request, here, _found(here, appointment_id), CancelForm())


def _page(
    request: HttpRequest, here: Here, visit: Appointment, cancel_form: CancelForm, *, status: int = 200
) -> HttpResponse:
    step = visit.step or visit.awaits
    journey = step.journey if step else None
    own = [pk for pk in (visit.step_id, visit.awaits_id) if pk]
    follows = follow_ups(visit.step)
    context = {
        "visit": visit,
        "seen": _seen(visit),
        "journey": journey,
        "acts": acts_for(visit, follows, now=here.now),
        "can_move": visit.status in MOVABLE,
        "can_cancel": AppointmentStatus.CANCELLED in APPOINTMENT_MOVES[visit.status],
        "after_cancel": follows.get(actions.CANCELLED, ""),
        "cancel_form": cancel_form,
        "next_steps": open_steps_of(journey).exclude(pk__in=own) if journey else [],
        "history": history_of(visit),
        "ask_card": visit.status == AppointmentStatus.ARRIVED and needs_card(visit.patient, now=here.now),
        "now": here.now,
    }
    return render(request, "appointments/appointment.html", context, status=status)


@require_POST
@for_staff()
def appointment_act(request: HttpRequest, here: Here, appointment_id: UUID) -> HttpResponse:
    visit = _found(here, appointment_id)
    act = request.POST.get("act", "")
    if act not in DONE:
        raise Http404
    form = CancelForm(request.POST)
    if act == "cancel" and not form.is_valid():
        return _page(request, here, visit, form, status=422)
    try:
        _refuse_unless_seen(request, visit)
        if act == "cancel":
            actions.cancel(visit, because=form.cleaned_data["because"], now=here.now, by=here.user)
        else:
            ACTS[act](visit, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, _words(refusal))
    else:
        messages.success(request, DONE[act])
        if act in AT_THE_DESK and here.role != Role.DOCTOR and needs_card(visit.patient, now=here.now):
            back = reverse("appointment", args=[visit.public_id])
            card = reverse("patients:card", args=[visit.patient.public_id])
            return redirect(f"{card}?{urlencode({'next': back})}")
    return redirect("appointment", visit.public_id)


@require_http_methods(["GET", "POST"])
@for_staff()
def appointment_move(request: HttpRequest, here: Here, appointment_id: UUID) -> HttpResponse:
    """Another time, or another doctor, for the same visit."""
    visit = _found(here, appointment_id)
    asked = _asked(request)
    if visit.status not in MOVABLE:
        messages.error(request, _("This visit cannot be moved any more."))
        return redirect("appointment", visit.public_id)
    doctors = _doctors(here, visit.patient)
    first = _chosen(doctors, asked["doctor"]) or visit.practitioner
    initial = {"practitioner": first, "not_before": _first_day(asked)}
    form = MoveForm(request.POST or None, practitioners=doctors, initial=initial)
    free: list[datetime] = []
    if request.method == "POST" and form.is_valid() and not form.only_shows_times:
        try:
            _refuse_unless_seen(request, visit)
            _move(visit, form, here)
        except RefusedError as refusal:
            free = _refused(form, refusal)
        else:
            messages.success(request, _("Moved to %(time)s. Repeat the date aloud.") % _told(visit))
            return redirect("appointment", visit.public_id)
    minutes = (visit.end - visit.start) // timedelta(minutes=1)
    context = {"visit": visit, "seen": _seen(visit), "form": form, "patient": visit.patient}
    context |= _times(form, visit.patient, here, minutes=minutes, at=asked["at"], free=free)
    return render(request, "appointments/move.html", context, status=422 if form.errors else 200)


def _move(visit: Appointment, form: MoveForm, here: Here) -> None:
    data = form.cleaned_data
    doctor = data["practitioner"]
    actions.move(
        visit,
        start=data["start"],
        practitioner=doctor if doctor != visit.practitioner else None,
        because=data["because"],
        now=here.now,
        by=here.user,
    )


@require_http_methods(["GET", "POST"])
@for_staff()
def book_visit(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """A new visit; with `step` in the address, the one that this step asks for."""
    patient = get_object_or_404(patients_visible_to(here.user), public_id=patient_id)
    timezone.activate(patient.clinic.time_zone)
    asked = _asked(request)
    steps = steps_visible_to(here.user).filter(journey__patient=patient)
    step = get_object_or_404(steps, public_id=asked["step"]) if asked["step"] else None
    doctors = _doctors(here, patient)
    form = BookForm(
        request.POST or None,
        practitioners=doctors,
        cell_minutes=patient.clinic.cell_minutes,
        initial=_beginning(asked, patient, doctors, step.journey if step else None),
    )
    free: list[datetime] = []
    if request.method == "POST" and form.is_valid() and not form.only_shows_times:
        try:
            made = _book(form, patient, step, here)
        except RefusedError as refusal:
            free = _refused(form, refusal)
        else:
            words = _("%(state)s: %(time)s with %(doctor)s. Repeat the date aloud.")
            messages.success(request, words % _told(made))
            return redirect("today") if step else redirect("patient", patient.public_id)
    context = {"patient": patient, "step": step, "form": form, "coming": _coming(patient, here)}
    context |= _times(form, patient, here, at=asked["at"], free=free)
    return render(request, "appointments/book.html", context, status=422 if form.errors else 200)


def _doctors(here: Here, patient: Patient) -> QuerySet[Practitioner]:
    return practitioners_visible_to(here.user).filter(clinic=patient.clinic)


def _chosen(doctors: QuerySet[Practitioner], pk: int | None) -> Practitioner | None:
    """The doctor the address names; a stranger is a page that is not."""
    if pk is None:
        return None
    found = next((doctor for doctor in doctors if doctor.pk == pk), None)
    if found is None:
        raise Http404
    return found


def _first_day(asked: dict[str, Any]) -> Any:
    return timezone.localtime(asked["at"]).date() if asked["at"] else asked["on"]


def _beginning(
    asked: dict[str, Any], patient: Patient, doctors: QuerySet[Practitioner], journey: Journey | None
) -> dict[str, Any]:
    """The doctor asked for, else the one who leads the journey, else the first; the journey as the title."""
    doctor = _chosen(doctors, asked["doctor"])
    if doctor is None and journey and journey.doctor_id:
        doctor = next((each for each in doctors if each.user_id == journey.doctor_id), None)
    cell, minutes = patient.clinic.cell_minutes, asked["minutes"]
    return {
        "practitioner": doctor or next(iter(doctors), None),
        "minutes": minutes if minutes in lengths(cell) else usual_length(cell),
        "title": asked["title"] or (journey.name if journey else ""),
        "not_before": _first_day(asked),
        "request_key": uuid4().hex,
    }


def _coming(patient: Patient, here: Here) -> QuerySet[Appointment]:
    """What is booked already: two visits by mistake are seen before the second."""
    visits = appointments_visible_to(here.user).filter(patient=patient, status__in=MOVABLE, end__gt=here.now)
    return visits.order_by("start")[:FOUND]


def _book(form: BookForm, patient: Patient, step: Step | None, here: Here) -> Appointment:
    data = form.cleaned_data
    visit = Visit(patient, data["practitioner"], data["start"], data["minutes"], data["title"])
    if step:
        return actions.book_for_step(step, visit, now=here.now, by=here.user)
    # The same button pressed twice books once; another time pressed after going back is another visit.
    key = f"{data['request_key']} {visit.practitioner.pk} {visit.start:%Y%m%dT%H%M}"
    return actions.book_alone(visit, now=here.now, by=here.user, request_key=key)


def _told(visit: Appointment) -> dict[str, str]:
    return {
        "state": str(AppointmentStatus(visit.status).label),
        "time": spoken(visit.start, visit.practitioner),
        "doctor": visit.practitioner.name,
    }


def _refused(form: TimesForm, refusal: RefusedError) -> list[datetime]:
    """Say why in the form; if somebody was first, return the next free times, which are offered at once."""
    form.add_error(None, _words(refusal))
    return refusal.free if isinstance(refusal, SlotTakenError) else []


def _times(
    form: TimesForm,
    patient: Patient,
    here: Here,
    *,
    at: datetime | None,
    free: list[datetime],
    minutes: int | None = None,
) -> dict[str, Any]:
    """The times for what the form says now, valid or not; none without a doctor."""
    said = getattr(form, "cleaned_data", form.initial)
    doctor = said.get("practitioner")
    minutes = minutes or said.get("minutes") or usual_length(patient.clinic.cell_minutes)
    offers: Offers | None = None
    if doctor:
        wanted = Wanted(doctor, minutes, said.get("not_before"), at)
        offers = offers_for(patient, wanted, now=here.now, nearest=free)
    return {"doctor": doctor, "minutes": minutes, "offers": offers}
