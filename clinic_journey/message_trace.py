"""Why did this patient get no message? One click from her record, a line for every decision about every step."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from outreach.trace import trace_of
from patients.access import Here, for_staff, patient_here


@require_GET
@for_staff()
def message_trace(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    found = patient_here(here, patient_id)
    context = {"patient": found, "traces": trace_of(found, now=here.now), "now": here.now}
    return render(request, "patient_record/why.html", context)


urlpatterns = [path("patients/<uuid:patient_id>/why/", message_trace, name="message_trace")]
