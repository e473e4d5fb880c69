"""What somebody undertakes about a gap, and what came of it: 28 days before it began and 28 days after (S1.15)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from clinic_journey.reports.map import MEDIAN, P90, Wording
from clinic_journey.reports.stages import Counts, Waits, after_waits, ended_steps, hours_of
from clinic_journey.reports.stages_models import Improvement
from clinic_journey.reports.stages_time import worked_time
from journeys.models import StepTemplate, TemplateStatus
from patients.access import Here, for_staff
from patients.models import Clinic, Role
from patients.windows import starts_at

COMPARED = timedelta(days=28)
SHOWN = 20


@dataclass(frozen=True)
class Span:
    """Four weeks of one step."""

    passed: int
    lost: int
    median: str
    p90: str

    @property
    def lost_percent(self) -> int | None:
        judged = self.passed + self.lost
        return round(100 * self.lost / judged) if judged else None


@dataclass(frozen=True)
class Effect:
    idea: Improvement
    step: str
    before: Span
    after: Span
    days: int  # of the 28 after it began, how many have passed

    @property
    def is_over(self) -> bool:
        return self.days >= COMPARED.days


def current_ideas(clinic: Clinic, key: str) -> list[Improvement]:
    ideas = Improvement.objects.filter(clinic=clinic, template_key=key, ended_on__isnull=True)
    return [*ideas.select_related("owner").order_by("begun_on", "pk")]


def ideas_in(clinic: Clinic, key: str, first: date, until: date) -> list[Improvement]:
    """What was under way on one of these days at least, the last not among them."""
    ideas = Improvement.objects.filter(
        Q(ended_on__isnull=True) | Q(ended_on__gte=first), clinic=clinic, template_key=key, begun_on__lt=until
    )
    return [*ideas.select_related("owner").order_by("begun_on", "pk")]


def span(clinic: Clinic, idea: Improvement, start: datetime, end: datetime, wording: Wording) -> Span:
    """From the events, for the two spans begin on the day the idea did and not with a week."""
    of_step = Q(template_step__key=idea.step_key, template_step__template__key=idea.template_key)
    wanted = (idea.template_key, idea.step_key)
    rows = [
        row
        for row in ended_steps(clinic, start, end, only=of_step)
        if (row["template_step__template__key"], row["template_step__key"]) == wanted
    ]
    time_worked = worked_time(wording.opening, [start, end, *(row["opened_at"] for row in rows)])
    waits: Waits = {}
    for row in rows:
        counts = waits.setdefault(time_worked.hours(row["opened_at"], row["at"]), Counts())
        counts.add(Counts(passed=int(not row["is_lost"]), lost=int(row["is_lost"])))
    lost = sum(each.lost for each in waits.values())
    median, p90 = (wording.wait(after_waits(waits, share)) for share in (MEDIAN, P90))
    return Span(len(rows) - lost, lost, median, p90)


def effect_of(idea: Improvement, clinic: Clinic, *, now: datetime) -> Effect:
    steps = StepTemplate.objects.filter(
        template__key=idea.template_key, template__status=TemplateStatus.ACTIVE
    )
    wording = Wording({step.key: step for step in steps}, hours_of(clinic))
    began = starts_at(clinic.time_zone, idea.begun_on, time.min)
    before = span(clinic, idea, began - COMPARED, began, wording)
    after = span(clinic, idea, began, min(began + COMPARED, now), wording)
    days = max(0, (min(now, began + COMPARED) - began).days)
    return Effect(idea, wording.name(idea.step_key), before, after, days)


@transaction.atomic
def begin(idea: Improvement) -> bool:
    """False where the same was noted before."""
    try:
        with transaction.atomic():
            idea.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def end(idea: Improvement, on: date) -> bool:
    """Counts rows: whoever comes second changes nothing. One that never began ends on the day it was to begin."""
    still = Improvement.objects.filter(pk=idea.pk, ended_on__isnull=True)
    return bool(still.update(ended_on=max(on, idea.begun_on)))


class IdeaForm(forms.Form):
    step = forms.ChoiceField(label=gettext_lazy("Step"))
    words = forms.CharField(label=gettext_lazy("What we change"), max_length=200)
    owner = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("Who sees to it"))
    begun_on = forms.DateField(
        label=gettext_lazy("Since"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: object, here: Here, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        steps = StepTemplate.objects.filter(template__status=TemplateStatus.ACTIVE).select_related("template")
        self.fields["step"].choices = [  # type: ignore[attr-defined]
            (f"{step.template.key}:{step.key}", f"{step.template.name}: {step.name}")
            for step in steps.order_by("template__key", "position")
        ]
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)  # noqa: S101 - as declared above
        people = User.objects.filter(memberships__clinic=here.clinic)
        owner.queryset = people.order_by("first_name", "last_name", "username")
        owner.label_from_instance = lambda person: person.get_full_name() or person.username  # type: ignore[method-assign, assignment]
        self.here = here

    def idea(self) -> Improvement:
        data = self.cleaned_data
        template, _colon, step = data["step"].partition(":")
        return Improvement(
            clinic=self.here.clinic, template_key=template, step_key=step, words=data["words"],
            owner=data["owner"], begun_on=data["begun_on"],
        )  # fmt: skip


@require_http_methods(["GET", "POST"])
@for_staff(Role.MANAGER, Role.ADMIN)
def ideas(request: HttpRequest, here: Here) -> HttpResponse:
    """What was undertaken, the newest first, each with its before and after; and a form for the next."""
    today = here.now.astimezone(ZoneInfo(here.clinic.time_zone)).date()
    first = {"begun_on": today, "step": request.GET.get("step", ""), "owner": here.user.pk}
    form = IdeaForm(request.POST or None, initial=first, here=here)
    if request.method == "POST" and form.is_valid():
        if begin(form.idea()):
            messages.success(request, _("Noted. What comes of it is measured from that day on."))
        else:
            messages.error(request, _("The same was noted before."))
        return redirect("stuck_ideas")
    found = (
        Improvement.objects.filter(clinic=here.clinic).select_related("owner").order_by("-begun_on", "-pk")
    )
    effects = [effect_of(idea, here.clinic, now=here.now) for idea in found[:SHOWN]]
    status = 422 if request.method == "POST" else 200
    return render(request, "reports/ideas.html", {"form": form, "effects": effects}, status=status)


@require_POST
@for_staff(Role.MANAGER, Role.ADMIN)
def end_idea(request: HttpRequest, here: Here, idea_id: int) -> HttpResponse:
    idea = get_object_or_404(Improvement, pk=idea_id, clinic=here.clinic)
    if end(idea, here.now.astimezone(ZoneInfo(here.clinic.time_zone)).date()):
        messages.success(request, _("Ended."))
    else:
        messages.error(request, _("It had ended already."))
    return redirect("stuck_ideas")
