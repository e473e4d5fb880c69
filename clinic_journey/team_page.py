"""The team: thanks that reach whom they are for, extra steps seen by colleagues, the change of shifts.

Figures are the clinic's and one's own. Nothing here asks for those of anybody else, so there is nothing to rank.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic_journey.handover import (
    LONGEST as LONGEST_NOTE,
    hand_over,
    handovers_visible_to,
    still_open,
    take_over,
    waiting_handovers,
)
from outreach.praise import (
    MONTH,
    figures,
    members_of,
    not_seen,
    note_extra,
    praise_visible_to,
    say_whom,
    thanks_from_messages,
)
from patients import audit
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError
from patients.models import MANAGERS
from patients.queries import key_in

OWN, EVIDENCE = 10, 50
LONGEST = 1000


@require_GET
@for_staff()
def team(request: HttpRequest, here: Here) -> HttpResponse:
    return _page(request, here)


def _page(request: HttpRequest, here: Here, status: int = 200) -> HttpResponse:
    """Mine, and all of us together; for managers besides what was written in a month, to thank from."""
    written = praise_visible_to(here.user).filter(clinic=here.clinic).order_by("-at", "-pk")
    mine = list(written.filter(to=here.user)[:OWN])
    if any(each.seen_at is None for each in mine):
        not_seen(here.clinic, here.user, now=here.now).update(seen_at=here.now)
    context: dict[str, Any] = {
        "mine": mine,
        "own": figures(here.clinic, now=here.now, of=here.user),
        "all": figures(here.clinic, now=here.now),
        "colleagues": [each for each in members_of(here.clinic) if each.user_id != here.user.pk],
        "handovers": waiting_handovers(here.clinic).count(),
        "typed": request.POST,
        "longest": LONGEST,
    }
    if here.role in MANAGERS:
        context["nobodys"] = list(written.filter(to=None)[:EVIDENCE])
        context["evidence"] = list(written.filter(at__gt=here.now - MONTH, to__isnull=False)[:EVIDENCE])
        context["everybody"] = list(members_of(here.clinic))
    shown = [*mine, *context.get("nobodys", []), *context.get("evidence", [])]
    audit.shows(rows=sum(each.patient_id is not None for each in shown))
    return render(request, "team/team.html", context, status=status)


def _member(here: Here, key: str) -> User | None:
    found = members_of(here.clinic).filter(user=key_in(key) or 0).first()
    return found.user if found else None


@require_POST
@for_staff()
def extra(request: HttpRequest, here: Here) -> HttpResponse:
    """Something a colleague did beyond duty, in one field."""
    to, words = _member(here, request.POST.get("to", "")), _text(request)
    try:
        if to is None:
            raise RefusedError(_("Choose a colleague."))
        note_extra(here.clinic, to, words, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return _page(request, here, status=422)
    messages.success(request, _("Written down. Your colleague reads it, and so does the manager."))
    return redirect("team")


def _text(request: HttpRequest) -> str:
    return request.POST.get("words", "").replace("\r\n", "\n").replace("\0", "").strip()[:LONGEST]


@require_POST
@for_staff(*MANAGERS)
def whose_thanks(request: HttpRequest, here: Here, praise_id: UUID) -> HttpResponse:
    found = get_object_or_404(praise_visible_to(here.user), clinic=here.clinic, public_id=praise_id)
    to = _member(here, request.POST.get("to", ""))
    try:
        if to is None:
            raise RefusedError(_("Choose a colleague."))
        say_whom(found, to)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your colleague reads it now."))
    return redirect("team")


@require_POST
@for_staff()
def message_is_thanks(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """In the inbox: what the patient wrote are thanks; a colleague may be named who reads them."""
    patient = patient_here(here, patient_id)
    to, heard = _member(here, request.POST.get("to", "")), key_in(request.POST.get("heard", ""))
    try:
        thanks_from_messages(patient, to, heard=heard, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("conversation", patient.public_id)
    messages.success(request, _("Taken as thanks. Whom they are for reads them."))
    return redirect("inbox")


@require_http_methods(["GET", "POST"])
@for_staff()
def handover(request: HttpRequest, here: Here) -> HttpResponse:
    """What is open when I go, with a note for whoever comes; and the notes that wait to be taken over."""
    if request.method == "POST":
        try:
            hand_over(request.POST.get("words", "").replace("\0", ""), here=here)
        except RefusedError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Handed over. It waits here for whoever comes next."))
            return redirect("handover")
    waiting = [
        (each, still_open(here.clinic, each.by, now=here.now))
        for each in waiting_handovers(here.clinic)[:OWN]
    ]
    mine = still_open(here.clinic, here.user, now=here.now)
    audit.shows(rows=len(mine.own) + sum(len(each.own) for _note, each in waiting))
    context = {"waiting": waiting, "mine": mine, "longest": LONGEST_NOTE, "now": here.now}
    return render(request, "team/handover.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@for_staff()
def handover_take(request: HttpRequest, here: Here, handover_id: UUID) -> HttpResponse:
    found = get_object_or_404(handovers_visible_to(here.user), clinic=here.clinic, public_id=handover_id)
    try:
        taken = take_over(found, here=here)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Taken over, with what was open: %(n)s.") % {"n": taken})
    return redirect("handover")


urlpatterns = [
    path("team/", team, name="team"),
    path("team/extra/", extra, name="team_extra"),
    path("team/thanks/<uuid:praise_id>/", whose_thanks, name="whose_thanks"),
    path("inbox/<uuid:patient_id>/thanks/", message_is_thanks, name="message_is_thanks"),
    path("handover/", handover, name="handover"),
    path("handover/<uuid:handover_id>/take/", handover_take, name="handover_take"),
]
