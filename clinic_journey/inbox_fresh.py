"""What patients have written or sent since a page of the inbox was made: a line to press, never a row that moves."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clinic_journey.enclosed_files import how_many_of
from outreach.models import Reply
from patients.access import Here, for_staff
from patients.models import Patient
from patients.polling import unless_seen
from patients.queries import key_in, named_by

MOST = 100


def newest_in(here: Here) -> int:
    """The newest words that a person answers; whatever has a higher key has come since."""
    asked = Reply.objects.filter(clinic=here.clinic, matter__isnull=False)
    return asked.order_by("-pk").values_list("pk", flat=True).first() or 0


@require_GET
@for_staff()
def fresh(request: HttpRequest, here: Here) -> HttpResponse:
    """Of the whole inbox, or of the one conversation that is open; as many as a badge shows."""
    since, whose = key_in(request.GET.get("since", "")) or 0, request.GET.get("of", "")
    written, came = Reply.objects.filter(clinic=here.clinic, pk__gt=since, matter__isnull=False), 0
    shown = key_in(request.GET.get("files", "")) or 0
    if whose:
        patient = named_by(Patient.objects.filter(clinic=here.clinic), whose)
        written = written.filter(patient=patient) if patient else written.none()
        came = max(0, how_many_of(patient) - shown) if patient else 0
    arrived = len(written.values_list("pk")[:MOST]) + came
    context = {"arrived": arrived, "since": since, "of": whose, "files": shown}
    return unless_seen(request, arrived, lambda: render(request, "inbox/_fresh.html", context))
