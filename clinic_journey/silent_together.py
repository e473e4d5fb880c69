"""Many silent patients planned anew at once: first it is read what would be tried with each; then one press, one undo.

Each patient is a save of its own, as in Today: who is with somebody else, or has moved on since, is left out by name.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_GET, require_POST

from clinic_journey import desk
from clinic_journey.caller_line import Clock
from clinic_journey.desk import Press
from clinic_journey.models import DeskAction
from clinic_journey.outcomes import REPLANNED
from clinic_journey.silent import CAUSE_WORDS, KIND_WORDS, NO_CAUSE, NO_CAUSE_YET, PART_WORDS
from clinic_journey.undo import undo
from journeys.models import StepStatus
from outreach.lost import replan
from outreach.models import AttemptStatus, OutreachTask
from outreach.queries import tasks_visible_to
from outreach.silence import Cause, Cell, DayKind, DayPart
from outreach.silent import LONGEST_DUE, Silence, read_silences, silences_in, silent_tasks
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Channel

LOOKED_AT = 200  # of the longest silent, for all of one cause
MOST = 50  # planned with one press; more nobody reads before
KEY = 20  # letters; with the task's own number it fits a save's key


@dataclass(frozen=True)
class Line:
    """What one patient would get, or why nothing."""

    silence: Silence
    barred: str = ""

    @property
    def cell(self) -> Cell | None:
        return None if self.barred else self.silence.proposed

    @property
    def pick(self) -> str:
        """What the press brings back: whom, and the way that was read."""
        cell = self.cell
        task = self.silence.task.public_id
        return f"{task} {cell.channel} {cell.day_part} {cell.day_kind}" if cell else ""

    @property
    def channel(self) -> str:
        return str(Channel(self.cell.channel).label) if self.cell else ""

    @property
    def part(self) -> str:
        return str(PART_WORDS[self.cell.day_part]) if self.cell else ""

    @property
    def kind(self) -> str:
        return str(KIND_WORDS[self.cell.day_kind]) if self.cell else ""

    @property
    def cause(self) -> str:
        return str(CAUSE_WORDS[self.silence.cause] if self.silence.cause else NO_CAUSE)


@require_GET
@for_staff()
def preview(request: HttpRequest, here: Here) -> HttpResponse:
    """Whoever was chosen, or all of one cause: nothing is planned by looking."""
    silences = _of_cause(request.GET["cause"], here) if "cause" in request.GET else _chosen(request, here)
    if not silences:
        audit.shows(rows=0)
        messages.error(request, _("Choose somebody first."))
        return redirect("silent")
    lines = _lines(silences[:MOST], here)
    audit.shows(rows=len(lines))
    context = {
        "planned": [line for line in lines if line.cell],
        "barred": [line for line in lines if not line.cell],
        "more": len(silences) > MOST,
        "key": uuid.uuid4().hex[:KEY],
    }
    return render(request, "silent/together.html", context)


def _chosen(request: HttpRequest, here: Here) -> list[Silence]:
    return read_silences(_tasks(request.GET.getlist("task"), here), now=here.now)


def _tasks(keys: Iterable[str], here: Here) -> list[OutreachTask]:
    """In the order of the list; a stranger among them is nobody here."""
    try:
        wanted = {UUID(key) for key in keys}
    except ValueError as error:
        raise Http404 from error
    mine = tasks_visible_to(here.user).filter(clinic=here.clinic, public_id__in=list(wanted)[: MOST + 1])
    found = list(mine.order_by(*LONGEST_DUE))
    if len(found) < min(len(wanted), MOST + 1):
        raise Http404
    return found


def _of_cause(name: str, here: Here) -> list[Silence]:
    if name not in {NO_CAUSE_YET, *Cause}:
        raise Http404
    cause = None if name == NO_CAUSE_YET else Cause(name)
    longest = silent_tasks(here.user).filter(clinic=here.clinic)[:LOOKED_AT]
    return [each for each in silences_in(longest, now=here.now) if each.is_silent and each.cause == cause]


def _lines(silences: Iterable[Silence], here: Here) -> list[Line]:
    with_others = {
        each.patient_id: each.user.first_name or each.user.get_username()
        for each in desk.served_by_others(here).filter(patient__clinic=here.clinic).select_related("user")
    }
    clock = Clock(here.now, here.clinic.time_zone)
    return [Line(each, _barred(each, with_others, clock)) for each in silences]


def _barred(silence: Silence, with_others: dict[int, str], clock: Clock) -> str:
    """Why nothing would be planned, in words; empty where something would."""
    task, now_planned = silence.task, silence.planned
    when = clock.said(now_planned.send_at) if now_planned else ""
    who = with_others.get(task.patient_id, "")
    bars = (
        (task.step.status != StepStatus.ACTIVE, _("This was settled meanwhile.")),
        (
            now_planned is not None and now_planned.status == AttemptStatus.SENDING,
            _("Somebody is reaching this patient right now."),
        ),
        (bool(who), _("%(who)s is with this patient right now.") % {"who": who}),
        (silence.is_planned_anew, _("A way not tried yet is planned already: %(when)s.") % {"when": when}),
        (
            silence.proposal is None and silence.needs_number,
            _("No number works: ask the desk for another."),
        ),
        (silence.proposal is None, _("Every way that is open to us has been tried.")),
    )
    return next((words for holds, words in bars if holds), "")


@require_POST
@for_staff()
def plan_all(request: HttpRequest, here: Here) -> HttpResponse:
    """One press for all that stand on the page; what has changed since is left as it is, and named."""
    picked = _picked(request.POST.getlist("plan"))
    tasks = _tasks([str(key) for key in picked], here)
    if not tasks or len(tasks) > MOST:
        messages.error(request, _("Choose somebody first."))
        return redirect("silent")
    key = request.POST.get("key", "")
    if not _is_key(key):
        raise Http404
    refused = [words for task in tasks if (words := _plan(task, picked[task.public_id], key, here))]
    for words in refused:
        messages.error(request, words)
    if len(refused) == len(tasks):
        return redirect("silent")
    return redirect(f"{reverse('silent_planned')}?key={key}")


def _is_key(text: str) -> bool:
    return len(text) == KEY and text.isascii() and text.isalnum()


def _picked(values: Iterable[str]) -> dict[UUID, Cell]:
    picked = {}
    for value in values:
        try:
            task, channel, part, kind = value.split(" ")
            picked[UUID(task)] = Cell(Channel(channel).value, DayPart(part), DayKind(kind))
        except ValueError as error:
            raise Http404 from error
    return picked


def _plan(task: OutreachTask, shown: Cell, key: str, here: Here) -> str:
    """Why it was not planned; empty where it was."""
    press = Press(REPLANNED, request_key=f"{key}:{task.pk}")
    try:
        desk.save(task.step, press, lambda: replan(task, shown=shown, now=here.now, by=here.user), here=here)
    except RefusedError as refusal:
        return f"{task.patient.full_name}: {refusal}"
    return ""


def _saves(key: str, here: Here) -> list[DeskAction]:
    if not _is_key(key):
        return []
    mine = DeskAction.objects.filter(user=here.user, clinic=here.clinic, request_key__startswith=f"{key}:")
    return list(mine.select_related("patient", "step").order_by("pk"))


@require_GET
@for_staff()
def planned(request: HttpRequest, here: Here) -> HttpResponse:
    """What the press did, with the way back for all of it."""
    key = request.GET.get("key", "")
    saves = _saves(key, here)
    audit.shows(rows=len(saves))
    if not saves:
        return redirect("silent")
    tasks = OutreachTask.objects.filter(step__in=[each.step_id for each in saves], clinic=here.clinic)
    attempts = {
        attempt.task.step_id: attempt
        for task in tasks.prefetch_related("attempts")
        for attempt in task.attempts.all()
        if attempt.status == AttemptStatus.PLANNED
    }
    rows = [(each, attempts.get(each.step_id)) for each in saves]
    to_undo = [each for each in saves if each.undone_at is None and each.undo_until > here.now]
    context = {"rows": rows, "key": key, "to_undo": len(to_undo)}
    return render(request, "silent/planned.html", context)


@require_POST
@for_staff()
def undo_all(request: HttpRequest, here: Here) -> HttpResponse:
    """Take back what can still be taken back; who was reached since is named."""
    undone = 0
    for action in _saves(request.POST.get("key", ""), here):
        if action.undone_at is not None:
            continue
        try:
            undo(action, now=here.now, by=here.user)
        except RefusedError as refusal:
            messages.error(request, f"{action.patient.full_name}: {refusal}")
        else:
            undone += 1
    if undone:
        words = ngettext(
            "Undone for %(n)s patient. Everything is as it was.",
            "Undone for %(n)s patients. Everything is as it was.",
            undone,
        )
        messages.success(request, words % {"n": undone})
    return redirect("silent")


urlpatterns = [
    path("silent/together/", preview, name="silent_together"),
    path("silent/together/plan/", plan_all, name="silent_plan_all"),
    path("silent/together/planned/", planned, name="silent_planned"),
    path("silent/together/undo/", undo_all, name="silent_undo_all"),
]
