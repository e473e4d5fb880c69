"""The inbox: which patients wait for an answer to what they wrote, who has taken it, and numbers nobody knows."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from clinic_journey import inbox_fresh, inbox_thread, inbox_unknown
from clinic_journey.history_words import said_by_patient
from journeys.models import Step
from outreach.conversations import (
    LAST_ANSWERED,
    OLDEST_CLOCK,
    answered_in,
    from_patients,
    from_unknown_numbers,
    last_words,
    waiting_in,
)
from outreach.models import Reply
from patients import audit
from patients.access import Here, for_staff
from patients.queries import beyond, named_by

PAGE, UNKNOWN = 25, 12
ALL, MINE, ANSWERED = "", "mine", "answered"


@dataclass(frozen=True)
class Row:
    """One conversation, or one number that nobody knows."""

    matter: Step
    last: Reply | None
    is_late: bool

    @property
    def words(self) -> str:
        return said_by_patient(self.last) if self.last else ""


@require_GET
@for_staff()
def inbox(request: HttpRequest, here: Here) -> HttpResponse:
    """A page of conversations: those that wait, the oldest clock first, or those that were answered last."""
    shown = request.GET.get("list", ALL)
    last = named_by(Step.objects.filter(clinic=here.clinic), request.GET.get("after", ""))
    if shown == ANSWERED:
        last = last if last and last.completed_at else None
        listed = beyond(from_patients(answered_in(here.clinic)), last, *LAST_ANSWERED)
    else:
        last = last if last and last.due_at else None
        listed = beyond(from_patients(waiting_in(here.clinic)), last, *OLDEST_CLOCK)
        if shown == MINE:
            listed = listed.filter(owner=here.user)
    page = list(listed[: PAGE + 1])
    unknown = [] if shown else list(from_unknown_numbers(here.clinic)[:UNKNOWN])
    said = last_words([*page, *unknown])
    rows = [_row(step, said, here) for step in page[:PAGE]]
    audit.shows(rows=len(rows))
    context = {
        "rows": rows,
        "unknown": [_row(step, said, here) for step in unknown],
        "shown": shown,
        "since": inbox_fresh.newest_in(here),
        "next_url": f"?list={shown}&after={page[PAGE - 1].public_id}" if len(page) > PAGE else "",
        "previous_url": f"?list={shown}" if request.GET.get("after") else "",
    }
    return render(request, "inbox/list.html", context)


def _row(step: Step, said: dict[int, Reply], here: Here) -> Row:
    is_late = step.completed_at is None and step.due_at is not None and step.due_at <= here.now
    return Row(step, said.get(step.pk), is_late)


urlpatterns = [
    path("inbox/", inbox, name="inbox"),
    path("inbox/fresh/", inbox_fresh.fresh, name="inbox_fresh"),
    path("inbox/<uuid:patient_id>/", inbox_thread.thread, name="conversation"),
    path("inbox/<uuid:patient_id>/answer/", inbox_thread.answer, name="conversation_answer"),
    path("inbox/<uuid:patient_id>/nothing/", inbox_thread.nothing, name="conversation_nothing"),
    path("inbox/<uuid:patient_id>/take/", inbox_thread.take, name="conversation_take"),
    path("inbox/unknown/<uuid:step_id>/", inbox_unknown.unknown, name="unknown_writer"),
    path("inbox/unknown/<uuid:step_id>/whose/", inbox_unknown.whose, name="unknown_whose"),
    path("inbox/unknown/<uuid:step_id>/nothing/", inbox_unknown.nothing, name="unknown_nothing"),
]
