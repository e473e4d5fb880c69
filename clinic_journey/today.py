"""What is done in Today: calls, outcomes, bookings, parking and undo. Each is a form that works without scripts."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from appointments.visits import FAR, SlotTakenError
from clinic_journey import desk
from clinic_journey.booking import book_from_today
from clinic_journey.desk import Press
from clinic_journey.keeps_trying import KEEPS_TRYING
from clinic_journey.models import AsideKind, DeskAction
from clinic_journey.outcomes import (
    BOOKED,
    BY_CODE,
    CALL_AT,
    MESSAGE,
    NEEDS_DOCTOR,
    NOT_NOW,
    SKIP,
    words_of,
)
from clinic_journey.panel import endings_of
from clinic_journey.today_page import item, page
from clinic_journey.undo import undo as take_back_save
from journeys.actions import complete_step
from journeys.models import Step, StepKind
from journeys.queries import steps_visible_to
from outreach.by_hand import NotNow, NotNowReason, message_now, not_now
from outreach.calls import call_now, claim_call, record_outcome, release_visit, task_to_be
from outreach.enough import enough_on
from outreach.lost import COULD_NOT_REACH, refuse_a_guess
from outreach.models import Attempt, AttemptStatus
from outreach.preview import window_of
from outreach.queries import attempts_visible_to
from outreach.reach import Reach
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Channel, Patient
from patients.presses import way_back
from patients.queries import key_in

REFUSED = "X-Refused"  # so that what was typed is kept in the browser
DECLINED = "declined"


def _step(here: Here, step_id: UUID) -> Step:
    found = steps_visible_to(here.user).select_related("journey__clinic", "about__template_step")
    return get_object_or_404(found, public_id=step_id, clinic=here.clinic)


def _save(request: HttpRequest, here: Here, step: Step, what: str, act: Callable[[], object]) -> HttpResponse:
    """One save; refused in words, with everything that was typed still in its place."""
    request_key = request.POST.get("request_key", "")[:40] or None
    seen, heard = (key_in(request.POST.get(name, "")) for name in ("seen", "heard"))
    press = Press(what, request_key, seen, heard)
    try:
        desk.save(step, press, act, here=here)
    except RefusedError as refusal:
        return _refused(request, here, step, refusal)
    return redirect("today")


def _refused(request: HttpRequest, here: Here, step: Step, refusal: RefusedError) -> HttpResponse:
    """The same row again, whether it is still on the list or not, with what was typed in its own field."""
    messages.error(request, refusal.for_staff if isinstance(refusal, SlotTakenError) else str(refusal))
    if KEEPS_TRYING in request.headers:  # its drafts are in the browser
        asked = urlencode({name: request.POST.get(name, "")[:40] for name in ("outcome", "reason", "heard")})
        answer = redirect(f"{item(step)}&{asked}")
        answer[REFUSED] = "1"
        return answer
    return page(request, here, wanted=str(step.public_id), status=409)


def _call_of(step: Step, here: Here, *, because: str) -> Attempt:
    """The planned call, claimed; or a call made now, outside the plan, with the reason (N7)."""
    planned = attempts_visible_to(here.user).filter(task__step=step, channel=Channel.PHONE)
    sending = planned.filter(status=AttemptStatus.SENDING).first()
    if sending and sending.claimed_by_id == here.user.pk:
        return sending
    due = planned.filter(status=AttemptStatus.PLANNED, send_at__lte=here.now).first()
    if due:
        return claim_call(due, by=here.user, now=here.now)
    patient = step.journey.patient
    if not because and patient and _needs_no_reason(step, patient, here):
        because = _("by hand, inside the agreed hours")
    return call_now(step, by=here.user, now=here.now, because=because)


def _needs_no_reason(step: Step, patient: Patient, here: Here) -> bool:
    """Inside the agreed hours, and not one contact too many."""
    if not window_of(patient, Channel.PHONE, now=here.now).is_open:
        return False
    task = task_to_be(step, patient, now=here.now)
    return enough_on(here.now, task, Reach.of(task, here.clock, now=here.now)) is None


def _call_under_way(step: Step, here: Here) -> Attempt | None:
    """My call about this step, if I am making one or it is due."""
    calls = attempts_visible_to(here.user).filter(task__step=step, channel=Channel.PHONE)
    mine = calls.filter(status=AttemptStatus.SENDING, claimed_by=here.user).first()
    due = mine or calls.filter(status=AttemptStatus.PLANNED, send_at__lte=here.now).first()
    return due if due is None or due == mine else claim_call(due, by=here.user, now=here.now)


@require_POST
@for_staff()
def call(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    """Take the call: nobody else rings this patient or this number while I do."""
    step = _step(here, step_id)
    try:
        _call_of(step, here, because=_text(request, "because"))
    except RefusedError as refusal:
        return _refused(request, here, step, refusal)
    return redirect(item(step))


@require_POST
@for_staff()
def outcome(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    """How it went. Each outcome is a policy: what happens next was shown on its button."""
    step = _step(here, step_id)
    code = CALL_AT if request.POST.get("call_again_at") else request.POST.get("outcome", "")
    if code not in BY_CODE and code != DECLINED:
        raise Http404
    if code == SKIP:
        return _put_off(request, here, step, AsideKind.SKIPPED)
    return _save(request, here, step, code, lambda: _end(step, code, request, here))


def _end(step: Step, code: str, request: HttpRequest, here: Here) -> None:
    again = instant_in(request.POST.get("call_again_at", "") or request.POST.get("at", ""), here)
    note = _text(request, "note")
    if code == MESSAGE:
        message_now(
            step,
            call=_my_call(step, here),
            now=here.now,
            by=here.user,
            not_before=here.now + desk.LEAVES_AFTER,
            because=_text(request, "because"),
        )
    elif code == NOT_NOW:
        not_now(
            step, _not_now_said(request, here), call=_call_under_way(step, here), now=here.now, by=here.user
        )
    else:
        _refuse_what_is_missing(code, again, note)
        attempt = _call_of(step, here, because=_text(request, "because"))
        record_outcome(attempt, code, now=here.now, by=here.user, note=note, call_again_at=again)


def _my_call(step: Step, here: Here) -> Attempt | None:
    calls = attempts_visible_to(here.user).filter(task__step=step, channel=Channel.PHONE)
    return calls.filter(status=AttemptStatus.SENDING, claimed_by=here.user).first()


def _refuse_what_is_missing(code: str, again: datetime | None, note: str) -> None:
    if code == DECLINED and not note:
        raise RefusedError(_("Write the patient's own words; a guess is not a reason."))
    if code == CALL_AT and again is None:
        raise RefusedError(_("Choose the time the patient asked for."))
    if code == NEEDS_DOCTOR and not note:
        raise RefusedError(_("Write what the patient asks the doctor."))
    if code == NEEDS_DOCTOR and again is None:
        raise RefusedError(_("Choose by when you promise an answer."))


def _not_now_said(request: HttpRequest, here: Here) -> NotNow:
    """A day alone means the morning of that day."""
    reason, day = request.POST.get("reason", ""), request.POST.get("on", "")
    at = instant_in(f"{day}T09:00" if len(day) == len("2026-03-09") else day, here)
    if reason not in NotNowReason.values:
        raise RefusedError(_("Choose the reason the patient gave."))
    if at is None:
        raise RefusedError(_("Choose a day that is still to come."))
    return NotNow(reason, _text(request, "note"), at)


def _text(request: HttpRequest, name: str) -> str:
    return str(request.POST.get(name, "")).strip()


def instant_in(text: str, here: Here) -> datetime | None:
    """A local time of the clinic as typed into the form; None when it is empty, broken, past or absurdly far."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = local if local.tzinfo else local.replace(tzinfo=ZoneInfo(here.clinic.time_zone))
    return at if here.now < at < here.now + FAR else None


@require_POST
@for_staff()
def finish(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    """Keep or book the visit a step is about, or end the step by hand."""
    step = _step(here, step_id)
    if "start" in request.POST:
        start = instant_in(request.POST["start"], here)
        if start is None and request.POST["start"] != "keep":
            return _refused(request, here, step, RefusedError(_("This time has passed. Choose another.")))
        return _save(request, here, step, BOOKED, lambda: _book(step, start, here))
    code, note = request.POST.get("outcome", ""), _text(request, "note")
    if step.kind == StepKind.MEND:
        return _finish_for_good(request, here, step, code, note)
    return _save(request, here, step, code, lambda: _finish(step, code, note, here))


def _finish_for_good(request: HttpRequest, here: Here, step: Step, code: str, note: str) -> HttpResponse:
    """A manager's own step, about no patient: what a save changed is known by a patient's rows, so this stays."""
    try:
        _finish(step, code, note, here)
    except RefusedError as refusal:
        return _refused(request, here, step, refusal)
    messages.success(request, _("Saved: %(what)s.") % {"what": words_of(code)})
    return redirect("today")


def _book(step: Step, start: datetime | None, here: Here) -> None:
    call = _call_under_way(step, here)
    book_from_today(step, start, call=call, now=here.now, by=here.user)


def _finish(step: Step, code: str, note: str, here: Here) -> None:
    if code not in {known for known, _words in endings_of(step)}:
        raise RefusedError(_("Choose how this ended."))
    if code == DECLINED and not note:
        raise RefusedError(_("Write the patient's own words; a guess is not a reason."))
    if code == COULD_NOT_REACH:
        refuse_a_guess(step, now=here.now)
    if code == DECLINED and step.kind == StepKind.CONFIRM:
        release_visit(step, note, now=here.now, by=here.user)
    complete_step(step, code, now=here.now, by=here.user, note=note)


@require_POST
@for_staff()
def park(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    """Put a row off until I take it back, or take it back."""
    step = _step(here, step_id)
    if "back" in request.POST:
        desk.take_back(step, here=here)
        return redirect(item(step))
    return _put_off(request, here, step, AsideKind.PARKED)


def _put_off(request: HttpRequest, here: Here, step: Step, kind: AsideKind) -> HttpResponse:
    try:
        desk.set_aside(step, kind, here=here, reason=_text(request, "note"))
    except RefusedError as refusal:
        return _refused(request, here, step, refusal)
    return redirect("today")


@require_POST
@for_staff()
def keep(_request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    """Somebody types or presses keys: the patient stays with them for three minutes more."""
    patient = _step(here, step_id).journey.patient
    if patient:
        desk.serve(patient, here)
    return HttpResponse(status=204)


@require_POST
@for_staff()
def undo(request: HttpRequest, here: Here, action_id: int) -> HttpResponse:
    mine = DeskAction.objects.filter(user=here.user, clinic=here.clinic).select_related("step", "patient")
    action = get_object_or_404(mine, pk=action_id)
    back = way_back(request, or_to=item(action.step))
    try:
        take_back_save(action, now=here.now, by=here.user)
        messages.success(request, _("Undone. Everything is as it was."))
    except RefusedError as refusal:
        messages.error(request, refusal.for_staff if isinstance(refusal, SlotTakenError) else str(refusal))
    return redirect(back)
