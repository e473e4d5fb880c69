"""The waiting list on the patient's own page: her answer to an offer, and whether she wants a sooner time."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from appointments import waiting, waitlist
from appointments.suggestions import VISIT_MINUTES
from appointments.waiting_models import Offer
from appointments.waitlist import OfferTakenError, Wanted
from clinic_journey.patient_door import Visitor, with_page
from clinic_journey.patient_page import answerable_step, context_of
from journeys.models import Journey, StepKind
from outreach.offer_answers import ANSWERS, answer_offer
from outreach.queries import visit_of
from patients.actions import RefusedError
from patients.queries import named_by

NEAREST_NAMED = 3


@require_POST
@with_page
def offer(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Yes or no to a freed time. The first yes wins; who is later keeps her date and sees what else is free."""
    said, found = request.POST.get("said", ""), _offer(visitor.journey, request.POST.get("offer", ""))
    if found is None or said not in ANSWERS:
        return visitor.back()
    try:
        answer_offer(found, said, now=visitor.now, channel="page")
    except RefusedError as refusal:
        context = context_of(visitor, request) | {"refusal": str(refusal), "offer": None}
        if isinstance(refusal, OfferTakenError):
            context |= {"asked_for_time": True, "few_times": NEAREST_NAMED}
        return render(request, "patient_page/page.html", context, status=409)
    return visitor.back(said)


def _offer(journey: Journey, public_id: str) -> Offer | None:
    offers = Offer.objects.filter(entry__journey=journey)
    return named_by(offers.select_related("opening__practitioner__clinic", "entry"), public_id)


@require_POST
@with_page
def sooner(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """She would like a sooner time, or wants to hear of none. The same again changes nothing further."""
    journey, now = visitor.journey, visitor.now
    visit = visit_of(journey.pk)
    wants = request.POST.get("wants") == "yes"
    try:
        if wants and visit:
            wanted = Wanted(waitlist.minutes_of(visit), visit.practitioner)
            waitlist.wait_for_sooner(visit, wanted, now=now)
        elif wants and journey.patient:
            step = answerable_step(journey)
            if step and step.kind in {StepKind.BOOK, StepKind.RECALL}:
                waitlist.wait_for_any(journey.patient, step, Wanted(VISIT_MINUTES), now=now)
        elif entry := waiting.live_entry_in(journey, visit):
            waitlist.leave(entry, now=now, no_more=visit is not None)
    except RefusedError as refusal:
        context = context_of(visitor, request) | {"refusal": str(refusal)}
        return render(request, "patient_page/page.html", context, status=409)
    return visitor.back("sooner" if wants else "not_sooner")
