"""A few people a day to whom nobody has spoken for long: the facts, a sentence to say, and what came of it."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from outreach.contact_models import ContactEnd
from outreach.neglect import A_DAY, Neglected, neglected, note_contact, seen_today, shares
from patients import audit
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError
from patients.models import ContactPoint, Patient
from patients.queries import first_phone


@dataclass(frozen=True)
class Suggested:
    """One of today's, as the page shows it."""

    one: Neglected
    phone: ContactPoint | None
    say: str


@require_GET
@for_staff()
def neglected_list(request: HttpRequest, here: Here) -> HttpResponse:
    rows = [_suggested(each, here) for each in neglected(here.clinic, now=here.now)]
    audit.shows(rows=len(rows))
    context = {
        "rows": rows,
        "seen": seen_today(here.clinic, now=here.now),
        "a_day": A_DAY,
        "shares": shares(here.clinic, now=here.now),
        "ends": ContactEnd.choices,
    }
    return render(request, "neglected/list.html", context)


def _suggested(each: Neglected, here: Here) -> Suggested:
    tie = first_phone(each.patient)
    return Suggested(each, tie.contact_point if tie else None, _to_say(each.patient, each, here))


def _to_say(patient: Patient, each: Neglected, here: Here) -> str:
    """In her language: who calls, that nothing is wanted of her, and a question to listen to."""
    who = {
        "name": patient.given_name,
        "clinic": here.clinic.sender_name or here.clinic.name,
        "who": here.user.first_name or here.user.get_username(),
    }
    with translation.override(patient.language):
        if each.broken:
            question = _("We promised you something and were late; I am sorry. What would help you now?")
        elif each.is_open:
            question = _(
                "I am calling to ask how you are, and whether anything about what comes next is unclear."
            )
        else:
            question = _("I call for no reason but to ask how you are. Is there anything we can do for you?")
        return " ".join([_("Hello %(name)s, this is %(who)s from %(clinic)s.") % who, question])


@require_POST
@for_staff()
def neglected_done(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """What came of it: kept, and the patient is left in peace for a long while."""
    patient = patient_here(here, patient_id)
    ended = request.POST.get("ended", "")
    try:
        if ended not in ContactEnd.values:
            raise RefusedError(_("Choose how this ended."))
        words = request.POST.get("words", "").replace("\0", "")
        note_contact(patient, ContactEnd(ended), words, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Kept. Nobody is sent there again for months."))
    return redirect("neglected")


urlpatterns = [
    path("to-ask-how-they-are/", neglected_list, name="neglected"),
    path("to-ask-how-they-are/<uuid:patient_id>/", neglected_done, name="neglected_done"),
]
