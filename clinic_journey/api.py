"""The REST API's root: the routes of all apps, and refusals as answers. See docs/integrations.md."""

from typing import Any

from rest_framework import status
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.views import exception_handler

from appointments.api import AppointmentViewSet, PractitionerViewSet
from appointments.visits import SlotTakenError
from appointments.waiting_api import WaitingViewSet
from clinic_journey.complaints_api import ComplaintViewSet
from clinic_journey.team_api import HandoverViewSet, PraiseViewSet
from inquiries.api import InquiryViewSet
from inquiries.offerings_api import OfferingViewSet
from outreach.api import MessageTraceViewSet, OutreachTaskViewSet
from patients.actions import RefusedError, StaleStateError
from patients.api import AlreadyRegisteredError, PatientViewSet
from patients.rest import RefusalSerializer
from referrals.api import DocumentViewSet, ReferralViewSet


class Router(DefaultRouter):
    include_format_suffixes = False  # one address for each thing


router = Router(use_regex_path=False)
router.register("patients", PatientViewSet, basename="api-patient")
router.register("referrals", ReferralViewSet, basename="api-referral")
router.register("incoming-documents", DocumentViewSet, basename="api-document")
router.register("appointments", AppointmentViewSet, basename="api-appointment")
router.register("practitioners", PractitionerViewSet, basename="api-practitioner")
router.register("waiting-list", WaitingViewSet, basename="api-waiting")
router.register("offerings", OfferingViewSet, basename="api-offering")
router.register("inquiries", InquiryViewSet, basename="api-inquiry")
router.register("complaints", ComplaintViewSet, basename="api-complaint")
router.register("praise", PraiseViewSet, basename="api-praise")
router.register("handovers", HandoverViewSet, basename="api-handover")
router.register("outreach-tasks", OutreachTaskViewSet, basename="api-outreach-task")
router.register("message-traces", MessageTraceViewSet, basename="api-message-trace")


def refusal_as_answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """409 where somebody was first, 422 where the request itself cannot be done; the rest is DRF's."""
    match error:
        case SlotTakenError():
            more = {"taken_by": error.taken_by, "free": error.free}
            return _refusal(status.HTTP_409_CONFLICT, "slot_taken", error.for_staff, **more)
        case AlreadyRegisteredError():
            known = error.patient.public_id
            return _refusal(status.HTTP_409_CONFLICT, error.code, str(error), patient=known)
        case StaleStateError():
            return _refusal(status.HTTP_409_CONFLICT, "stale_state", str(error))
        case RefusedError():
            code = getattr(error, "code", "refused")
            return _refusal(status.HTTP_422_UNPROCESSABLE_ENTITY, code, str(error))
    return exception_handler(error, context)


def _refusal(http_status: int, code: str, detail: str, **more: Any) -> Response:
    return Response(RefusalSerializer({"code": code, "detail": detail, **more}).data, status=http_status)
