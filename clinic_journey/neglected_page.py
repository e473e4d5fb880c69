"""A few people a day to whom nobody has spoken for long: the facts, a sentence to say, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import translation
from django.utils.timesince import timesince
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_GET, require_POST

from clinic_journey.desk import turn_to
from clinic_journey.models import Serving
from clinic_journey.week_words import Suits, suiting
from outreach.calls import refuse_unless_lawful, refuse_while_reached
from outreach.contact_models import ContactEnd
from outreach.neglect import (
    A_DAY,
    Neglected,
    begin_contact,
    neglected,
    note_contact,
    number_to_ring,
    seen_today,
    shares,
    suits_a_call,
)
from outreach.preview import Window, window_of
from patients import audit
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError, StaleStateError
from patients.models import Channel, ContactPoint, Patient, PatientContact
from patients.presses import back_from
from patients.queries import first_phone, refuses_calls

IN_DAYS, A_YEAR = 60, 365


@dataclass(frozen=True)
class Ring:
    """What whoever rings by hand needs, where no step asks for the call."""

    patient: Patient
    phone: ContactPoint | None
    window: Window  # of calls, at this moment
    windows: list[Suits]  # what she told us
    needs_reason: bool  # to ring her now
    say: str
    is_mine: bool  # I am with this patient now, so the number is mine to dial
    served_by: str  # a colleague who is


@dataclass(frozen=True)
class Suggested(Ring):
    """One of today's, as the page shows it."""

    one: Neglected
    without_a_word: str  # how long


@require_GET
@for_staff()
def neglected_list(request: HttpRequest, here: Here) -> HttpResponse:
    found = list(neglected(here.clinic, now=here.now))
    prefetch_related_objects([each.patient for each in found], "card__windows")
    serving = Serving.objects.filter(patient__in=[each.patient for each in found], until__gt=here.now)
    with_whom = {each.patient_id: each.user for each in serving.select_related("user")}
    rows = [_suggested(each, with_whom.get(each.patient.pk), here) for each in found]
    audit.shows(rows=len(rows))
    context = {
        "rows": rows,
        "seen": seen_today(here.clinic, now=here.now),
        "a_day": A_DAY,
        "shares": shares(here.clinic, now=here.now),
        "ends": ContactEnd.choices,
    }
    return render(request, "neglected/list.html", context)


def _suggested(each: Neglected, served_by: User | None, here: Here) -> Suggested:
    tie = first_phone(each.patient, now=here.now, in_confidence=each.in_confidence)
    ring = ring_of(each.patient, tie, _to_say(each.patient, each, here), served_by, here)
    return Suggested(**vars(ring), one=each, without_a_word=_how_long(each, now=here.now))


def ring_of(
    patient: Patient, tie: PatientContact | None, say: str, served_by: User | None, here: Here
) -> Ring:
    """`say`: in her language. `served_by`: who is with her right now, me or a colleague."""
    is_mine = served_by == here.user
    other = "" if served_by is None or is_mine else served_by.first_name or served_by.get_username()
    card = getattr(patient, "card", None)
    window = window_of(patient, Channel.PHONE, now=here.now, clock=here.clock)
    return Ring(
        patient=patient,
        phone=tie.contact_point if tie else None,
        window=window,
        windows=suiting(card.windows.all()) if card else [],
        needs_reason=not suits_a_call(patient, window),
        say=say,
        is_mine=is_mine,
        served_by=other,
    )


def _how_long(each: Neglected, *, now: datetime) -> str:
    """In days as long as one counts in days; then in months, then in years and months."""
    if each.days < IN_DAYS:
        return ngettext("%(number)s day", "%(number)s days", each.days) % {"number": each.days}
    return timesince(each.last_at, now, depth=2 if each.days >= A_YEAR else 1)


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
def neglected_call(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """I call: nobody else is shown the number meanwhile, and at no hour at which nobody may call.

    Outside the hours or the way that the patient asked for, with a reason, as in Today.
    """
    patient = patient_here(here, patient_id)
    tie = number_to_ring(patient, now=here.now)
    try:
        if tie is None:
            refused = _("The patient asked us not to call.")
            raise RefusedError(refused if refuses_calls(patient) else _("There is no number to call."))
        refuse_unless_lawful(patient, now=here.now)
        refuse_while_reached(patient, tie)
        _ring(patient, request.POST.get("because", "").replace("\0", ""), here)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return back_from(request, or_to=reverse("neglected"))


@transaction.atomic
def _ring(patient: Patient, because: str, here: Here) -> None:
    other = turn_to(patient, here)
    if other:
        raise StaleStateError(_("%(who)s is with this patient right now.") % {"who": other})
    begin_contact(patient, because, now=here.now, by=here.user)


@require_POST
@for_staff()
def neglected_done(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """What came of it: kept, and the patient is left in peace for a while."""
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
        again = _("Kept. Nobody is sent there again for a while.")
        in_vain = _("Kept. In a few days another try is suggested.")
        messages.success(request, in_vain if ended == ContactEnd.NOT_REACHED else again)
    return back_from(request, or_to=reverse("neglected"))


urlpatterns = [
    path("to-ask-how-they-are/", neglected_list, name="neglected"),
    path("to-ask-how-they-are/<uuid:patient_id>/", neglected_done, name="neglected_done"),
    path("to-ask-how-they-are/<uuid:patient_id>/call/", neglected_call, name="neglected_call"),
]
