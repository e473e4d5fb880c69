"""One conversation: all that was written on either side, over every channel, and the answer."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic_journey import desk
from clinic_journey.caller import MY_ROLE
from clinic_journey.caller_line import Clock
from clinic_journey.desk import Press
from clinic_journey.enclosed_files import awaited_by, how_many_of
from clinic_journey.inbox_fresh import newest_in
from clinic_journey.inbox_lines import Line, ours_to, quick_answers, replies_of, theirs
from clinic_journey.models import DeskAction
from clinic_journey.today import instant_in
from journeys.actions import reassign_step
from journeys.chases import Promise, make_promise
from journeys.models import OwnerRole, Step, StepStatus
from journeys.promise_times import fits
from outreach.call_words import moment_of, wish_in
from outreach.conversations import ANSWERED, NOTHING_TO_ANSWER, Way, matters_of, ways_of
from outreach.models import Reply
from outreach.written import LONGEST, Written, leave_unanswered, write_back
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Membership, Patient, PatientStatus, Role
from patients.queries import key_in, patients_visible_to

GIVE = "give"  # in the address: the colleagues are asked for


@dataclass(frozen=True)
class Conversation:
    """What the page shows of one patient's messages."""

    lines: list[Line]
    replies: list[Reply]
    matters: list[Step]  # that wait for an answer, the oldest clock first
    ways: list[Way]

    @property
    def heard(self) -> int:
        """The newest message of hers that the page shows; one after it has been read by nobody."""
        return max((reply.pk for reply in self.replies), default=0)

    @property
    def matter(self) -> Step | None:
        return self.matters[0] if self.matters else None


def _patients(here: Here) -> QuerySet[Patient]:
    """With what the page has to know before anybody answers: the newest save, and who else is there."""
    saves = DeskAction.objects.filter(patient=OuterRef("pk")).order_by("-pk").values("pk")
    name = Coalesce(NullIf("user__first_name", Value("")), F("user__username"))
    other = desk.served_by_others(here).filter(patient=OuterRef("pk")).values_list(name)
    return (
        patients_visible_to(here.user)
        .filter(clinic=here.clinic)
        .select_related("clinic")
        .annotate(newest_save=Coalesce(Subquery(saves[:1]), 0), served_by=Subquery(other[:1]))
    )


def _patient(here: Here, patient_id: UUID) -> Patient:
    return get_object_or_404(_patients(here), public_id=patient_id)


def conversation_of(patient: Patient, here: Here) -> Conversation:
    replies = replies_of(patient)
    found = {reply.matter for reply in replies if reply.matter}
    waiting = [step for step in found if step.status == StepStatus.ACTIVE]
    said = [theirs(reply, patient.language) for reply in replies]
    lines = sorted([*ours_to(patient), *said], key=lambda line: (line.at, line.is_ours))
    return Conversation(
        lines,
        replies,
        sorted(waiting, key=lambda step: (step.due_at or here.now, step.pk)),
        ways_of(patient, replies, now=here.now),
    )


@require_GET
@for_staff()
def thread(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    return _shown(request, here, _patient(here, patient_id), typed=request.GET)


def _shown(
    request: HttpRequest, here: Here, patient: Patient, *, typed: Mapping[str, str], status: int = 200
) -> HttpResponse:
    """The page; `typed`: what was asked for or written, to stand in its place again."""
    talk = conversation_of(patient, here)
    matter = talk.matter
    asked = _asked_for(talk.replies, here)
    asked_at = asked.at if asked and not asked.in_writing else None
    quick = quick_answers(patient, asked_at or (matter.due_at if matter else None), now=here.now)
    chosen = next((each for each in quick if each.key == typed.get("quick")), None)
    context = {
        "patient": patient,
        "talk": talk,
        "matter": matter,
        "is_mine": matter is not None and matter.owner_id == here.user.pk,
        "is_late": matter is not None and matter.due_at is not None and matter.due_at <= here.now,
        "asked_for": asked and Clock(here.now, here.clinic.time_zone).said(asked.at),
        "in_writing": asked is not None and asked.in_writing,
        "quick": quick,
        "words": typed.get("words") or (chosen.words if chosen else ""),
        "call_by": typed.get("call_by") or (chosen.call_by if chosen else ""),
        "longest": LONGEST,
        "request_key": uuid.uuid4().hex,
        "here_path": reverse("conversation", args=[patient.public_id]),
        "awaited": awaited_by(patient, (line.files for line in talk.lines)),
        "may_write": patient.status == PatientStatus.ACTIVE and bool(talk.ways),
        "colleagues": _colleagues(here) if GIVE in request.GET else None,
        "sent": "sent" in request.GET,
        "since": newest_in(here),
        "of": patient.public_id,
        "files": how_many_of(patient),
    }
    return render(request, "inbox/thread.html", context, status=status)


class _Asked(NamedTuple):
    """By when she may want a call, or a message."""

    at: datetime
    in_writing: bool


def _asked_for(replies: Iterable[Reply], here: Here) -> _Asked | None:
    """Where her words left it open: a suggestion, which a person looks at."""
    for reply in replies:
        if reply.matter is None or reply.matter.status != StepStatus.ACTIVE:
            continue
        wish = wish_in(reply.body)
        moment = moment_of(wish, here.opening, now=reply.at) if wish else None
        if wish and moment and moment.by > here.now:
            return _Asked(moment.by, wish.in_writing)
    return None


def _colleagues(here: Here) -> list[Membership]:
    working = Membership.objects.filter(clinic=here.clinic, user__is_active=True).exclude(user=here.user)
    return list(working.select_related("user").order_by("user__first_name", "user__username"))


def _to(patient: Patient, asked: str = "") -> HttpResponse:
    return redirect(reverse("conversation", args=[patient.public_id]) + asked)


@require_POST
@for_staff()
def answer(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """Our words leave at once and cannot be taken back; the same press twice sends them once."""
    patient = _patient(here, patient_id)
    press = _press(request, ANSWERED)
    try:
        desk.save_for_good(patient, press, lambda: _answer(request, here, patient), here=here)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return _shown(request, here, patient, typed=request.POST, status=409)
    messages.success(request, _("Sent. The conversation is answered."))
    return _to(patient, "?sent=1")


def _press(request: HttpRequest, what: str) -> Press:
    key = request.POST.get("request_key", "")[:40] or None
    return Press(what, key, key_in(request.POST.get("seen", "")))


def _heard(request: HttpRequest) -> int | None:
    return key_in(request.POST.get("heard", ""))


def _answer(request: HttpRequest, here: Here, patient: Patient) -> Step:
    ways = ways_of(patient, replies_of(patient), now=here.now)
    asked = request.POST.get("way", "")
    way = next((each for each in ways if each.key == asked), None if asked else next(iter(ways), None))
    if way is None:
        raise RefusedError(_("No message can be sent to this address in this way. Choose another."))
    call_by = _call_by(request.POST.get("call_by", ""), here)
    words = request.POST.get("words", "").replace("\r\n", "\n").replace("\0", "").strip()
    step = write_back(patient, Written(way, words), heard=_heard(request), now=here.now, by=here.user)
    if call_by:
        promise = Promise(_("A call, as we wrote"), call_by, MY_ROLE[Role(here.role)], here.user)
        # Into the journey of the answer, which is locked already: no other may be locked after the patient.
        make_promise(patient, promise, journey=step.journey, now=here.now, by=here.user)
    return step


def _call_by(text: str, here: Here) -> datetime | None:
    """A call that the words promise has an owner and a time like every promise."""
    if not text.strip():
        return None
    at = instant_in(text, here)
    if at is None:
        raise RefusedError(_("Choose by when, a time that is still to come."))
    if here.opening.windows and not fits(at, here.opening):
        raise RefusedError(_("The clinic is closed then."))
    return at


@require_POST
@for_staff()
def nothing(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    patient = _patient(here, patient_id)
    press = _press(request, NOTHING_TO_ANSWER)

    def leave() -> Step:
        return leave_unanswered(patient, heard=_heard(request), now=here.now, by=here.user)

    try:
        desk.save_for_good(patient, press, leave, here=here)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return _shown(request, here, patient, typed=request.POST, status=409)
    messages.success(request, _("Noted: nothing to answer."))
    return redirect("inbox")


@require_POST
@for_staff()
def take(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """I take it, or a colleague of this clinic gets it: whoever owns the step owns the conversation."""
    patient = _patient(here, patient_id)
    asked = request.POST.get("to", "")
    place = Membership.objects.filter(clinic=here.clinic, user__is_active=True).select_related("user")
    to = place.filter(user=key_in(asked) if asked else here.user.pk).first()
    if to is None:
        raise Http404
    try:
        for matter in matters_of(patient):
            reassign_step(matter, role=_role_for(matter, to), owner=to.user, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return _to(patient)
    who = to.user.first_name or to.user.get_username()
    messages.success(request, _("%(who)s answers this.") % {"who": who})
    return _to(patient)


def _role_for(matter: Step, to: Membership) -> OwnerRole:
    """It stays in the list of those who could do it before, where the new owner is one of them."""
    role = MY_ROLE[Role(to.role)]
    is_desk = matter.owner_role == OwnerRole.RECEPTIONIST and role == OwnerRole.MANAGER
    return OwnerRole.RECEPTIONIST if is_desk else role
