"""Whether a machine may call a number, by the patient's own word at the desk."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from outreach.voice_consent import record_word
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.queries import ties_visible_to


@require_POST
@for_staff()
def address_calls(request: HttpRequest, here: Here, patient_id: UUID, tie_id: int) -> HttpResponse:
    ties = ties_visible_to(here.user).filter(patient__clinic=here.clinic)
    tie = get_object_or_404(ties, patient__public_id=patient_id, pk=tie_id)
    agrees = request.POST.get("agrees") == "yes"
    try:
        record_word(tie, agrees=agrees, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        said = _("Saved: a machine may call here.") if agrees else _("Saved: no machine calls here any more.")
        messages.success(request, said)
    return redirect("address", patient_id, tie_id)


urlpatterns = [
    path(
        "patients/<uuid:patient_id>/addresses/<int:tie_id>/calls/",
        address_calls,
        name="address_calls",
    )
]
