"""Patients who do not answer: what was tried with each, why that may be our doing, and what to try next (S4)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from journeys.models import Step, StepKind, StepStatus
from outreach.models import SILENT, Attempt, OutreachTask, TaskStatus
from outreach.planning import OTHER, GiveUp, Plan, Why, next_attempt, reachable_cells
from outreach.reach import Reach
from outreach.silence import (
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
from patients.models import Clinic
from patients.queries import User

LONGEST_DUE = ("deadline_at", "pk")
NO_OTHER_NUMBER = "no_other_number"  # how the desk's search for another number may end


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
    return _silent().filter(clinic__memberships__user_id=user.pk)


def silent_in(clinic: Clinic) -> QuerySet[OutreachTask]:
    """The same of one clinic, for the clockwork."""
    return _silent().filter(clinic=clinic)


def _silent() -> QuerySet[OutreachTask]:
    reopened = OutreachTask.objects.filter(step=OuterRef("step"), status=TaskStatus.OPEN)
    return (
        OutreachTask.objects.filter(SILENT, step__status=StepStatus.ACTIVE)
        .filter(Q(status=TaskStatus.OPEN) | ~Exists(reopened))
        .select_related("patient", "step__template_step", "step__journey__template", "clinic")
        .order_by(*LONGEST_DUE)
    )


def read_silences(tasks: Iterable[OutreachTask], *, now: datetime) -> list[Silence]:
    """What each of some tasks shows, in the order given."""
    keys = [task.pk for task in tasks]
    read = silences_in(OutreachTask.objects.filter(pk__in=keys), now=now)
    found = {silence.task.pk: silence for silence in read}
    return [found[key] for key in keys if key in found]


def silences_in(tasks: QuerySet[OutreachTask], *, now: datetime) -> list[Silence]:
    """What the tasks of a page show, in a number of queries that does not grow with them."""
    searched = Step.objects.filter(about=OuterRef("step"), kind=StepKind.CALL, outcome=NO_OTHER_NUMBER)
    reach = Reach.among(tasks.annotate(searched=Exists(searched)), now=now)
    return [
        _silence(task, reach, reach.unfinished.get(task.pk), searched=vars(task)["searched"])
        for task in reach.tasks
    ]


def _silence(task: OutreachTask, reach: Reach, planned: Attempt | None, *, searched: bool) -> Silence:
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
