"""The one-time link to a messenger, as a square to be read at the desk by the phone that it is for."""

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from outreach.channels import in_use
from outreach.links_to_messengers import LASTS, MAY_BE_LINKED, link_for
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError
from patients.models import GUARDIANS, Channel, Patient, Relation
from patients.told import hears_for_herself


class WhoseForm(forms.Form):
    relation = forms.ChoiceField(
        label=gettext_lazy("Whose phone is it?"),
        choices=[(each.value, each.label) for each in MAY_BE_LINKED],
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Ask whoever holds it. What is kept from the parents goes to no phone but the patient's own."
        ),
        error_messages={"required": gettext_lazy("Ask whose phone it is, and choose.")},
    )

    def whose(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {"whose": said["relation"], "other_parent": said.get("other_parent", False)}


class WhichParentForm(WhoseForm):
    other_parent = forms.BooleanField(
        label=gettext_lazy("The other parent’s, who is told too"),
        required=False,
        help_text=gettext_lazy("Whose addresses are marked so on the record."),
    )


def can_link() -> bool:
    return Channel.TELEGRAM in in_use() and bool(settings.TELEGRAM_BOT_NAME)


@require_http_methods(["GET", "POST"])
@for_staff()
def messenger(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """Asked for (POST), a fresh link is made; looking at the page makes none."""
    patient = patient_here(here, patient_id)
    on = here.now.astimezone(ZoneInfo(patient.zone)).date()
    posted = request.POST if request.method == "POST" else None
    live_apart = patient.contacts.filter(other_parent=True).exists()
    form = (WhichParentForm if live_apart else WhoseForm)(
        posted, initial={"relation": _usually(patient, on=on)}
    )
    link, status = "", 200
    if form.is_valid():
        try:
            link = link_for(patient, now=here.now, by=here.user, **form.whose())
        except RefusedError as refusal:
            messages.error(request, str(refusal))
            status = 422
    context = {
        "patient": patient,
        "can_link": can_link(),
        "form": form,
        "link": link,
        "is_own": bool(link) and form.cleaned_data["relation"] == Relation.SELF,
        "square": segno.make(link).svg_data_uri(scale=6) if link else "",
        "until": here.now + LASTS,
    }
    return render(request, "patient_record/messenger.html", context, status=422 if form.errors else status)


def _usually(patient: Patient, *, on: date) -> str:
    """Who stands there with a phone: an adult with her own, a child with whoever is on the list as answering for it."""
    if not patient.is_minor(on=on) or hears_for_herself(patient, on=on):
        return Relation.SELF
    with_it = patient.contacts.filter(relation__in=GUARDIANS).first()
    return with_it.relation if with_it else ""


urlpatterns = [path("patients/<uuid:patient_id>/messenger/", messenger, name="messenger")]
