"""Today: the receptionist's one screen: what to do now, why, what to say, what each outcome sets going."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from appointments.actions import Visit, book_for_step
from appointments.models import Appointment, Practitioner
from appointments.suggestions import VISIT_MINUTES, doctor_for, times_for
from appointments.visits import FAR
from clinic_journey.worklist import Row, worklist
from journeys.actions import complete_step
from journeys.models import Step, StepKind
from journeys.queries import steps_visible_to
from outreach.calls import call_now, claim_call, record_outcome
from outreach.lost import COULD_NOT_REACH, refuse_a_guess
from outreach.models import Attempt, AttemptStatus
from outreach.queries import attempts_visible_to, outcome_words, script_for, visit_of, why_words
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Channel, ContactWindow, Patient

BOOKABLE = {StepKind.BOOK, StepKind.RECALL}
CALL_OUTCOMES = (
    (
        "no_answer",
        gettext_lazy("No answer"),
        gettext_lazy("tried next at another time of day or another way"),
    ),
    ("call_at", gettext_lazy("Call at another time"), gettext_lazy("a promise with that time")),
    (
        "prefers_message",
        gettext_lazy("Prefers a message"),
        gettext_lazy("the card is changed, a message leaves"),
    ),
    (
        "wrong_number",
        gettext_lazy("Wrong number"),
        gettext_lazy("the number is set aside, the next address is tried"),
    ),
    ("declined", gettext_lazy("Does not want it"), gettext_lazy("write the patient's own words")),
    ("asked_to_stop", gettext_lazy("Asked us to stop"), gettext_lazy("no more messages about this")),
    ("needs_doctor", gettext_lazy("Needs the doctor"), gettext_lazy("the doctor gets it with a time")),
)
OUTCOME_WORDS = {
    "received": gettext_lazy("It has arrived"),
    "not_done": gettext_lazy("It will not be done"),
    "been_there": gettext_lazy("Was at the institute"),
    "told": gettext_lazy("The patient has been told"),
    "told_by_phone": gettext_lazy("Told by phone"),
    "could_not_reach": gettext_lazy("Could not be reached at all"),
    "spoken": gettext_lazy("Spoken with the patient"),
    "confirmed": gettext_lazy("The visit is confirmed"),
    "another_time": gettext_lazy("Wants another time"),
    "cannot_come": gettext_lazy("Cannot come"),
    "declined": gettext_lazy("Does not want it"),
    "referred": gettext_lazy("Referred"),
    "kept": gettext_lazy("Done as promised"),
    "done": gettext_lazy("Done"),
}
# These follow from something else that has its own screen, or change a visit.
NOT_BY_HAND = {
    "received",
    "referred",
    "revoked",
    "booked",
    "attended",
    "no_show",
    "cancelled",
    "identified",
    "rejected",
}


@dataclass(frozen=True)
class Panel:
    """What stands beside the queue for the chosen row."""

    row: Row
    windows: list[ContactWindow]
    tried: list[tuple[Attempt, str, str]]  # with how it ended, and why it was made so
    script: str
    visit: Appointment | None
    times: list[datetime]
    doctor: Practitioner | None
    endings: list[tuple[str, str]]
    outside: bool


@require_GET
@for_staff()
def today(request: HttpRequest, here: Here) -> HttpResponse:
    found = worklist(here)
    wanted = request.GET.get("item", "")
    everything = found.now + found.later
    chosen = next((row for row in everything if str(row.step.public_id) == wanted), None)
    if chosen is None and found.now:
        chosen = found.now[0]
    audit.shows(*[chosen.patient] if chosen and chosen.patient else [], rows=len(everything))
    context = {
        "list": found,
        "chosen": chosen,
        "panel": panel_of(chosen, here) if chosen else None,
        "call_outcomes": CALL_OUTCOMES,
        "now": here.now,
    }
    return render(request, "today/today.html", context)


def panel_of(row: Row, here: Here) -> Panel:
    patient = row.patient
    visit = visit_of(row.step.journey_id)
    doctor = visit.practitioner if visit else doctor_for(row.step.journey)
    times: list[datetime] = []
    if patient and doctor and row.step.kind in BOOKABLE:
        times = times_for(patient, doctor, after=here.now + timedelta(hours=1), now=here.now)
    card = getattr(patient, "card", None)
    tried = _tried(row.step, patient) if patient else []
    return Panel(
        row=row,
        windows=list(card.windows.all()) if card else [],
        tried=[(attempt, outcome_words(attempt), why_words(attempt)) for attempt in tried],
        script=script_for(row.attempt, now=here.now) if row.attempt else "",
        visit=visit,
        times=times,
        doctor=doctor,
        endings=endings_of(row.step),
        outside=bool(row.attempt and row.attempt.send_at > here.now),
    )


def _tried(step: Step, patient: Patient) -> list[Attempt]:
    done = [AttemptStatus.PLANNED, AttemptStatus.CANCELLED]
    about = Attempt.objects.filter(patient=patient, task__step__journey=step.journey_id).exclude(
        status__in=done
    )
    return list(about.select_related("contact_point").order_by("-send_at")[:6])


def endings_of(step: Step) -> list[tuple[str, str]]:
    """The outcomes a person may give a step by hand, in words."""
    codes = (
        step.template_step.outcomes
        if step.template_step
        else ["kept" if step.kind == StepKind.PROMISE else "done"]
    )
    by_hand = [code for code in codes if code not in NOT_BY_HAND and step.kind != StepKind.REVIEW]
    if step.kind == StepKind.IDENTIFY:
        return []
    return [(code, str(OUTCOME_WORDS.get(code, code))) for code in by_hand]


def _step(here: Here, step_id: UUID) -> Step:
    return get_object_or_404(steps_visible_to(here.user), public_id=step_id, clinic=here.clinic)


def _call_of(step: Step, here: Here, *, because: str) -> Attempt:
    """The planned call, claimed; or a call made now, outside the plan, with the reason (N7)."""
    planned = attempts_visible_to(here.user).filter(task__step=step, channel=Channel.PHONE)
    sending = planned.filter(status=AttemptStatus.SENDING).first()
    if sending and sending.claimed_by_id == here.user.pk:
        return sending
    due = planned.filter(status=AttemptStatus.PLANNED, send_at__lte=here.now).first()
    if due:
        return claim_call(due, by=here.user, now=here.now)
    return call_now(step, by=here.user, now=here.now, because=because)


@require_POST
@for_staff()
def call(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    """Take the call: nobody else rings this patient or this number while I do."""
    step = _step(here, step_id)
    try:
        _call_of(step, here, because=request.POST.get("because", "").strip())
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect(f"/today/?item={step.public_id}")


@require_POST
@for_staff()
def outcome(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    """How the call ended. Each outcome is a policy: what happens next was shown on its button."""
    step = _step(here, step_id)
    code = request.POST.get("outcome", "")
    if code not in {known for known, _words, _next in CALL_OUTCOMES}:
        raise Http404
    note = request.POST.get("note", "").strip()
    again = _instant(request.POST.get("call_again_at", ""), here)
    if code == "declined" and not note:
        messages.error(request, _("Write the patient's own words; a guess is not a reason."))
        return redirect(f"/today/?item={step.public_id}")
    if code == "call_at" and again is None:
        messages.error(request, _("Choose the time the patient asked for."))
        return redirect(f"/today/?item={step.public_id}")
    try:
        attempt = _call_of(step, here, because=request.POST.get("because", "").strip())
        record_outcome(attempt, code, now=here.now, by=here.user, note=note, call_again_at=again)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect(f"/today/?item={step.public_id}")
    messages.success(request, _("Saved. The next step is planned."))
    return redirect("today")


def _instant(text: str, here: Here) -> datetime | None:
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
    """End a step by hand, or book the visit it is about."""
    step = _step(here, step_id)
    start = _instant(request.POST.get("start", ""), here)
    try:
        if start:
            _book(step, start, here)
            messages.success(request, _("Booked. Repeat the date aloud and say thank you."))
        else:
            _finish(step, request.POST.get("outcome", ""), request.POST.get("note", "").strip(), here)
            messages.success(request, _("Done."))
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect(f"/today/?item={step.public_id}")
    return redirect("today")


def _book(step: Step, start: datetime, here: Here) -> None:
    patient = step.journey.patient
    visit = visit_of(step.journey_id)
    doctor = visit.practitioner if visit else doctor_for(step.journey)
    if patient is None or doctor is None:
        raise RefusedError(_("There is nobody to book for, or no doctor to book with."))
    minutes = int((visit.end - visit.start).total_seconds() // 60) if visit else VISIT_MINUTES
    book_for_step(step, Visit(patient, doctor, start, minutes, step.journey.name), now=here.now, by=here.user)


def _finish(step: Step, code: str, note: str, here: Here) -> None:
    if code not in {known for known, _words in endings_of(step)}:
        raise RefusedError(_("Choose how this ended."))
    if code == "declined" and not note:
        raise RefusedError(_("Write the patient's own words; a guess is not a reason."))
    if code == COULD_NOT_REACH:
        refuse_a_guess(step, now=here.now)
    complete_step(step, code, now=here.now, by=here.user, note=note)
