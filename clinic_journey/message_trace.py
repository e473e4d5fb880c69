"""Why did this patient get no message? One click from her record, a line for every decision about every step."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from journeys.models import Step
from outreach.trace import trace_of
from patients.access import Here, for_staff, patient_here
from patients.queries import named_by


@require_GET
@for_staff()
def message_trace(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    found = patient_here(here, patient_id)
    step = named_by(Step.objects.filter(journey__patient=found), request.GET.get("step", ""))
    traces = trace_of(found, now=here.now, asked=step.public_id if step else None)
    context = {"patient": found, "traces": traces, "now": here.now}
    return render(request, "patient_record/why.html", context)


urlpatterns = [path("patients/<uuid:patient_id>/why/", message_trace, name="message_trace")]
