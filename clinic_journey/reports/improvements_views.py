"""The page of what is changed about gaps: a form for the next idea, and each with its before and after."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic_journey.reports.improvements import Effect, effect_of
from clinic_journey.reports.improvements_actions import begin, end
from clinic_journey.reports.improvements_forms import IdeaForm
from clinic_journey.reports.stages_models import Improvement
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import MANAGERS

SHOWN = 20


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def ideas(request: HttpRequest, here: Here) -> HttpResponse:
    """What was undertaken, the newest first, each with its before and after; and a form for the next."""
    today = here.now.astimezone(ZoneInfo(here.clinic.time_zone)).date()
    first = {"begun_on": today, "step": request.GET.get("step", ""), "owner": here.user.pk}
    form = IdeaForm(request.POST or None, initial=first, here=here)
    if request.method == "POST" and form.is_valid():
        try:
            begin(here.clinic, form.idea())
        except RefusedError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Noted. What comes of it is measured from that day on."))
        return redirect("stuck_ideas")
    effects = newest_effects(here)
    status = 422 if request.method == "POST" else 200
    return render(request, "reports/ideas.html", {"form": form, "effects": effects}, status=status)


def newest_effects(here: Here) -> list[Effect]:
    found = (
        Improvement.objects.filter(clinic=here.clinic).select_related("owner").order_by("-begun_on", "-pk")
    )
    return [effect_of(idea, here.clinic, now=here.now) for idea in found[:SHOWN]]


@require_POST
@for_staff(*MANAGERS)
def end_idea(request: HttpRequest, here: Here, idea_id: int) -> HttpResponse:
    idea = get_object_or_404(Improvement, pk=idea_id, clinic=here.clinic)
    try:
        end(idea, here.now.astimezone(ZoneInfo(here.clinic.time_zone)).date())
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Ended."))
    return redirect("stuck_ideas")
