"""A call from the patient's record: the row of Today where anything is open, else a page of its own."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from clinic_journey.caller import caller_context
from clinic_journey.desk_queue import queue_of
from clinic_journey.models import Serving
from clinic_journey.neglected_page import ring_of
from clinic_journey.patient_record import next_steps
from clinic_journey.today_page import item
from journeys.models import Step, StepKind
from outreach.channels import PHONE
from outreach.contact_models import ContactEnd
from outreach.neglect import number_to_ring
from outreach.rendering import CannotRender, Facts, Texts
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError, refuse_unless_active
from patients.models import MaySay, Patient, PatientContact, Relation
from patients.queries import refuses_calls


@require_GET
@for_staff()
def call_patient(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """The number, what to say and how it can end; about what is most pressing, where anything is open."""
    patient = patient_here(here, patient_id)
    try:
        refuse_unless_active(patient.pk)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("patient", patient.public_id)
    step = _most_pressing(patient, here)
    if step:
        return redirect(item(step))
    serving = Serving.objects.filter(patient=patient, until__gt=here.now).select_related("user").first()
    tie = number_to_ring(patient, now=here.now)
    ring = ring_of(patient, tie, _opening(patient, tie, here), serving.user if serving else None, here)
    context = {
        "patient": patient,
        "row": ring,
        "is_refused": ring.phone is None and refuses_calls(patient),
        "ends": ContactEnd.choices,
        "next": request.path,
        "back": reverse("patient", args=[patient.public_id]),
        **caller_context(patient, here),
    }
    return render(request, "patient_record/call.html", context)


def _most_pressing(patient: Patient, here: Here) -> Step | None:
    """As Today orders it; what does not stand there comes after. Nobody is called about a review."""
    steps = {step.pk: step for step in next_steps(patient) if step.kind != StepKind.REVIEW}
    rows = queue_of(here, patient_id=patient.pk).everything
    listed = [each.due.pk for row in rows for each in [row, *row.others]]
    return next((steps[pk] for pk in [*listed, *steps] if pk in steps), None)


def _opening(patient: Patient, tie: PatientContact | None, here: Here) -> str:
    """Who calls, in her language; to whoever may only be asked to have her call back, that."""
    key = "ask_to_call_back" if tie and tie.may_say == MaySay.CALL_BACK else "call_opening"
    hers = tie is None or tie.relation == Relation.SELF
    who = here.user.first_name or here.user.get_username()
    facts = Facts(patient.given_name, "", variant=patient.gender if hers else "", who=who)
    try:
        said = Texts([key], [patient.clinic_id]).render(key, PHONE, patient.language, facts, patient.clinic)
    except CannotRender:
        return ""
    return said.body


urlpatterns = [path("patients/<uuid:patient_id>/call/", call_patient, name="call_patient")]
