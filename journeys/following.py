"""What opens after a step, as it would be written now: told before it happens by the rules that then do it.

Reads only; the writing is in actions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import prefetch_related_objects

from journeys import deadlines, routing
from journeys.clinic_time import due_within
from journeys.models import ContactWhen, Journey, OwnerRole, Step, StepStatus, StepTemplate
from journeys.queries import graph_of
from patients.windows import Hours


def steps_of(journey: Journey, wanted: Sequence[str], *, opening: Hours, now: datetime) -> list[Step]:
    """The steps as they would be written now."""
    known = journey.template.steps.all() if journey.template else []
    templates = [template for template in known if template.key in wanted]
    rounds = dict(
        journey.steps.filter(template_step__in=[template.pk for template in templates])
        .order_by("round")
        .values_list("template_step_id", "round")
    )
    return [
        _step_from(journey, template, now=now, opening=opening, nth=rounds.get(template.pk, 0) + 1)
        for template in templates
    ]


def _step_from(journey: Journey, template: StepTemplate, *, now: datetime, opening: Hours, nth: int) -> Step:
    limit = deadlines.Limit(template.limit_amount, deadlines.Unit(template.limit_unit))
    due_at = due_within(limit, opening, now=now)
    return Step(
        clinic_id=journey.clinic_id,
        journey=journey,
        template_step=template,
        round=nth,
        kind=template.kind,
        status=StepStatus.ACTIVE,
        owner_role=template.owner_role,
        owner=journey.doctor if template.owner_role == OwnerRole.DOCTOR else None,
        opened_at=now,
        due_at=due_at,
        contact_from=contact_instant(template, now=now, due_at=due_at),
        message_key=template.message_key,
    )


def contact_instant(template: StepTemplate, *, now: datetime, due_at: datetime) -> datetime | None:
    """When the machine begins to contact the patient about a step due at `due_at`; never in the past."""
    if template.contact_when == ContactWhen.AT_ONCE:
        return now
    if template.contact_when == ContactWhen.AT_DUE:
        return due_at
    if template.contact_when == ContactWhen.BEFORE_DUE:
        return max(now, due_at - timedelta(minutes=template.contact_lead_minutes))
    return None


@dataclass(frozen=True)
class Way:
    """How each step of a journey last ended, and which are open."""

    ended: dict[str, str]
    active: frozenset[str]


def way_so_far(journey: Journey) -> Way:
    rows = list(
        journey.steps.filter(
            template_step__isnull=False, status__in=[StepStatus.COMPLETED, StepStatus.ACTIVE]
        )
        .order_by("completed_at", "round")
        .values_list("template_step__key", "status", "outcome")
    )
    ended = {key: outcome for key, status, outcome in rows if status == StepStatus.COMPLETED}
    return Way(ended, frozenset(key for key, status, _outcome in rows if status == StepStatus.ACTIVE))


def opens_after(graph: routing.Graph, way: Way, key: str, outcome: str) -> list[str]:
    """What opens when a step has ended so, unless it is open already and stays so."""
    going_on = way.active - {key} - set(routing.closes_after(graph, key, outcome))
    found = routing.opens_after(graph, {**way.ended, key: outcome}, key)
    return [each for each in found if each not in going_on]


def would_open(
    step: Step, outcomes: Iterable[str], *, opening: Hours, now: datetime
) -> dict[str, list[Step]]:
    """For each way to end an active step, the steps that would open: by the same rules, but nothing is written."""
    template = step.template_step
    if template is None or step.journey.template is None:
        return {outcome: [] for outcome in outcomes}
    prefetch_related_objects([step.journey.template], "steps")  # for the graph and for what opens
    graph, way = graph_of(step.journey.template), way_so_far(step.journey)
    keys = {outcome: opens_after(graph, way, template.key, outcome) for outcome in outcomes}
    wanted = sorted({key for opened in keys.values() for key in opened})
    made = steps_of(step.journey, wanted, opening=opening, now=now)
    by_key = {each.key: each for each in made}
    return {outcome: [by_key[key] for key in opened] for outcome, opened in keys.items()}
