"""What the engine and the screens read about journeys and steps."""

from datetime import datetime

from django.db.models import F, Q, QuerySet

from journeys.models import (
    OPEN_JOURNEYS,
    EdgeEffect,
    Journey,
    JourneyTemplate,
    Step,
    StepEdge,
    StepEvent,
    StepStatus,
    TemplateStatus,
)
from journeys.routing import Edge, Graph, Node
from patients.models import Patient
from patients.queries import User


def active_template(key: str) -> JourneyTemplate:
    return JourneyTemplate.objects.get(key=key, status=TemplateStatus.ACTIVE)


def graph_of(template: JourneyTemplate) -> Graph:
    """The template's steps and edges in the shape that `routing` reasons about."""
    nodes = tuple(
        Node(step.key, step.is_entry, "all" if step.joins_all else "any", frozenset(step.outcomes))
        for step in template.steps.all()
    )
    edges = tuple(
        Edge(source, target, outcome, "closes" if effect == EdgeEffect.CLOSES else "opens")
        for source, target, outcome, effect in StepEdge.objects.filter(source__template=template).values_list(
            "source__key", "target__key", "outcome", "effect"
        )
    )
    return Graph(nodes, edges)


def steps_visible_to(user: User) -> QuerySet[Step]:
    return Step.objects.filter(clinic__memberships__user_id=user.pk).select_related(
        "journey__patient", "journey__template", "template_step", "clinic", "owner"
    )


def open_steps(steps: QuerySet[Step]) -> QuerySet[Step]:
    return steps.filter(status=StepStatus.ACTIVE)


def open_steps_of(journey: Journey) -> QuerySet[Step]:
    return journey.steps.filter(status=StepStatus.ACTIVE).select_related("template_step").order_by("due_at")


def overdue(steps: QuerySet[Step], *, now: datetime) -> QuerySet[Step]:
    """Due is read live; `stalled_at` only says that the watcher has seen it."""
    return steps.filter(status=StepStatus.ACTIVE, due_at__lte=now)


def journeys_of(patient: Patient) -> QuerySet[Journey]:
    return patient.journeys.select_related("template").order_by(
        F("ended_at").desc(nulls_first=True), "-opened_at"
    )


def journeys_without_next_date() -> QuerySet[Journey]:
    """Must be empty: an active journey in which nothing is planned (surfaces.md 0, target 0)."""
    waiting = Q(steps__status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD, StepStatus.PLANNED])
    return Journey.objects.filter(status__in=OPEN_JOURNEYS).exclude(
        pk__in=Journey.objects.filter(waiting, status__in=OPEN_JOURNEYS).values("pk")
    )


def history_of(patient: Patient) -> QuerySet[StepEvent]:
    return (
        StepEvent.objects.filter(step__journey__patient=patient)
        .select_related("step__template_step", "by")
        .order_by("-at", "-id")
    )
