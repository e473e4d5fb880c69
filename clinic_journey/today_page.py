"""Today as it is shown: the list by itself, the panel of one row, and what others change meanwhile."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clinic_journey import desk
from clinic_journey.caller import promise_context
from clinic_journey.chosen import Chosen, chosen_of, step_named
from clinic_journey.desk_queue import news_for, notices, queue_of
from clinic_journey.enclosed_files import awaited_by
from clinic_journey.heard import Heard, heard_from
from clinic_journey.outcomes import words_of
from clinic_journey.panel import panel_of
from clinic_journey.pause import is_paused
from clinic_journey.worklist import with_doctor
from journeys.models import Step
from patients import audit
from patients.access import Here, for_staff
from patients.models import Patient
from patients.polling import unless_seen
from patients.queries import key_in


@require_GET
@for_staff()
def today(request: HttpRequest, here: Here) -> HttpResponse:
    return page(request, here, wanted=request.GET.get("item", ""))


def page(request: HttpRequest, here: Here, *, wanted: str, status: int = 200) -> HttpResponse:
    """The list; with the panel of the wanted row, where one is asked for. Else the page asks for the first."""
    queue = queue_of(here)
    step = step_named(wanted, here) if wanted else None
    if wanted and step is None:
        messages.info(request, _("This one is no longer on the list; here is the next."))
    chosen = chosen_of(step, here, queue) if step else None
    audit.shows(*[chosen.patient] if chosen and chosen.patient else [], rows=len(queue.everything))
    last, paused = desk.last_action_of(here), is_paused(request)
    context: dict[str, object] = {
        "list": queue,
        "with_doctor": with_doctor(here),
        "paused": paused,
        **notices(here, queue.now),
        "first": None if chosen or paused else queue.first_free(),
        "chosen_id": chosen.step.pk if chosen else None,
        "last": last,
        "last_words": words_of(last.what) if last else "",
        "is_first_day": not queue.now and not Patient.objects.filter(clinic=here.clinic).exists(),
    }
    if chosen:
        context |= panel_context(request, here, chosen)
    return render(request, "today/today.html", context, status=status)


def panel_context(request: HttpRequest, here: Here, chosen: Chosen) -> dict[str, object]:
    typed = request.POST or request.GET  # after a refusal: what was asked for, to be found open again
    heard = key_in(typed.get("heard", ""))
    context: dict[str, object] = {
        "panel": panel_of(chosen, here, typed=typed.get("outcome", "")),
        "row": chosen,
        "typed": typed,
        "unread": [] if heard is None else [reply for reply in chosen.replies if reply.pk > heard],
        "now": here.now,
    }
    if chosen.patient:
        context |= promise_context(here) | {
            "here_path": item(chosen.step),
            "awaited": awaited_by(chosen.patient, (reply.files for reply in chosen.replies)),
        }
    return context


@require_GET
@for_staff()
def panel(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    """One row opened: asked for by the page that shows the list."""
    step = step_named(step_id, here)
    if step is None:
        raise Http404
    chosen = chosen_of(step, here)
    return render(request, "today/_panel.html", panel_context(request, here, chosen))


def item(step: Step) -> str:
    return f"{reverse('today')}?item={step.public_id}"


@require_GET
@for_staff()
def live(request: HttpRequest, here: Here) -> HttpResponse:
    """What others have changed since the page was made: it is told in words, and nothing moves but a promise
    that has just been broken. What the patient of the open row has said meanwhile comes along, and, once, a
    promise of the reader's that is nearly due and whom the doctor asked to call today.
    """
    news = news_for(request.GET.get("shown", "").split("."), here)
    patient, replies = _heard(request, here)
    told = notices(here, news.now)
    is_known = told["due_mark"] == request.GET.get("due", "")

    def answer() -> HttpResponse:
        if patient and replies:
            audit.shows(patient)
        return render(
            request,
            "today/_live.html",
            {"news": news, "replies": replies, **told, "is_known": is_known},
        )

    return unless_seen(
        request, (news, [row.mark for row in news.broken_rows], replies, told["due_mark"], is_known), answer
    )


def _heard(request: HttpRequest, here: Here) -> tuple[Patient | None, list[Heard]]:
    """The patient of the open row, and what she said since."""
    heard = key_in(request.GET.get("heard", ""))
    step = step_named(request.GET.get("item", ""), here)
    patient = step.journey.patient if step else None
    if patient is None or heard is None:
        return None, []
    return patient, heard_from(patient.pk, here, after=heard)
