"""Patients who do not answer: what was tried with each, why that may be our doing, and what to try next (S4)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from journeys.models import Step, StepKind, StepStatus
from outreach.channels import FOR_A_MOMENT
from outreach.followup import HandOver
from outreach.models import Attempt, OutreachTask, TaskStatus
from outreach.planning import OTHER, GiveUp, Plan, Why, next_attempt, reachable_cells
from outreach.queries import UNFINISHED
from outreach.reach import CARRIED_OUT, Reach
from outreach.silence import (
    ANSWERED,
    BAD_ADDRESS,
    ENOUGH,
    Cause,
    Cell,
    Evidence,
    Mark,
    causes,
    cell_of,
    evidence,
    marked,
    untried,
)
from patients.queries import User, named_by

NO_OTHER_NUMBER = "no_other_number"  # how the desk's search for another number may end
GAVE_UP = (HandOver.ATTEMPTS_USED, HandOver.NO_ADDRESS)


@dataclass(frozen=True)
class Silence:
    """One silent task, with what it shows. `proposal`: the planner's next contact in a way not tried yet."""

    task: OutreachTask
    seen: Evidence
    causes: list[Cause]
    planned: Attempt | None
    proposal: Plan | None
    proposed: Cell | None  # where in the grid the proposal lies
    looked_for_number: bool  # the desk was asked for another number, and there is none

    @property
    def needs_number(self) -> bool:
        """Every address tried is bad, or there is none to try."""
        return self.seen.number_bad or not (self.seen.reachable or self.seen.tried)

    @property
    def cause(self) -> Cause | None:
        return Cause.NUMBER_BAD if self.needs_number else next(iter(self.causes), None)

    @property
    def rows(self) -> list[list[Mark]]:
        channels = dict.fromkeys(cell.channel for cell in self.seen.reachable)
        return marked(channels, self.seen.tried, self.seen.reachable)

    @property
    def untried(self) -> list[Cell]:
        return untried(self.seen.tried, self.seen.reachable)

    @property
    def is_silent(self) -> bool:
        """Since the last answer; what was given up stays until somebody goes on with it."""
        tried_enough = len(self.seen.tried) >= ENOUGH or self.needs_number
        return tried_enough or self.task.status == TaskStatus.GIVEN_UP

    @property
    def is_planned_anew(self) -> bool:
        """The next contact is planned in a way not tried yet."""
        plan = self.proposal
        return bool(
            self.planned
            and plan
            and (self.planned.channel, self.planned.send_at) == (plan.channel, plan.send_at)
        )

    @property
    def is_ruled_out(self) -> bool:
        """Every cause that could be ours was tried and is none: only then may the silence mean something."""
        if self.needs_number:
            return self.looked_for_number and not self.untried
        ours = [cause for cause in self.causes if cause != Cause.EXHAUSTED]
        return not ours and not self.untried and len(self.seen.tried) >= ENOUGH


def silent_tasks(user: User) -> QuerySet[OutreachTask]:
    """Contacts of the user's clinics that got no answer twice, or that the machine gave up; the longest due first."""
    reopened = OutreachTask.objects.filter(step=OuterRef("step"), status=TaskStatus.OPEN)
    tried = Attempt.objects.filter(task=OuterRef("pk"), status__in=CARRIED_OUT)
    in_vain = tried.exclude(outcome__in=[*ANSWERED, *FOR_A_MOMENT]).order_by()
    unheard = in_vain.values("task").annotate(n=Count("pk")).values("n")
    return (
        OutreachTask.objects.filter(
            Q(status=TaskStatus.OPEN)
            | Q(status=TaskStatus.GIVEN_UP, outcome__in=GAVE_UP) & ~Exists(reopened),
            clinic__memberships__user_id=user.pk,
            step__status=StepStatus.ACTIVE,
        )
        .alias(unheard=Subquery(unheard))
        .filter(
            Q(status=TaskStatus.GIVEN_UP)
            | Q(unheard__gte=ENOUGH)
            | Q(Exists(tried.filter(outcome__in=BAD_ADDRESS)))
        )
        .select_related("patient", "step__template_step", "step__journey__template", "clinic")
        .order_by("step__due_at", "pk")
    )


def after_task(tasks: QuerySet[OutreachTask], public_id: str) -> QuerySet[OutreachTask]:
    """The rest of the list after one task, by key; an empty or unknown id means from the start."""
    last = named_by(tasks, public_id)
    if last is None:
        return tasks
    due_at = last.step.due_at
    return tasks.filter(Q(step__due_at__gt=due_at) | Q(step__due_at=due_at, pk__gt=last.pk))


def read_silences(tasks: Iterable[OutreachTask], *, now: datetime) -> list[Silence]:
    """What each of some tasks shows, in the order given, in a number of queries that does not grow with them."""
    keys = [task.pk for task in tasks]
    reach = Reach(keys, now=now)
    planned = {
        attempt.task_id: attempt
        for attempt in Attempt.objects.filter(task__in=keys, status__in=UNFINISHED).select_related(
            "contact_point"
        )
    }
    searched = set(
        Step.objects.filter(
            about__outreach_tasks__in=keys, kind=StepKind.CALL, outcome=NO_OTHER_NUMBER
        ).values_list("about_id", flat=True)
    )
    found = {
        task.pk: _silence(task, reach, planned.get(task.pk), task.step_id in searched) for task in reach.tasks
    }
    return [found[key] for key in keys if key in found]


def _silence(task: OutreachTask, reach: Reach, planned: Attempt | None, searched: bool) -> Silence:  # noqa: FBT001
    options = list(reach.options(task))
    rules, past = reach.rules(task), reach.past(task)
    own = [each for each in past if each.outcome != OTHER]
    card = getattr(task.patient, "card", None)
    seen = evidence(
        own,
        reachable_cells(options, rules=rules, start=reach.now),
        zone=rules.zone,
        weekend=rules.weekend,
        asked=card.channel if card and card.told_at else "",
    )
    plan = next_attempt(
        options,
        past,
        rules=replace(rules, max_attempts=len(own) + 1),
        not_before=reach.now,
        deadline=task.deadline_at,
    )
    is_new = not isinstance(plan, GiveUp) and Why.AGAIN not in plan.why
    proposal = plan if is_new and isinstance(plan, Plan) else None
    cell = cell_of(proposal.send_at, proposal.channel, rules.zone, rules.weekend) if proposal else None
    return Silence(task, seen, causes(seen), planned, proposal, cell, searched)
