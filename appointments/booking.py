"""Booking a visit, and giving one another time: the screens that offer times and take one."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from appointments import actions
from appointments.forms import BookForm, ComesForm, MoveForm, TimesForm, usual_length
from appointments.keeping import book_kept, keep_for_minutes, kept_by, let_go
from appointments.models import Appointment, AppointmentStatus, Practitioner, VisitType
from appointments.offers import Offers, Wanted, offers_for
from appointments.queries import (
    MOVABLE,
    appointments_visible_to,
    practitioners_visible_to,
    visit_types_of,
    waited_for_in,
)
from appointments.views import (
    FOUND,
    Save,
    asked_of,
    found_visit,
    refuse_unless_seen,
    save_of,
    seen_of,
    words_of,
)
from appointments.visits import SlotTakenError, Visit, spoken, visit_of
from journeys.models import Journey, Step
from journeys.queries import steps_visible_to
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError, save_coming
from patients.models import Patient, ServiceCard


@require_http_methods(["GET", "POST"])
@for_staff()
def appointment_move(request: HttpRequest, here: Here, appointment_id: UUID, save: Save) -> HttpResponse:
    """Another time, another doctor or another length for the same visit."""
    visit = found_visit(here, appointment_id)
    asked = asked_of(request)
    if visit.status not in MOVABLE:
        messages.error(request, _("This visit cannot be moved any more."))
        return redirect("appointment", visit.public_id)
    doctors = _doctors(here, visit.patient)
    form = MoveForm(
        request.POST or None,
        practitioners=doctors,
        visit_types=visit_types_of(visit.clinic),
        cell_minutes=visit.patient.clinic.cell_minutes,
        initial={
            "practitioner": _chosen(doctors, asked["doctor"]) or visit.practitioner,
            "minutes": (visit.end - visit.start) // timedelta(minutes=1),
            "visit_type": visit.visit_type,
            "not_before": _first_day(asked),
        },
    )
    free: list[datetime] = []
    comes = _when_she_comes(request, visit.patient, here)
    if request.method == "POST" and form.is_valid() and not form.only_shows_times:
        try:
            refuse_unless_seen(request, visit)
            save_of(visit, "moved", lambda: _move(visit, form, here), save, here)
        except RefusedError as refusal:
            free = _refused(form, refusal)
        else:
            messages.success(request, _("Moved to %(time)s. Repeat the date aloud.") % _told(visit))
            return redirect("appointment", visit.public_id)
    context = {"visit": visit, "seen": seen_of(visit), "form": form, "patient": visit.patient, "comes": comes}
    context |= _times(form, visit.patient, here, at=asked["at"], free=free)
    return render(request, "appointments/move.html", context, status=422 if form.errors else 200)


def _move(visit: Appointment, form: MoveForm, here: Here) -> None:
    data = form.cleaned_data
    to = replace(
        visit_of(visit),
        practitioner=data["practitioner"],
        start=data["start"],
        minutes=data["minutes"],
        visit_type=data["visit_type"],
    )
    actions.relocate(visit, to, because=data["because"], now=here.now, by=here.user)


@require_http_methods(["GET", "POST"])
@for_staff()
def book_visit(request: HttpRequest, here: Here, patient_id: UUID, save: Save) -> HttpResponseBase:
    """A new visit; with `step` in the address, the one that this step asks for."""
    patient = patient_here(here, patient_id)
    asked = asked_of(request)
    steps = steps_visible_to(here.user).filter(journey__patient=patient)
    step = get_object_or_404(steps, public_id=asked["step"]) if asked["step"] else None
    doctors = _doctors(here, patient)
    types = visit_types_of(patient.clinic)
    form = BookForm(
        request.POST or None,
        practitioners=doctors,
        visit_types=types,
        cell_minutes=patient.clinic.cell_minutes,
        initial=_beginning(asked, patient, doctors, types, step.journey if step else None),
    )
    free: list[datetime] = []
    comes = _when_she_comes(request, patient, here)
    if request.method == "POST" and form.is_valid() and not form.only_shows_times:
        try:
            return _booked(request, form, patient, step, save, here)
        except RefusedError as refusal:
            free = _refused(form, refusal)
    context: dict[str, Any] = {
        "patient": patient,
        "step": step,
        "form": form,
        "comes": comes,
        "coming": _coming(patient, here),
    }
    context |= _times(form, patient, here, at=asked["at"], free=free)
    kept = kept_by(here.user).filter(patient=patient, hold_until__gt=here.now).first()
    left = kept.hold_until - here.now if kept and kept.hold_until else timedelta(0)
    context |= {"kept": kept, "kept_seconds": int(left.total_seconds())}
    return render(request, "appointments/book.html", context, status=422 if form.errors else 200)


@require_POST
@for_staff()
def appointment_let_go(request: HttpRequest, here: Here, appointment_id: UUID) -> HttpResponse:
    """Give back the time that this person keeps; the page may be gone already when it asks for that."""
    visits = appointments_visible_to(here.user).filter(clinic=here.clinic)
    visit = get_object_or_404(visits, public_id=appointment_id)
    if not kept_by(here.user).filter(pk=visit.pk).exists():
        raise Http404
    let_go(here.user)
    if "quietly" in request.POST:
        return HttpResponse(status=204)
    messages.success(request, _("The time is free again."))
    return redirect("patient", visit.patient.public_id)


def _when_she_comes(request: HttpRequest, patient: Patient, here: Here) -> ComesForm:
    """Asked while booking, and remembered: what was said is on her card before times are looked for."""
    form = ComesForm(request.POST or None, card=_card_of(patient))
    said = form.said() if form.is_valid() else None
    if said is None:
        return form
    try:
        save_coming(patient, said, now=here.now)
    except RefusedError as refusal:
        form.add_error(None, str(refusal))
        return form
    patient.refresh_from_db()
    return ComesForm(card=_card_of(patient))


def _card_of(patient: Patient) -> ServiceCard | None:
    """With what the form and the search for times both read."""
    card: ServiceCard | None = getattr(patient, "card", None)
    prefetch_related_objects([card] if card else [], "coming_windows")
    return card


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
    asked: dict[str, Any],
    patient: Patient,
    doctors: QuerySet[Practitioner],
    types: QuerySet[VisitType],
    journey: Journey | None,
) -> dict[str, Any]:
    """The doctor asked for, else the one who leads the journey, else the first; the journey as the title.

    While a result is awaited, times begin where it is expected.
    """
    doctor = _chosen(doctors, asked["doctor"])
    if doctor is None and journey and journey.doctor_id:
        doctor = next((each for each in doctors if each.user_id == journey.doctor_id), None)
    kind = next((each for each in types if asked["type"] in (None, each.pk)), None)
    usual = kind.minutes if kind else usual_length(patient.clinic.cell_minutes)
    awaited = waited_for_in(journey) if journey else None
    expected = timezone.localtime(awaited.due_at).date() if awaited and awaited.due_at else None
    return {
        "practitioner": doctor or next(iter(doctors), None),
        "visit_type": kind,
        "minutes": asked["minutes"] or usual,
        "title": asked["title"] or (journey.name if journey else ""),
        "not_before": _first_day(asked) or expected,
        "request_key": uuid4().hex,
    }


def _coming(patient: Patient, here: Here) -> QuerySet[Appointment]:
    """What is booked already: two visits by mistake are seen before the second."""
    visits = appointments_visible_to(here.user).filter(patient=patient, status__in=MOVABLE, end__gt=here.now)
    kept = kept_by(here.user).values("pk")
    return visits.exclude(pk__in=kept).order_by("start")[:FOUND]


def _booked(
    request: HttpRequest, form: BookForm, patient: Patient, step: Step | None, save: Save, here: Here
) -> HttpResponse:
    data = form.cleaned_data
    kind = data["visit_type"]
    title = data["title"] or (kind.name if kind else "")
    visit = Visit(patient, data["practitioner"], data["start"], data["minutes"], title, kind)
    if data["keep"]:
        keep_for_minutes(visit, now=here.now, by=here.user)
        return HttpResponseRedirect(f"{request.path}?{urlencode(_address(visit, step))}")
    # The same button pressed twice books once; another time pressed after going back is another visit.
    key = f"{data['request_key']} {visit.practitioner.pk} {visit.start:%Y%m%dT%H%M}"
    made: list[Appointment] = []

    def book() -> Appointment:
        made.append(book_kept(visit, step, now=here.now, by=here.user, request_key=key))
        return made[0]

    save(patient, step, "booked", book, here=here)
    words = _("%(state)s: %(time)s with %(doctor)s. Repeat the date aloud.")
    messages.success(request, words % _told(made[0]))
    return redirect("today") if step else redirect("patient", patient.public_id)


def _address(visit: Visit, step: Step | None) -> dict[str, Any]:
    """What the page was asked for, so that it looks the same after a time is kept."""
    said = {
        "doctor": visit.practitioner.pk,
        "minutes": visit.minutes,
        "title": visit.title,
        "on": timezone.localtime(visit.start).date(),
        "type": visit.visit_type.pk if visit.visit_type else 0,
    }
    return {**said, "step": step.public_id} if step else said


def _told(visit: Appointment) -> dict[str, str]:
    return {
        "state": str(AppointmentStatus(visit.status).label),
        "time": spoken(visit.start, visit.practitioner),
        "doctor": visit.practitioner.name,
    }


def _refused(form: TimesForm, refusal: RefusedError) -> list[datetime]:
    """Say why in the form; if somebody was first, return the next free times, which are offered at once."""
    form.add_error(None, words_of(refusal))
    return refusal.free if isinstance(refusal, SlotTakenError) else []


def _times(
    form: TimesForm, patient: Patient, here: Here, *, at: datetime | None, free: list[datetime]
) -> dict[str, Any]:
    """The times for what the form says now, valid or not; none without a doctor."""
    said = getattr(form, "cleaned_data", form.initial)
    doctor = said.get("practitioner")
    minutes = said.get("minutes") or usual_length(patient.clinic.cell_minutes)
    offers: Offers | None = None
    if doctor:
        doctors = form.fields["practitioner"].queryset  # type: ignore[attr-defined]  # a ModelChoiceField
        wanted = Wanted(
            doctor,
            minutes,
            said.get("not_before"),
            at,
            colleagues=tuple(each for each in doctors if each.pk != doctor.pk),
            always_colleagues=bool(said.get("any_doctor")),
        )
        offers = offers_for(patient, wanted, now=here.now, nearest=free)
    kind = said.get("visit_type")
    return {"doctor": doctor, "minutes": minutes, "offers": offers, "visit_type": kind}
