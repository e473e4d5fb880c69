"""The calendar in other shapes: a day on paper."""

from datetime import timedelta
from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from appointments.queries import appointments_visible_to, day_on_paper
from appointments.views import asked_of
from patients.access import Here, for_staff


@require_GET
@for_staff()
def calendar_print(request: HttpRequest, here: Here) -> HttpResponse:
    """The visits of a day, a list for each doctor; one page without a script, made for paper."""
    on = asked_of(request)["on"] or timezone.localtime(here.now).date()
    visits = day_on_paper(appointments_visible_to(here.user), here.clinic, on)
    by_doctor = [
        (doctor, list(each)) for doctor, each in groupby(visits, key=lambda visit: visit.practitioner)
    ]
    context = {
        "on": on,
        "before": on - timedelta(days=1),
        "after": on + timedelta(days=1),
        "doctors": by_doctor,
        "now": here.now,
    }
    return render(request, "appointments/print.html", context)
