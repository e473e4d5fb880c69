"""The service card at the desk, and whose is still to be asked: by desk and week, and who comes next."""

from dataclasses import replace
from datetime import time
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments.forms import ComesForm
from clinic_journey.addresses import reach_of
from clinic_journey.card_rates import coming_without_card, rates_of, weeks_before
from outreach.learned import PHONE, Learned, learn
from outreach.queries import tries_of
from outreach.reach import message_channel_for
from patients import audit
from patients.access import Here, for_staff, patient_here
from patients.actions import CardAnswers, RefusedError, save_card, save_coming
from patients.card_form import CardForm
from patients.coming import WHOLE_DAY
from patients.models import MANAGERS, CardState, Channel, Patient, ServiceCard
from patients.presses import back_from, way_back
from patients.repeats import Asked, once

PAGE = 30
KEY = 36  # signs of a key that are looked at
ALL_DAYS = range(7)


def card_of(patient: Patient, form: CardForm, here: Here) -> dict[str, object]:
    """What the card's panel shows, on the patient's page and on its own."""
    card: ServiceCard | None = getattr(patient, "card", None)
    return {
        "patient": patient,
        "card": card,
        "card_form": form,
        "card_key": uuid4().hex,
        "card_state": card.state(now=here.now) if card else CardState.MISSING,
        "learned": learned_about(patient),
    }


def learned_about(patient: Patient) -> Learned:
    return learn(tries_of(patient), zone=patient.zone)


def own_page(patient: Patient) -> str:
    return reverse("patient", args=[patient.public_id])


@require_http_methods(["GET", "POST"])
@for_staff()
def card(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """Asked at check-in and before check-out; afterwards back to where she was."""
    patient = patient_here(here, patient_id)
    form = CardForm.of(patient, request.POST if request.method == "POST" else None, now=here.now)
    back = way_back(request, or_to=own_page(patient))
    if form.is_valid():
        answers = form.answers()
        if "learned" in request.POST:
            answers = with_learned(answers, learned_about(patient), patient)
        _save_once(request.POST, patient, answers, here)
        _say(request, ServiceCard.objects.get(patient=patient))
        return HttpResponseRedirect(back)
    form.fields["channel"].widget.attrs["autofocus"] = True  # so that the keys are heard at once
    context = card_of(patient, form, here) | reach_of(patient, here) | {"back": back}
    return render(request, "patients/card.html", context, status=422 if form.errors else 200)


@require_POST
@for_staff()
def coming(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """When she can come, noted where a time is chosen; then back there, with the times that suit."""
    patient = patient_here(here, patient_id)
    form = ComesForm(request.POST, card=getattr(patient, "card", None))
    said = form.said() if form.is_valid() else None
    try:
        if said is not None:
            save_coming(patient, said, now=here.now)
            messages.success(request, _("The service card says when the patient can come."))
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return back_from(request, or_to=own_page(patient))


def _save_once(posted: QueryDict, patient: Patient, answers: CardAnswers, here: Here) -> None:
    """The same form from the same page is one save, however often a bad line repeats it."""

    def save() -> UUID:
        save_card(patient, answers, now=here.now, by=here.user)
        return patient.public_id

    key = posted.get("request_key", "")[:KEY]
    if not key:
        save()
        return
    form = sorted((name, values) for name, values in posted.lists() if name != "csrfmiddlewaretoken")
    said = salted_hmac("service card", f"{patient.pk} {form}", algorithm="sha256").hexdigest()
    once(Asked(here.clinic, f"{key} {said[:KEY]}", said), save, now=here.now)


def _say(request: HttpRequest, saved: ServiceCard) -> None:
    if saved.missing:
        words = _("Saved. Still to be asked: %(missing)s.") % {"missing": ", ".join(saved.missing)}
        messages.warning(request, words)
    else:
        messages.success(request, _("The service card is saved as the patient said."))


def with_learned(answers: CardAnswers, learned: Learned, patient: Patient) -> CardAnswers:
    """The patient confirms what her answers taught us, so from now on it is told."""
    if learned.by == PHONE:
        answers = replace(answers, channel=Channel.PHONE)
    elif learned.by and (channel := message_channel_for(patient)):
        answers = replace(answers, channel=channel)
    if learned.band:
        start, end = learned.band
        span = (time(start), time(end) if end in range(24) else WHOLE_DAY[1])
        days = sorted({day for day, _start, _end in answers.windows}) or ALL_DAYS
        answers = replace(answers, windows=tuple((day, *span) for day in days), hours_told=True)
    return answers


@require_GET
@for_staff()
def cards(request: HttpRequest, here: Here) -> HttpResponse:
    """How many of those seen have a card, by desk and week; and who comes today or tomorrow without one."""
    rates = rates_of(here.clinic, now=here.now)
    shown = (
        rates.by_desk
        if here.role in MANAGERS
        else [one for one in rates.by_desk if one.user_id == here.user.pk]
    )
    waiting = list(
        coming_without_card(here.clinic, after=request.GET.get("after", ""), now=here.now)[: PAGE + 1]
    )
    audit.shows(rows=len(waiting[:PAGE]))
    context = {
        "weeks": weeks_before(here.now, here.clinic.time_zone),
        "everybody": rates.everybody,
        "desks": shown,
        "visits": [(visit, _state_of(visit.patient, here)) for visit in waiting[:PAGE]],
        "more": waiting[PAGE - 1].public_id if len(waiting) > PAGE else None,
        "is_later_page": bool(request.GET.get("after")),
    }
    return render(request, "patients/cards.html", context)


def _state_of(patient: Patient, here: Here) -> CardState:
    found: ServiceCard | None = getattr(patient, "card", None)
    return found.state(now=here.now) if found else CardState.MISSING


urlpatterns = [
    path("cards/", cards, name="cards"),
    path("<uuid:patient_id>/card/", card, name="card"),
    path("<uuid:patient_id>/coming/", coming, name="coming"),
]
