"""Silent patients: grouped by what WE always did alike, each with what was tried and what to try next (S4, N5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _, gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from clinic_journey.caller_line import Clock
from outreach.lost import ask_for_number, close_as_lost, replan, say_no_other_number, silence_of
from outreach.models import OutreachTask
from outreach.queries import tasks_visible_to
from outreach.silence import Cause, DayKind, DayPart, Mark
from outreach.silent import LONGEST_DUE, Silence, silences_in, silent_tasks
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Channel
from patients.queries import beyond, named_by

PAGE = 40
CAUSE_WORDS = {
    Cause.NUMBER_BAD: gettext_lazy("No number that works"),
    Cause.ONE_CHANNEL: gettext_lazy("Always the same channel"),
    Cause.ONE_DAY_PART: gettext_lazy("Always the same part of the day"),
    Cause.ONE_DAY_KIND: gettext_lazy("Only weekdays, or only the weekend"),
    Cause.EXHAUSTED: gettext_lazy("Everything was tried"),
}
CAUSE_HINTS = {
    Cause.NUMBER_BAD: gettext_lazy("Ask the desk for another number."),
    Cause.ONE_CHANNEL: gettext_lazy("Who never picks up may read; who never reads may pick up."),
    Cause.ONE_DAY_PART: gettext_lazy("A teacher is in class every morning."),
    Cause.ONE_DAY_KIND: gettext_lazy("Some are free only when others rest."),
    Cause.EXHAUSTED: gettext_lazy("No cause of ours is left. The patient may still answer."),
}
NO_CAUSE_YET = "none"  # in an address
NO_CAUSE = gettext_lazy("Nothing stands out yet")
NO_CAUSE_HINT = gettext_lazy("Some ways have not been tried.")
PART_WORDS = {
    DayPart.MORNING: pgettext_lazy("part of the day", "morning"),
    DayPart.AFTERNOON: pgettext_lazy("part of the day", "afternoon"),
    DayPart.EVENING: pgettext_lazy("part of the day", "evening"),
}
KIND_WORDS = {
    DayKind.WEEKDAY: pgettext_lazy("kind of day", "weekday"),
    DayKind.WEEKEND: pgettext_lazy("kind of day", "weekend"),
}


@dataclass(frozen=True)
class Group:
    cause: str  # as an address names it
    words: str
    hint: str
    silences: list[Silence]


@dataclass(frozen=True)
class GridRow:
    channel: str
    marks: list[Mark]


def grouped(silences: Iterable[Silence]) -> list[Group]:
    """By cause, in the order in which causes are looked for; those without one last."""
    by_cause: dict[Cause | None, list[Silence]] = {}
    for silence in silences:
        by_cause.setdefault(silence.cause, []).append(silence)
    order: list[Cause | None] = [*Cause, None]
    return [
        Group(
            cause or NO_CAUSE_YET,
            str(CAUSE_WORDS[cause] if cause else NO_CAUSE),
            str(CAUSE_HINTS[cause] if cause else NO_CAUSE_HINT),
            by_cause[cause],
        )
        for cause in order
        if cause in by_cause
    ]


@require_GET
@for_staff()
def silent_list(request: HttpRequest, here: Here) -> HttpResponse:
    """A page of silent patients, the longest due first; those who have answered since are left out."""
    last = named_by(OutreachTask.objects.filter(clinic=here.clinic), request.GET.get("after", ""))
    tasks = beyond(silent_tasks(here.user).filter(clinic=here.clinic), last, *LONGEST_DUE)
    page = silences_in(tasks[: PAGE + 1], now=here.now)
    silences = [each for each in page[:PAGE] if each.is_silent]
    audit.shows(rows=len(silences))
    context = {
        "groups": grouped(silences),
        "now": here.now,
        "next_url": f"?after={page[PAGE - 1].task.public_id}" if len(page) > PAGE else "",
        "previous_url": "?" if request.GET.get("after") else "",
    }
    return render(request, "silent/list.html", context)


def _task(here: Here, task_id: UUID) -> OutreachTask:
    return get_object_or_404(tasks_visible_to(here.user), public_id=task_id, clinic=here.clinic)


@require_GET
@for_staff()
def silent_patient(request: HttpRequest, here: Here, task_id: UUID) -> HttpResponse:
    return _shown(request, here, _task(here, task_id))


def _shown(
    request: HttpRequest, here: Here, task: OutreachTask, *, words: str = "", status: int = 200
) -> HttpResponse:
    silence = silence_of(task, now=here.now)
    labels = dict(Channel.choices)
    cell = silence.proposed
    context = {
        "silence": silence,
        "task": silence.task,
        "patient": silence.task.patient,
        "columns": [(KIND_WORDS[kind], PART_WORDS[part]) for kind in DayKind for part in DayPart],
        "grid": [GridRow(str(labels[marks[0].cell.channel]), marks) for marks in silence.rows],
        "reasons": [(CAUSE_WORDS[cause], CAUSE_HINTS[cause]) for cause in silence.causes],
        "proposal": cell
        and {
            "channel": labels[cell.channel],
            "part": PART_WORDS[cell.day_part],
            "kind": KIND_WORDS[cell.day_kind],
        },
        "words": words,
    }
    return render(request, "silent/patient.html", context, status=status)


@require_POST
@for_staff()
def silent_replan(request: HttpRequest, here: Here, task_id: UUID) -> HttpResponse:
    task = _task(here, task_id)
    try:
        attempt = replan(task, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("silent_patient", task.public_id)
    when = Clock(here.now, here.clinic.time_zone).said(attempt.send_at)
    said = _("Planned: %(channel)s, %(when)s.") % {"channel": attempt.get_channel_display(), "when": when}
    messages.success(request, said)
    return redirect("silent_patient", task.public_id)


@require_POST
@for_staff()
def silent_number(request: HttpRequest, here: Here, task_id: UUID) -> HttpResponse:
    """Ask the desk for another number, or say that the desk has found none."""
    task = _task(here, task_id)
    try:
        if request.POST.get("found") == "none":
            say_no_other_number(task, now=here.now, by=here.user)
            messages.success(request, _("Noted: there is no other number."))
        else:
            ask_for_number(task, now=here.now, by=here.user)
            messages.success(request, _("The desk is asked for another number; it has a time."))
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("silent_patient", task.public_id)


@require_POST
@for_staff()
def silent_close(request: HttpRequest, here: Here, task_id: UUID) -> HttpResponse:
    """End the journey with the patient's own words, or because nothing is left to try; never on a guess."""
    task = _task(here, task_id)
    words = request.POST.get("words", "").strip()
    try:
        close_as_lost(task.step.journey, words=words, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return _shown(request, here, task, words=words, status=409)
    messages.success(request, _("Closed. What was kept for the patient is free again."))
    return redirect("patient", task.patient.public_id)
