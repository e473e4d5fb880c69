"""The one-time link to a messenger, as a square to be read by the patient's own phone at the desk."""

from uuid import UUID

import segno
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods

from outreach.channels import in_use
from outreach.links_to_messengers import LASTS, link_for
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError
from patients.models import Channel


def can_link() -> bool:
    return Channel.TELEGRAM in in_use() and bool(settings.TELEGRAM_BOT_NAME)


@require_http_methods(["GET", "POST"])
@for_staff()
def messenger(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """Asked for (POST), a fresh link is made; looking at the page makes none."""
    patient = patient_here(here, patient_id)
    link, status = "", 200
    if request.method == "POST":
        try:
            link = link_for(patient, now=here.now, by=here.user)
        except RefusedError as refusal:
            messages.error(request, str(refusal))
            status = 422
    context = {
        "patient": patient,
        "can_link": can_link(),
        "link": link,
        "square": segno.make(link).svg_data_uri(scale=6) if link else "",
        "until": here.now + LASTS,
    }
    return render(request, "patient_record/messenger.html", context, status=status)


urlpatterns = [path("patients/<uuid:patient_id>/messenger/", messenger, name="messenger")]
