"""The copy is asked for on the patient's record by whoever answers for it; that it was taken is in the trail."""

import tempfile
from uuid import UUID

from django.http import FileResponse, HttpRequest
from django.urls import path
from django.views.decorators.http import require_POST

from clinic_journey.audit.middleware import event_by, origin_of
from clinic_journey.full_copy.archive import IN_MEMORY, write_copy
from patients import audit
from patients.access import Here, for_staff, patient_here
from patients.models import MANAGERS, AuditAction


@require_POST
@for_staff(*MANAGERS)
def full_copy(request: HttpRequest, here: Here, patient_id: UUID) -> FileResponse:
    """Everything about her, handed out by a manager who has seen who asks. A parent gets what is not kept from them."""
    patient = patient_here(here, patient_id)
    taken = event_by(
        origin_of(request), now=here.now, what="full_copy", action=AuditAction.EXPORT, what_id=str(patient_id)
    )
    taken.clinic_id, taken.patient_id = patient.clinic_id, patient.pk
    audit.record(taken)  # first, so that the copy itself says that it was made
    out = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by the answer, once it was sent
    write_copy(patient, out, now=here.now, for_parents=request.POST.get("for") == "parents")
    out.seek(0)
    name = f"record-{here.now:%Y-%m-%d}.zip"  # of nobody by its name
    return FileResponse(out, as_attachment=True, filename=name, content_type="application/zip")


urlpatterns = [path("patients/<uuid:patient_id>/copy/", full_copy, name="full_copy")]
