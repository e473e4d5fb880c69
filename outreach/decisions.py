"""Writing down what is decided about a contact, in the transaction of the decision itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from outreach.because import Because, Passed
from outreach.decision_models import Decision, DecisionKind
from outreach.models import Attempt, OutreachTask
from outreach.planning import Plan


def note_planned(attempt: Attempt, plan: Plan, passed: Sequence[Passed] = (), *, now: datetime) -> None:
    """Why this way stands on the attempt; here, what moved it and which ways were passed over."""
    Decision.objects.create(
        step_id=attempt.task.step_id,
        attempt=attempt,
        kind=DecisionKind.PLANNED,
        at=now,
        channel=plan.channel,
        rules=" ".join(plan.moved),
        passed=_written(passed),
        until=plan.send_at,
    )


BEYOND = {rule: f"{rule} {Because.BY_HAND}" for rule in (Because.DAY_CAP, Because.WEEK_CAP)}


def note_beyond(attempt: Attempt, rule: Because, *, now: datetime) -> None:
    """A call that somebody makes although the clinic's own limit is reached; the reason stands on the attempt."""
    Decision.objects.create(
        step_id=attempt.task.step_id,
        attempt=attempt,
        kind=DecisionKind.PLANNED,
        at=now,
        channel=attempt.channel,
        rules=BEYOND[rule],
        until=attempt.send_at,
    )


def note_stopped(attempts: Iterable[Attempt], rule: Because, *, now: datetime) -> None:
    """Contacts that were planned and do not leave; each with its task loaded."""
    _note(attempts, DecisionKind.STOPPED, rule, now=now)


def note_put_off(
    attempts: Iterable[Attempt], rule: Because, *, now: datetime, until: datetime | None = None
) -> None:
    """The same contact, later."""
    _note(attempts, DecisionKind.PUT_OFF, rule, now=now, until=until)


def _note(
    attempts: Iterable[Attempt],
    kind: DecisionKind,
    rule: Because,
    *,
    now: datetime,
    until: datetime | None = None,
) -> None:
    Decision.objects.bulk_create(
        [
            Decision(
                step_id=attempt.task.step_id,
                attempt=attempt,
                kind=kind,
                at=now,
                channel=attempt.channel,
                rules=rule,
                until=until,
            )
            for attempt in attempts
        ],
        batch_size=500,
    )


def note_handed_over(
    task: OutreachTask, reason: str, passed: Sequence[Passed] = (), *, now: datetime
) -> None:
    Decision.objects.create(
        step_id=task.step_id,
        kind=DecisionKind.HANDED_OVER,
        at=now,
        rules=reason,
        passed=_written(passed),
    )


def note_put_off_task(task: OutreachTask, rule: Because, *, now: datetime, until: datetime) -> None:
    """Nothing is planned yet; said once, however often it is looked at again."""
    latest = Decision.objects.filter(step=task.step_id).order_by("-at", "-pk").first()
    if latest and latest.kind == DecisionKind.PUT_OFF and latest.rules == rule:
        return
    Decision.objects.create(step_id=task.step_id, kind=DecisionKind.PUT_OFF, at=now, rules=rule, until=until)


def _written(passed: Iterable[Passed]) -> str:
    return " ".join(f"{each.channel}:{each.contact_point}:{each.because}" for each in passed)
