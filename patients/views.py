"""The list of patients, registration, corrections, and the choice of a clinic."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from patients import actions, audit
from patients.access import CLINIC_KEY, Here, for_staff, patient_here
from patients.details import correct_details
from patients.forms import DetailsForm, PatientForm
from patients.list_rows import rows_of
from patients.models import Patient
from patients.presses import back_from
from patients.queries import (
    BY_NAME,
    beyond,
    clinics_visible_to,
    key_in,
    listed,
    named_by,
    patients_of,
)

PAGE = 50


@require_GET
@for_staff()
def patient_list(request: HttpRequest, here: Here) -> HttpResponse:
    """A page of patients by name; `after` is the last one seen, so that depth costs nothing."""
    text = request.GET.get("q", "").strip()
    last = named_by(Patient.objects.filter(clinic=here.clinic), request.GET.get("after", ""))
    found = listed(beyond(patients_of(here.clinic), last, *BY_NAME), text, limit=PAGE + 1)
    more = found[PAGE - 1].public_id if len(found) > PAGE else None
    audit.shows(rows=len(found[:PAGE]))
    rows = rows_of(found[:PAGE], country=here.clinic.country)
    return render(request, "patients/list.html", {"rows": rows, "q": text, "more": more})


@require_http_methods(["GET", "POST"])
@for_staff()
def patient_new(request: HttpRequest, here: Here) -> HttpResponse:
    form = PatientForm(request.POST or None, initial={"language": here.clinic.language})
    if request.method == "POST" and form.is_valid():
        try:
            patient = actions.register_patient(here.clinic, form.new_patient(), now=here.now)
        except actions.RefusedError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved. Now ask how and when to reach the patient."))
            return redirect("patient", patient.public_id)
    status = 422 if request.method == "POST" else 200
    return render(request, "patients/new.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@for_staff()
def patient_details(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """Who the patient is, put right. What may be said where, and how she is reached, stand on the record itself."""
    patient = patient_here(here, patient_id)
    form = DetailsForm(request.POST if request.method == "POST" else None, patient)
    if form.is_valid():
        try:
            correct_details(patient, form.changes(), now=here.now)
        except actions.RefusedError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved. It holds from now on."))
            return redirect("patient", patient.public_id)
    context = {"form": form, "patient": patient}
    return render(request, "patients/details.html", context, status=422 if form.errors else 200)


@require_POST
@for_staff()
def choose_clinic(request: HttpRequest, here: Here) -> HttpResponse:
    chosen = request.POST.get("clinic", "")
    clinic = get_object_or_404(clinics_visible_to(here.user), pk=key_in(chosen) or 0)
    request.session[CLINIC_KEY] = clinic.pk
    return back_from(request, or_to="/")
