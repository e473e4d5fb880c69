"""Whether what a page shows has changed since it was made: a line to press, never a row that moves.

A page names what it shows and the version of it that it has; it asks for the version of now every few seconds.
"""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from appointments.forms import YEARS
from appointments.models import AppointmentEvent
from appointments.shown import Days, version_of_days, version_of_waiting
from journeys.models import StepEvent
from outreach.models import Reply
from patients.access import Here, for_staff
from patients.models import Patient
from patients.polling import unless_seen, version_of
from patients.queries import named_by, patients_visible_to
from referrals.models import Result


def version_of_record(patient: Patient) -> str:
    """By the newest of what only grows: whatever is done with a patient leaves one of these."""
    of_patient = (
        StepEvent.objects.filter(step__journey__patient=patient),
        AppointmentEvent.objects.filter(appointment__patient=patient),
        Result.objects.filter(referral__patient=patient),
        Reply.objects.filter(patient=patient),
    )
    return version_of([found.order_by("-pk").values_list("pk", flat=True).first() for found in of_patient])


def _record(here: Here, of: str) -> str:
    patient = named_by(patients_visible_to(here.user).filter(clinic=here.clinic), of)
    if patient is None:
        raise Http404
    return version_of_record(patient)


def _days(here: Here, of: str) -> str:
    days = Days.named(of)
    if days is None or not {days.first.year, days.last.year} <= set(YEARS):
        raise Http404
    return version_of_days(days, here.clinic)


SHOWN: dict[str, Callable[[Here, str], str]] = {
    "days": _days,
    "waiting": lambda here, _of: version_of_waiting(here.clinic),
    "record": _record,
}


@require_GET
@for_staff()
def page_changed(request: HttpRequest, here: Here) -> HttpResponse:
    what, of, seen = (request.GET.get(name, "") for name in ("what", "of", "seen"))
    if what not in SHOWN:
        raise Http404
    is_changed = SHOWN[what](here, of) != seen
    context = {"what": what, "of": of, "seen": seen, "is_changed": is_changed}
    return unless_seen(request, is_changed, lambda: render(request, "_changed.html", context))


urlpatterns = [path("page-changed/", page_changed, name="page_changed")]
