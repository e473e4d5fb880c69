"""Closing a patient's record, opening it again, and two records of one person made one."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from appointments.models import Appointment
from appointments.queries import MOVABLE
from journeys.models import OPEN_JOURNEYS, Journey
from outreach.closing import merge_records, record_death, reopen_record
from patients import audit
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError
from patients.models import Patient, PatientStatus
from patients.queries import first_found, named_by, patients_of

MOST = 8  # records offered, as in the search for a caller


@dataclass(frozen=True)
class Record:
    """One of the two records, with what is going on in it."""

    patient: Patient
    journeys: list[Journey]
    visits: list[Appointment]


@require_POST
@for_staff()
def died(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """The record is closed; what was open in it ends without a word to anybody."""
    said = _("Closed. The desk has a step to check what has ended.")
    return _done(request, here, patient_id, record_death, said)


@require_POST
@for_staff()
def reopen(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """It was said by mistake that she has died."""
    said = _("Open again. What had ended is not back: the desk has a step to see to it.")
    return _done(request, here, patient_id, reopen_record, said)


def _done(
    request: HttpRequest, here: Here, patient_id: UUID, act: Callable[..., object], said: str
) -> HttpResponse:
    """Both ask for the words of whoever told us."""
    found = patient_here(here, patient_id)
    try:
        act(found, request.POST.get("words", "").replace("\0", ""), now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("patient", found.public_id)


@require_http_methods(["GET", "POST"])
@for_staff()
def merge(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """The record in the address stays; the other is looked for, shown beside it, and retired on POST."""
    stays = patient_here(here, patient_id)
    others = patients_of(here.clinic).filter(status=PatientStatus.ACTIVE).exclude(pk=stays.pk)
    given = request.POST if request.method == "POST" else request.GET
    other = named_by(others.select_related("clinic"), given.get("other", ""))
    if request.method == "POST" and other:
        try:
            merge_records(other, stays, now=here.now, by=here.user)
        except RefusedError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("One record now. The desk has a step to check what has ended."))
            return redirect("patient", stays.public_id)
    text = request.GET.get("q", stays.full_name).strip()
    found = list(first_found(others.prefetch_related("contacts__contact_point"), text, MOST)) if text else []
    audit.shows(rows=len(found))
    context = {"patient": stays, "q": text, "found": found}
    if other:
        context |= {"other": other, "records": [_record(stays, here), _record(other, here)]}
    return render(request, "patient_record/merge.html", context)


def _record(patient: Patient, here: Here) -> Record:
    journeys = patient.journeys.filter(status__in=OPEN_JOURNEYS).select_related("template").order_by("pk")
    visits = patient.appointments.filter(status__in=MOVABLE, start__gt=here.now)
    return Record(patient, list(journeys), list(visits.select_related("practitioner").order_by("start")))


_ONE = "patients/<uuid:patient_id>/"
urlpatterns = [
    path(f"{_ONE}died/", died, name="died"),
    path(f"{_ONE}reopen/", reopen, name="reopen"),
    path(f"{_ONE}merge/", merge, name="merge"),
]
