"""Complaints for whoever answers for the clinic: what is open, one of them step by step, and what they changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic_journey.caller import MY_ROLE
from journeys.models import Step, StepStatus
from outreach.complaint_models import BY_HAND, CameBy, Complaint, Understood
from outreach.complaints import (
    Change,
    answer_complaint,
    ask_reader,
    complain,
    complaint_from_messages,
    complaints_visible_to,
    find_misunderstood,
    find_understood,
    restate,
    tell_change,
)
from outreach.praise import members_of
from patients import audit
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError
from patients.models import MANAGERS, Membership, Role
from patients.queries import beyond, key_in, named_by

PAGE = 25
LONGEST = 4000
NEXT = {
    "restate": gettext_lazy("to be put in our own words"),
    "understood": gettext_lazy("is it understood?"),
    "answer": gettext_lazy("to be answered"),
    "change": gettext_lazy("to say what has changed"),
    "": gettext_lazy("all is told"),
}


@dataclass(frozen=True)
class Row:
    complaint: Complaint
    due_at: datetime | None
    is_late: bool

    @property
    def next(self) -> str:
        return str(NEXT[self.complaint.stage])


@require_GET
@for_staff()
def complaint_list(request: HttpRequest, here: Here) -> HttpResponse:
    """Those that wait for us, the oldest first; those that are over, the newest first. A reader sees her own."""
    mine = complaints_visible_to(here.user).filter(clinic=here.clinic)
    is_over = request.GET.get("list") == "over"
    order = ("-came_at", "-pk") if is_over else ("came_at", "pk")
    found = mine.filter(changed_at__isnull=not is_over).order_by(*order)
    last = named_by(mine, request.GET.get("after", ""))
    page = list(beyond(found, last, *order)[: PAGE + 1])
    audit.shows(rows=len(page[:PAGE]))
    due = _due_of(page[:PAGE])
    rows = [
        Row(each, due.get(each.journey_id), bool((at := due.get(each.journey_id)) and at <= here.now))
        for each in page[:PAGE]
    ]
    more = page[PAGE - 1].public_id if len(page) > PAGE else None
    context = {"rows": rows, "more": more, "is_over": is_over, "may_all": here.role in MANAGERS}
    return render(request, "complaints/list.html", context)


def _due_of(complaints: list[Complaint]) -> dict[int, datetime]:
    """By when the next of each is due, in one query."""
    waiting = Step.objects.filter(
        journey__in=[each.journey_id for each in complaints],
        status=StepStatus.ACTIVE,
        template_step__isnull=False,
        due_at__isnull=False,
    )
    soonest_last = waiting.order_by("-due_at").values_list("journey_id", "due_at")
    return {journey: due_at for journey, due_at in soonest_last if due_at}


def _complaint(here: Here, complaint_id: UUID) -> Complaint:
    return get_object_or_404(
        complaints_visible_to(here.user).filter(clinic=here.clinic), public_id=complaint_id
    )


@require_GET
@for_staff()
def complaint(request: HttpRequest, here: Here, complaint_id: UUID) -> HttpResponse:
    return _page(request, here, _complaint(here, complaint_id))


def _page(request: HttpRequest, here: Here, found: Complaint, status: int = 200) -> HttpResponse:
    others = members_of(here.clinic).exclude(user=found.restated_by_id).exclude(user=here.user)
    may_all = here.role in MANAGERS
    due_at = _due_of([found]).get(found.journey_id)
    context = {
        "complaint": found,
        "stage": found.stage,
        "may_all": may_all,
        "may_read": found.restated_by_id != here.user.pk,
        "colleagues": list(others) if may_all else [],
        "due_at": due_at,
        "is_late": bool(due_at and due_at <= here.now),
        "typed": request.POST,
        "longest": LONGEST,
    }
    return render(request, "complaints/complaint.html", context, status=status)


def _text(request: HttpRequest, name: str = "words") -> str:
    return request.POST.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()[:LONGEST]


@require_POST
@for_staff()
def complaint_step(request: HttpRequest, here: Here, complaint_id: UUID) -> HttpResponse:
    """One thing is done with it: `act` names it. Only a second reader needs to manage nothing."""
    found = _complaint(here, complaint_id)
    act = request.POST.get("act", "")
    acts = _acts(request, here, found)
    is_readers = act in {"read", "otherwise"} and found.reader_id == here.user.pk
    if act not in acts or not (here.role in MANAGERS or is_readers):
        return _page(request, here, found, status=422)
    try:
        acts[act]()
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        found.refresh_from_db()
        return _page(request, here, found, status=409)
    messages.success(request, _("Saved."))
    return redirect("complaint", found.public_id)


def _acts(request: HttpRequest, here: Here, found: Complaint) -> dict[str, Callable[[], object]]:
    words = _text(request)
    by: dict[str, Any] = {"now": here.now, "by": here.user}
    seen = _text(request, "seen")
    change = Change(
        words, is_changed=request.POST.get("is_changed") == "yes", is_published="publish" in request.POST
    )
    return {
        "restate": lambda: restate(found, words, **by),
        "reader": lambda: _ask(found, request.POST.get("reader", ""), here),
        "read": lambda: find_understood(found, Understood.READER, seen=seen, **by),
        "told": lambda: find_understood(found, Understood.TOLD_US, seen=seen, **by),
        "otherwise": lambda: find_misunderstood(found, words, seen=seen, **by),
        "answer": lambda: answer_complaint(found, words, **by),
        "change": lambda: tell_change(found, change, **by),
    }


def _ask(found: Complaint, asked: str, here: Here) -> None:
    reader = members_of(here.clinic).filter(user=key_in(asked) or 0).first()
    ask_member(found, reader, now=here.now, by=here.user)


def ask_member(found: Complaint, reader: Membership | None, *, now: datetime, by: User) -> None:
    """Whoever was chosen reads the complaint beside our words, in the work that is theirs."""
    if reader is None:
        raise RefusedError(_("Choose a colleague."))
    ask_reader(found, reader.user, role=MY_ROLE[Role(reader.role)], now=now, by=by)


@require_http_methods(["GET", "POST"])
@for_staff()
def new_complaint(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """At the desk, on the phone, or out of a voice note: written down in the patient's words."""
    patient = patient_here(here, patient_id)
    if request.method == "POST":
        came_by = next((each for each in BY_HAND if each == request.POST.get("came_by")), CameBy.DESK)
        try:
            complain(patient, _text(request), came_by, now=here.now, by=here.user)
        except RefusedError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Written down. Whoever answers for the clinic has it now."))
            return redirect("patient", patient.public_id)
    context = {
        "patient": patient,
        "ways": [(each.value, each.label) for each in BY_HAND],
        "typed": request.POST,
    }
    return render(request, "complaints/new.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@for_staff()
def message_is_complaint(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """In the inbox: what the patient wrote and waits for is a complaint."""
    patient = patient_here(here, patient_id)
    try:
        heard = key_in(request.POST.get("heard", ""))
        complaint_from_messages(patient, heard=heard, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("conversation", patient.public_id)
    messages.success(request, _("Taken as a complaint. It is put in our own words first, then answered."))
    return redirect("inbox")


@require_GET
@for_staff()
def what_changed(request: HttpRequest, here: Here) -> HttpResponse:
    """For everybody who works here: what complaints have changed, without who complained."""
    context = {"changes": changes_of(here.clinic.pk)}
    return render(request, "complaints/changes.html", context)


def changes_of(clinic_id: int) -> list[Complaint]:
    published = Complaint.objects.filter(clinic=clinic_id, is_published=True).order_by("-changed_at", "-pk")
    return list(published.only("change", "changed_at")[:PAGE])


urlpatterns = [
    path("complaints/", complaint_list, name="complaints"),
    path("complaints/changed/", what_changed, name="what_changed"),
    path("complaints/<uuid:complaint_id>/", complaint, name="complaint"),
    path("complaints/<uuid:complaint_id>/do/", complaint_step, name="complaint_step"),
    path("patients/<uuid:patient_id>/complaint/", new_complaint, name="new_complaint"),
    path("inbox/<uuid:patient_id>/complaint/", message_is_complaint, name="message_is_complaint"),
]
