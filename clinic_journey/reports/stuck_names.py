"""Who is behind a number of the map: the patients on one edge, page by page, each with a way to act at once."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from clinic_journey.reports.map_open import OPEN, of_value, open_steps, touched
from clinic_journey.reports.stages import ANEW, ANYWHERE, LOSING, lost_journeys, opened_by
from clinic_journey.reports.stages_time import worked_time
from clinic_journey.reports.stuck_asked import Asked
from clinic_journey.reports.stuck_why import asked_to_wait, cause_of, left_because, words_of
from clinic_journey.results_list import places_of
from journeys.models import EventKind, Step, StepEvent, StepStatus
from patients import audit
from patients.access import Here, for_staff
from patients.models import MANAGERS
from patients.queries import beyond, named_by

PAGE, LOST = 40, "lost"
WHO: dict[str, str | Promise] = {
    "open": gettext_lazy("Wait now"),
    "late": gettext_lazy("Wait too long"),
    "untouched": gettext_lazy("Late, and nobody has touched it"),
    LOST: gettext_lazy("Left here"),
}


@dataclass(frozen=True)
class Name:
    step: Step
    wait: str
    chases: int
    is_late: bool
    why: str  # she left: the cause, then what she said
    words: str
    place: str  # in Results, where that is the page to act on


@require_GET
@for_staff(*MANAGERS)
def names(request: HttpRequest, here: Here) -> HttpResponse:
    """The longest waiting first; those who left, the latest first."""
    asked, who = Asked.of(request.GET, here), request.GET.get("who", "open")
    who = who if who in WHO else "open"
    order = ("-opened_at", "-pk") if who == LOST else ("opened_at", "pk")
    rows = steps_on(asked, who)
    last = named_by(Step.objects.filter(clinic=here.clinic), request.GET.get("after", ""))
    page = list(beyond(rows, last, *order).order_by(*order)[: PAGE + 1])
    audit.shows(rows=len(page[:PAGE]))
    context = {
        "asked": asked,
        "who": who,
        "left_because": left_because(on_edge(lost_steps(asked), asked)) if who == LOST else [],
        "asked_to_wait": asked_to_wait(asked) if who == LOST else [],
        "who_words": WHO,
        "edge": [asked.wording.name(key) for key in asked.gap if key != ANYWHERE] if asked.gap else [],
        "names": named(page[:PAGE], asked),
        "next_url": f"?{asked.query(asked.gap, who=who, after=str(page[PAGE - 1].public_id))}"
        if len(page) > PAGE
        else "",
    }
    return render(request, "reports/stuck_names.html", context)


def steps_on(asked: Asked, who: str) -> QuerySet[Step]:
    """Of the chosen edge, or of the whole journey where none is."""
    found = lost_steps(asked) if who == LOST else open_steps(asked.here.clinic, asked.key, asked.told)
    if who in ("late", "untouched"):
        found = found.filter(status=StepStatus.ACTIVE, due_at__lte=asked.here.now)
    if who == "untouched":
        found = found.exclude(touched())
    chases = Count("events", filter=Q(events__kind=EventKind.CHASED))
    found = found.annotate(chases=chases).select_related("journey__patient", "template_step", "owner")
    return on_edge(found, asked)


def on_edge(steps: QuerySet[Step], asked: Asked) -> QuerySet[Step]:
    if asked.gap is None:
        return steps
    source, target = asked.gap
    if source == ANYWHERE:
        return steps.filter(template_step__key=target)
    found = steps.filter(template_step__key=target).annotate(opener=opened_by())
    if source not in ("", ANEW):
        return found.filter(opener=source)
    begins = Q(opened_at=F("journey__opened_at"))
    return found.filter(opener__isnull=True).filter(begins if source == "" else ~begins)


def lost_steps(asked: Asked) -> QuerySet[Step]:
    """The last step of each journey that was lost in the period."""
    here, since = asked.here, asked.begins
    losing = Q(status=StepStatus.COMPLETED, outcome__in=LOSING, completed_at=F("journey__ended_at"))
    cut = StepEvent.objects.filter(
        step=OuterRef("pk"), kind=EventKind.CANCELLED, at=OuterRef("journey__ended_at")
    )
    later = Step.objects.filter(
        Exists(cut.filter(at=OuterRef("journey__ended_at"))),
        journey=OuterRef("journey"),
        status=StepStatus.CANCELLED,
        template_step__isnull=False,
    ).filter(
        Q(opened_at__gt=OuterRef("opened_at")) | Q(opened_at=OuterRef("opened_at"), pk__gt=OuterRef("pk"))
    )
    given_up = Q(Exists(cut), journey__in=lost_journeys(here.clinic, since, here.now), status="cancelled")
    return Step.objects.filter(
        losing | given_up & ~Q(Exists(later)),
        of_value(asked.told),
        clinic=here.clinic,
        journey__ended_at__gte=since,
        template_step__template__key=asked.key,
    )


def named(steps: list[Any], asked: Asked) -> list[Name]:
    now = asked.here.now
    ends = [step.journey.ended_at or now for step in steps]
    time = worked_time(asked.wording.opening, [now, *ends, *(step.opened_at for step in steps)])
    places = places_of(step for step in steps if step.status == OPEN)
    return [
        Name(
            step,
            asked.wording.wait(time.hours(step.opened_at, step.journey.ended_at or now)),
            step.chases,
            step.status == OPEN and step.due_at is not None and step.due_at <= now,
            "" if step.journey.ended_at is None else cause_of(step.journey.lost_because, step.outcome),
            words_of(step),
            places.get(step.pk, ""),
        )
        for step in steps
    ]
