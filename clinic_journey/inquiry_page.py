"""One question after its answer: a time, a name, whether we may call, last who pays; then how it ended."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appointments.visits import SlotTakenError
from clinic_journey import ask
from clinic_journey.answer_letter import Letter, came_back, last_sending, letter_of
from clinic_journey.caller_line import Clock
from clinic_journey.language import text_direction
from clinic_journey.why import took_words
from inquiries import actions, sending
from inquiries.forms import CallerForm, JoinForm, LostForm, PayerForm
from inquiries.models import Inquiry, LostCause, Outcome
from inquiries.queries import FreeTime, inquiries_visible_to, next_times, who_does
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Patient
from patients.queries import beyond, first_found, named_by, patients_of

PAGE = 50
AT_ONCE = timedelta(seconds=5)
KNOWN = 3  # records offered as perhaps the same person


@require_GET
@for_staff()
def inquiry_list(request: HttpRequest, here: Here) -> HttpResponse:
    """What was asked, the newest first."""
    mine = inquiries_visible_to(here.user).filter(clinic=here.clinic)
    last = named_by(mine, request.GET.get("after", ""))
    order = ("-asked_at", "-pk")
    found = list(beyond(mine.order_by(*order), last, *order)[: PAGE + 1])
    audit.shows(rows=len(found[:PAGE]))
    more = found[PAGE - 1].public_id if len(found) > PAGE else None
    context: dict[str, Any] = {"inquiries": found[:PAGE], "more": more}
    return render(request, "ask/list.html", context)


@require_GET
@for_staff()
def inquiry(request: HttpRequest, here: Here, inquiry_id: UUID) -> HttpResponse:
    return _page(request, here, ask.inquiry_of(here, inquiry_id))


def _page(request: HttpRequest, here: Here, found: Inquiry, **bound: forms.Form | Letter) -> HttpResponse:
    """The page as it is, or with a form that was refused and says why."""
    times = _times(found, here)
    context: dict[str, Any] = {
        "inquiry": found,
        "times": times,
        "is_nobodys": not times and _is_nobodys(found, here),
        "known": _known(found, here),
        "took": _took(found),
        "caller_form": _caller_form(None, found, here, times),
        "join_form": JoinForm(None, inquiry=found),
        "payer_form": PayerForm(initial={"payer": found.payer, "insurance": found.insurance}),
        "lost_form": LostForm(initial={"because": found.lost_because, "words": found.lost_words}),
        "said_direction": text_direction(found.said_in) if found.said_in else "auto",
        "sending": last_sending(found),
        "came_back": came_back(found),
    }
    if request.GET.get("then") == "send" and not found.is_unanswered and not found.patient_id:
        context["letter"] = letter_of(found, here)
    return render(request, "ask/inquiry.html", context | bound, status=422 if bound else 200)


def _took(found: Inquiry) -> str:
    """How long the question waited."""
    if found.answered_at is None:
        return ""
    took = found.answered_at - found.asked_at
    return (
        _("answered in %(time)s") % {"time": took_words(took)} if took >= AT_ONCE else _("answered at once")
    )


def _times(found: Inquiry, here: Here) -> list[FreeTime]:
    """The next free times now; the one that was chosen stays among them until a visit is booked."""
    if found.offering is None or found.is_unanswered or found.patient_id:
        return []
    times = list(next_times(found.offering, here.clinic, here.opening, now=here.now))
    if found.wants_at and found.wants_with and found.wants_at > here.now:
        chosen = FreeTime(found.wants_at, found.wants_with)
        if chosen.key not in {each.key for each in times}:
            times.append(chosen)
    return times


def _is_nobodys(found: Inquiry, here: Here) -> bool:
    """Its time could be chosen if somebody were known to do it."""
    offering = found.offering
    if offering is None or offering.visit_type is None or found.is_unanswered:
        return False
    return not who_does(offering, here.clinic, now=here.now)


def _caller_form(data: Any, found: Inquiry, here: Here, times: list[FreeTime]) -> CallerForm:
    clock = Clock(here.now, here.clinic.time_zone)
    words = [f"{clock.said(each.at)} · {each.practitioner.name}" for each in times]
    return CallerForm(data, inquiry=found, times=times, words=words)


def _known(found: Inquiry, here: Here) -> list[Patient]:
    """Who has this number, else this name; the desk decides whether it is she."""
    text = found.phone or found.name
    if not text or found.patient_id:
        return []
    known = list(first_found(patients_of(here.clinic), text, KNOWN))
    audit.shows(rows=len(known))
    return known


@require_POST
@for_staff()
def inquiry_caller(request: HttpRequest, here: Here, inquiry_id: UUID) -> HttpResponse:
    found = ask.inquiry_of(here, inquiry_id)
    form = _caller_form(request.POST, found, here, _times(found, here))
    if not form.is_valid():
        return _page(request, here, found, caller_form=form)
    return _done(
        request, found, lambda: actions.note_caller(found, form.caller(), now=here.now, by=here.user)
    )


@require_POST
@for_staff()
def inquiry_payer(request: HttpRequest, here: Here, inquiry_id: UUID) -> HttpResponse:
    found, form = ask.inquiry_of(here, inquiry_id), PayerForm(request.POST)
    if not form.is_valid():
        return _page(request, here, found, payer_form=form)
    return _done(request, found, lambda: actions.note_payer(found, **form.cleaned_data))


@require_POST
@for_staff()
def inquiry_end(request: HttpRequest, here: Here, inquiry_id: UUID) -> HttpResponse:
    """Will think about it and was called meanwhile, or went elsewhere and why."""
    found = ask.inquiry_of(here, inquiry_id)
    if "think" in request.POST:
        return _done(request, found, lambda: actions.will_think(found, now=here.now))
    if "called" in request.POST:
        return _done(request, found, lambda: actions.called(found, now=here.now, by=here.user))
    form = LostForm(request.POST)
    if not form.is_valid():
        return _page(request, here, found, lost_form=form)
    because, words = LostCause(form.cleaned_data["because"]), form.cleaned_data["words"]
    return _done(request, found, lambda: actions.lose(found, because, words, now=here.now, by=here.user))


def _done(request: HttpRequest, found: Inquiry, act: Any) -> HttpResponse:
    try:
        act()
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Saved."))
    return redirect("inquiry", found.public_id)


@require_POST
@for_staff()
def inquiry_send(request: HttpRequest, here: Here, inquiry_id: UUID) -> HttpResponse:
    """The answer in writing, as it stood on the page; or stopped; or said by word of mouth after all."""
    found = ask.inquiry_of(here, inquiry_id)
    if "stop" in request.POST:
        which = request.POST.get("sending", "")
        return _done(request, found, lambda: sending.do_not_send(found, which, now=here.now, by=here.user))
    if "told" in request.POST:
        return _done(request, found, lambda: sending.told_otherwise(found, now=here.now, by=here.user))
    typed = letter_of(found, here, request.POST)
    if not typed.form.is_valid():
        return _page(request, here, found, letter=typed)
    given = sending.Letter(**typed.form.cleaned_data, language=typed.language)
    try:
        sent = sending.send_answer(found, given, now=here.now, by=here.user)
    except RefusedError as refusal:
        typed.form.add_error(None, str(refusal))
        return _page(request, here, found, letter=typed)
    when = Clock(here.now, here.clinic.time_zone).said(sent.send_at)
    messages.success(request, _("It leaves %(when)s.") % {"when": when})
    return redirect("inquiry", found.public_id)


@require_POST
@for_staff()
def inquiry_join(request: HttpRequest, here: Here, inquiry_id: UUID) -> HttpResponse:
    """She becomes our patient, with a first visit ahead: booked where a time was chosen."""
    found = ask.inquiry_of(here, inquiry_id)
    form = JoinForm(request.POST, inquiry=found)
    if not form.is_valid():
        return _page(request, here, found, join_form=form)
    known, new = None, None
    if form.known:
        known = get_object_or_404(patients_of(here.clinic), public_id=form.known)
    else:
        new = form.new_patient()
    try:
        joined = actions.convert(found, known, new, now=here.now, by=here.user)
    except RefusedError as refusal:
        form.add_error(None, refusal.for_staff if isinstance(refusal, SlotTakenError) else str(refusal))
        return _page(request, here, found, join_form=form)
    is_booked = joined.outcome == Outcome.BOOKED
    words = (
        _("The visit is booked. Repeat the date aloud.")
        if is_booked
        else _("Saved. The visit has no date yet.")
    )
    messages.success(request, words)
    return redirect("inquiry", found.public_id)


urlpatterns = [
    path("ask/", ask.ask, name="ask"),
    path("ask/answered/", ask.answered, name="ask_answered"),
    path("ask/promised/", ask.promised, name="ask_promised"),
    path("ask/elsewhere/", ask.elsewhere, name="ask_elsewhere"),
    path("ask/list/", inquiry_list, name="inquiries"),
    path("ask/<uuid:inquiry_id>/", inquiry, name="inquiry"),
    path("ask/<uuid:inquiry_id>/answered/", ask.owed, name="inquiry_answered"),
    path("ask/<uuid:inquiry_id>/caller/", inquiry_caller, name="inquiry_caller"),
    path("ask/<uuid:inquiry_id>/payer/", inquiry_payer, name="inquiry_payer"),
    path("ask/<uuid:inquiry_id>/end/", inquiry_end, name="inquiry_end"),
    path("ask/<uuid:inquiry_id>/send/", inquiry_send, name="inquiry_send"),
    path("ask/<uuid:inquiry_id>/join/", inquiry_join, name="inquiry_join"),
]
