"""The patient's visit for the calendar of her phone: the clinic's name and the time, nothing about her care."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from appointments.models import AppointmentStatus
from clinic_journey.calendar_file import Event, calendar_file
from clinic_journey.patient_door import Visitor, with_page
from outreach.content import may_name_visits
from outreach.queries import visit_of


@require_safe
@with_page
def visit_file(_request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """A time that is only kept until the doctor has decided is in nobody's calendar yet."""
    visit, clinic = visit_of(visitor.journey.pk), visitor.journey.clinic
    is_told = visitor.is_known or may_name_visits(clinic)
    if visit is None or visit.status == AppointmentStatus.PENDING or not is_told:
        return visitor.back()
    name = clinic.sender_name or clinic.name
    event = Event(
        uid=f"{visit.public_id}@{urlsplit(settings.PUBLIC_URL).hostname}",
        start=visit.start,
        end=visit.end,
        summary=_("Visit at %(clinic)s") % {"clinic": name},
        description=_("Another time, or a question? Call %(phone)s") % {"phone": clinic.phone.as_national},
        written_at=visitor.now,
    )
    answer = HttpResponse(calendar_file(event), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="visit.ics"'
    return answer
