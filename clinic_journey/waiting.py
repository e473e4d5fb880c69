"""The waiting list at the desk: who waits, which times are being offered and what was answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments import openings, waiting, waitlist
from appointments.forms import SENSIBLE, AskedForm, lengths, usual_length
from appointments.models import Appointment, Practitioner, VisitType
from appointments.queries import appointments_visible_to, practitioners_visible_to, visit_types_of
from appointments.shown import version_of_waiting
from appointments.waiting_models import WaitlistEntry
from appointments.waves import WAVE
from journeys.models import Step
from journeys.queries import steps_visible_to
from outreach.channels import PHONE
from outreach.offer_answers import ANSWERS, YES, answer_offer
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Patient
from patients.presses import back_from
from patients.queries import beyond, key_in, named_by, patients_visible_to

PAGE, SHOWN = 50, 30  # entries a page; openings under way
COUNTED = timedelta(days=30)


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class WaitForm(forms.Form):
    """What she would take. When a message may come is on her service card and is not asked twice."""

    practitioner = forms.ModelChoiceField(
        label=gettext_lazy("Doctor"),
        queryset=Practitioner.objects.none(),
        required=False,
        empty_label=gettext_lazy("Any doctor"),
    )
    minutes = forms.TypedChoiceField(label=gettext_lazy("Minutes"), coerce=int)
    visit_type = forms.ModelChoiceField(
        label=gettext_lazy("Type of visit"),
        queryset=VisitType.objects.none(),
        required=False,
        empty_label=gettext_lazy("another"),
    )
    earliest_on = forms.DateField(
        label=gettext_lazy("Not before"), required=False, validators=SENSIBLE, widget=DayInput
    )
    latest_on = forms.DateField(
        label=gettext_lazy("Not after"), required=False, validators=SENSIBLE, widget=DayInput
    )

    def __init__(
        self,
        *args: Any,
        here: Here,
        doctors: QuerySet[Practitioner],
        visit: Appointment | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.here = here
        doctor, minutes = self.fields["practitioner"], self.fields["minutes"]
        assert isinstance(doctor, forms.ModelChoiceField)  # noqa: S101 - declared above
        assert isinstance(minutes, forms.TypedChoiceField)  # noqa: S101
        doctor.queryset = doctors
        minutes.choices = [(n, str(n)) for n in lengths(here.clinic.cell_minutes)]
        types = visit_types_of(here.clinic)
        if visit:  # it keeps its length and its type
            del self.fields["minutes"], self.fields["visit_type"]
        elif types.exists():
            kind = self.fields["visit_type"]
            assert isinstance(kind, forms.ModelChoiceField)  # noqa: S101
            kind.queryset = types
        else:
            del self.fields["visit_type"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        earliest, latest = given.get("earliest_on"), given.get("latest_on")
        if latest and latest < self.here.now.date():
            self.add_error("latest_on", _("This day is over. Choose one that is still to come."))
        elif earliest and latest and latest < earliest:
            self.add_error("latest_on", _("It ends before it begins. Choose a later day."))
        return given


@dataclass(frozen=True)
class Asked:
    """For what she would wait: another day for this visit, or a first date for this step, or for neither."""

    patient: Patient
    visit: Appointment | None
    step: Step | None
    doctor: Practitioner | None


@require_GET
@for_staff()
def waiting_list(request: HttpRequest, here: Here) -> HttpResponse:
    """Times under way first, then who waits, longest first; `after` is the last one seen."""
    version = version_of_waiting(here.clinic)  # before what it is of is read
    entries = waiting.live_entries(waiting.entries_visible_to(here.user).filter(clinic=here.clinic))
    last = named_by(WaitlistEntry.objects.filter(clinic=here.clinic), request.GET.get("after", ""))
    shown = list(beyond(entries, last, "since_at", "pk")[: PAGE + 1])
    of_clinic = waiting.openings_visible_to(here.user).filter(clinic=here.clinic)
    offers = waiting.offers_visible_to(here.user).filter(opening__clinic=here.clinic)
    audit.shows(rows=len(shown[:PAGE]))
    context = {
        "entries": shown[:PAGE],
        "next_url": f"?after={shown[PAGE - 1].public_id}" if len(shown) > PAGE else "",
        "openings": waiting.openings_under_way(of_clinic)[:SHOWN],
        "numbers": waiting.answers_since(offers, here.now - COUNTED),
        "version": version,
        "now": here.now,
    }
    return render(request, "waiting/list.html", context)


@require_http_methods(["GET", "POST"])
@for_staff()
def offer_time(request: HttpRequest, here: Here) -> HttpResponse:
    """One free time: whom it suits, in the order of asking, and what those asked have said."""
    doctor, start = _time_asked(request, here)
    if request.method == "POST":
        return _offer_now(request, here, doctor, start)
    opening = waiting.opening_at(doctor, start, now=here.now)
    asked = waiting.offers_visible_to(here.user).filter(opening=opening) if opening and opening.pk else []
    offers, fitting = list(asked), waiting.who_fits(opening, now=here.now) if opening else []
    audit.shows(rows=len(offers) + len(fitting))
    context = {
        "doctor": doctor,
        "start": start,
        "opening": opening,
        "offers": offers,
        "fitting": fitting,
        "preselected": WAVE,
        "now": here.now,
    }
    return render(request, "waiting/time.html", context)


def _time_asked(request: HttpRequest, here: Here) -> tuple[Practitioner, datetime]:
    form = AskedForm(request.GET)
    if not form.is_valid() or not form.cleaned_data["doctor"] or not form.cleaned_data["at"]:
        raise Http404
    doctors = practitioners_visible_to(here.user).filter(clinic=here.clinic)
    return get_object_or_404(doctors, pk=form.cleaned_data["doctor"]), form.cleaned_data["at"]


def _offer_now(request: HttpRequest, here: Here, doctor: Practitioner, start: datetime) -> HttpResponse:
    own = WaitlistEntry.objects.filter(clinic=here.clinic)
    keys = (key_in(text) for text in request.POST.getlist("entry"))
    chosen = own.filter(pk__in=[key for key in keys if key is not None])
    try:
        asked = openings.offer_by_hand(doctor, start, list(chosen.values_list("pk", flat=True)), now=here.now)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Offered to %(number)s. The first yes gets it.") % {"number": asked})
    return redirect(request.get_full_path())


@require_POST
@for_staff()
def offer_answer(request: HttpRequest, here: Here, offer_id: UUID) -> HttpResponse:
    """What she said on the phone or at the desk."""
    offers = waiting.offers_visible_to(here.user).filter(opening__clinic=here.clinic)
    offer = get_object_or_404(offers, public_id=offer_id)
    said = request.POST.get("said", "")
    if said not in ANSWERS:
        raise Http404
    try:
        answer_offer(offer, said, now=here.now, channel=PHONE, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        yes, no = (
            _("Booked. Repeat the date aloud."),
            _("Noted. This time is not offered to this patient again."),
        )
        messages.success(request, yes if said == YES else no)
    return back_from(request, or_to=reverse("waiting"))


@require_POST
@for_staff()
def leave_list(request: HttpRequest, here: Here, entry_id: UUID) -> HttpResponse:
    entries = waiting.entries_visible_to(here.user).filter(clinic=here.clinic)
    entry = get_object_or_404(entries, public_id=entry_id)
    waitlist.leave(entry, now=here.now, no_more="no_more" in request.POST)
    messages.success(request, _("Taken off the waiting list."))
    return redirect("waiting")


@require_http_methods(["GET", "POST"])
@for_staff()
def wait(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """Put a patient on the list: `visit` or `step` in the address say for what."""
    patients = patients_visible_to(here.user).filter(clinic=here.clinic)
    asked = _asked(request, here, get_object_or_404(patients, public_id=patient_id))
    form = WaitForm(
        request.POST or None,
        here=here,
        doctors=practitioners_visible_to(here.user).filter(clinic=here.clinic),
        visit=asked.visit,
        initial={
            "practitioner": asked.visit.practitioner if asked.visit else asked.doctor,
            "minutes": _minutes_asked(request, here),
            "visit_type": request.GET.get("type", ""),
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            _join(asked, form.cleaned_data, here)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("On the waiting list. The patient is asked when a time becomes free.")
            )
            return redirect("waiting")
    context = {
        "patient": asked.patient,
        "visit": asked.visit,
        "step": asked.step,
        "form": form,
        "entry": waiting.entry_of_visit(asked.visit) if asked.visit else None,
    }
    return render(request, "waiting/wait.html", context, status=422 if form.errors else 200)


def _asked(request: HttpRequest, here: Here, patient: Patient) -> Asked:
    form = AskedForm(request.GET)
    if not form.is_valid():
        raise Http404
    doctor, step, visit = form.cleaned_data["doctor"], form.cleaned_data["step"], request.GET.get("visit")
    doctors = practitioners_visible_to(here.user).filter(clinic=here.clinic)
    steps = steps_visible_to(here.user).filter(journey__patient=patient)
    visits = appointments_visible_to(here.user).filter(patient=patient)
    try:
        visit_id = UUID(visit) if visit else None
    except ValueError as error:
        raise Http404 from error
    return Asked(
        patient=patient,
        visit=get_object_or_404(visits, public_id=visit_id) if visit_id else None,
        step=get_object_or_404(steps, public_id=step) if step else None,
        doctor=get_object_or_404(doctors, pk=doctor) if doctor else None,
    )


def _minutes_asked(request: HttpRequest, here: Here) -> int:
    cell, minutes = here.clinic.cell_minutes, key_in(request.GET.get("minutes", ""))
    return minutes if minutes in lengths(cell) else usual_length(cell)


def _join(asked: Asked, said: dict[str, Any], here: Here) -> None:
    wanted = waitlist.Wanted(
        minutes=waitlist.minutes_of(asked.visit) if asked.visit else said["minutes"],
        practitioner=said["practitioner"],
        earliest_on=said["earliest_on"],
        latest_on=said["latest_on"],
        visit_type=said.get("visit_type"),
    )
    if asked.visit:
        waitlist.wait_for_sooner(asked.visit, wanted, now=here.now, by=here.user)
    else:
        waitlist.wait_for_any(asked.patient, asked.step, wanted, now=here.now, by=here.user)
