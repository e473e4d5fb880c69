"""The decision trace: for each step of a patient, what was sent or not, when, and by which rule.

Decisions are read as they were written down. Only how it stands at this moment is told from the rows as they are.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet

from journeys.models import Step, StepStatus
from outreach.channels import PHONE
from outreach.decision_models import Decision, DecisionKind
from outreach.followup import HandOver
from outreach.models import NUMBER_TEST, Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.planning import Why
from outreach.queries import UNFINISHED, WENT_OUT, outcome_words, planned_words, trouble_words
from outreach.trace_words import CANCELLED_WORDS, SETTLED, Standing, rule_words
from patients.models import Channel, ContactPoint, Patient, PatientStatus

Row = TypeVar("Row", Attempt, OutreachTask, Decision)
ENDED_SHOWN = 15  # of the steps that have ended, the latest
OPEN = (StepStatus.ACTIVE, StepStatus.ON_HOLD)


@dataclass(frozen=True)
class Way:
    """A way that was not taken, and why."""

    channel: str
    address: str
    code: str

    @property
    def channel_words(self) -> str:
        return _channel(self.channel)

    @property
    def words(self) -> str:
        return rule_words(self.code)


@dataclass(frozen=True)
class Line:
    """One thing that was decided or happened about one contact."""

    at: datetime
    kind: str  # a DecisionKind, or an AttemptStatus for what became of it
    what: str
    channel: str = ""
    address: str = ""
    codes: tuple[str, ...] = ()
    words: str = ""
    until: datetime | None = None
    passed: tuple[Way, ...] = ()

    @property
    def channel_words(self) -> str:
        return _channel(self.channel)


@dataclass(frozen=True)
class StepTrace:
    step: Step
    standing: Standing
    because: str = ""  # the rule that holds it up now, in words
    at: datetime | None = None  # when it goes on
    lines: list[Line] = field(default_factory=list)


@dataclass
class _Rows:
    """What is known about some steps, read once, each by its step."""

    tasks: dict[int, list[OutreachTask]]
    attempts: dict[int, list[Attempt]]
    decisions: dict[int, list[Decision]]
    addresses: dict[int, str]

    @classmethod
    def about(cls, steps: Sequence[Step]) -> "_Rows":
        ids = [step.pk for step in steps]
        tasks = OutreachTask.objects.filter(step__in=ids).order_by("opened_at", "pk")
        attempts = (
            Attempt.objects.filter(task__step__in=ids)
            .select_related("contact_point", "claimed_by", "task")
            .order_by("send_at", "pk")
        )
        found = list(decisions_about(Decision.objects.filter(step__in=ids)))
        return cls(
            _by_step(tasks, lambda task: task.step_id),
            _by_step(attempts, lambda attempt: attempt.task.step_id),
            _by_step(found, lambda decision: decision.step_id),
            addresses_in(found),
        )


def decisions_about(decisions: QuerySet[Decision]) -> QuerySet[Decision]:
    return decisions.select_related("attempt__contact_point", "attempt__task").order_by("at", "pk")


def addresses_in(decisions: Iterable[Decision]) -> dict[int, str]:
    """The addresses of the ways that were passed over."""
    keys = {int(way.split(":")[1]) for decision in decisions for way in decision.passed.split()}
    return dict(ContactPoint.objects.filter(pk__in=keys).values_list("pk", "value")) if keys else {}


def trace_of(patient: Patient, *, now: datetime, asked: UUID | None = None) -> list[StepTrace]:
    """The steps that are open, then those that ended lately, each with its answer and everything behind it.

    A step that is `asked` for comes first, whenever it was.
    """
    whole = Step.objects.filter(journey__patient=patient).select_related(
        "template_step", "journey__template", "about__template_step"
    )
    first = list(whole.filter(public_id=asked)) if asked else []
    steps = whole.exclude(outreach_tasks__message_key=NUMBER_TEST).exclude(pk__in=[step.pk for step in first])
    listed = [*first, *steps.filter(status__in=OPEN).order_by("due_at", "pk")]
    ended = steps.filter(status__in=[StepStatus.COMPLETED, StepStatus.CANCELLED], opened_at__isnull=False)
    listed += ended.order_by("-opened_at", "-pk")[:ENDED_SHOWN]
    rows = _Rows.about(listed)
    return [_traced(step, patient, rows, now=now) for step in listed]


def _traced(step: Step, patient: Patient, rows: _Rows, *, now: datetime) -> StepTrace:
    tasks, attempts = rows.tasks.get(step.pk, []), rows.attempts.get(step.pk, [])
    decisions = rows.decisions.get(step.pk, [])
    lines = [line_of(decision, rows.addresses) for decision in decisions]
    told = {(decision.attempt_id, decision.kind) for decision in decisions}
    lines += [line for attempt in attempts for line in _of_attempt(attempt, told)]
    lines.sort(key=lambda line: line.at)
    if not tasks:
        standing, at = _without_a_task(step, patient, now=now)
        return StepTrace(step, standing, at=at, lines=lines)
    standing, at = _with_a_task(tasks[-1], attempts)
    return StepTrace(step, standing, _held_up(standing, tasks[-1], decisions), at, lines)


def _without_a_task(step: Step, patient: Patient, *, now: datetime) -> tuple[Standing, datetime | None]:
    """Nothing was ever planned: what is true of the step and the record says why."""
    if patient.status != PatientStatus.ACTIVE:
        return Standing.RECORD_CLOSED, None
    if not step.message_key:
        return Standing.NO_MESSAGE, None
    if step.status not in OPEN:
        return Standing.STEP_ENDED, None
    if step.status == StepStatus.ON_HOLD:
        return Standing.RESTS, None
    if step.contact_from is None:
        return Standing.NOT_ASKED, None
    return (Standing.NOT_YET if step.contact_from > now else Standing.TAKEN_UP), step.contact_from


def _with_a_task(task: OutreachTask, attempts: Sequence[Attempt]) -> tuple[Standing, datetime | None]:
    went_out = [each for each in attempts if each.status in WENT_OUT]
    unfinished = [each for each in attempts if each.status in UNFINISHED]
    if unfinished:
        is_leaving = unfinished[-1].status == AttemptStatus.SENDING
        return (Standing.LEAVING if is_leaving else Standing.PLANNED), unfinished[-1].send_at
    if task.status == TaskStatus.GIVEN_UP:
        return Standing.WITH_A_PERSON, task.ended_at
    if task.status == TaskStatus.OPEN:
        return (Standing.ASKED_AGAIN if went_out else Standing.PLANNING), task.plan_from
    if went_out:
        return Standing.SENT, went_out[-1].sent_at
    return Standing.NOT_NEEDED, task.ended_at


def _held_up(standing: Standing, task: OutreachTask, decisions: Sequence[Decision]) -> str:
    """The rule behind how it stands: the one that moved it, stopped it last, or gave it to a person."""
    if standing == Standing.WITH_A_PERSON and task.outcome in HandOver.values:
        return str(HandOver(task.outcome).label)
    if standing == Standing.NOT_NEEDED:
        return str(CANCELLED_WORDS.get(task.outcome, SETTLED))
    if standing not in {Standing.PLANNED, Standing.PLANNING} or not decisions:
        return ""
    return _joined(decisions[-1].rules.split())


def line_of(decision: Decision, addresses: dict[int, str]) -> Line:
    """What was written down, in words. Why this way is on the attempt; what moved it, on the decision."""
    attempt, rules = decision.attempt, decision.rules.split()
    words = [_rule(code) for code in rules]
    codes = list(rules)
    if decision.kind == DecisionKind.PLANNED and attempt:
        chosen = [
            code for code in attempt.why.partition("|")[0].split() if not (code == Why.SPACED and rules)
        ]
        codes = [*(code.partition(":")[0] for code in chosen), *rules]
        words = [*planned_words(attempt, without=(Why.SPACED,) if rules else ()), *words]
    return Line(
        at=decision.at,
        kind=decision.kind,
        what=str(DecisionKind(decision.kind).label),
        channel=decision.channel,
        address=attempt.contact_point.value if attempt else "",
        codes=tuple(codes),
        words=", ".join(words),
        until=decision.until,
        passed=tuple(_ways(decision, addresses)),
    )


def decided_words(attempt: Attempt) -> str:
    """The rules that moved one contact, put it off or stopped it, in a line; needs its decisions loaded."""
    codes = (code for decision in attempt.decisions.all() for code in decision.rules.split())
    return _joined(dict.fromkeys(codes))


def cancelled_words(attempt: Attempt) -> str:
    """Why a contact did not leave, where no decision says it."""
    return str(CANCELLED_WORDS.get(attempt.outcome, SETTLED))


def _ways(decision: Decision, addresses: dict[int, str]) -> Iterable[Way]:
    for each in decision.passed.split():
        channel, point, code = each.split(":")
        yield Way(channel, addresses.get(int(point), ""), code)


def _of_attempt(attempt: Attempt, told: Collection[tuple[int | None, str]]) -> Iterable[Line]:
    """What became of it; and why it was made, where that was decided before decisions had rows of their own."""
    if attempt.why and (attempt.pk, DecisionKind.PLANNED) not in told:
        words = ", ".join(planned_words(attempt))
        yield _line(attempt, DecisionKind.PLANNED, attempt.send_at, words, until=attempt.send_at)
    if attempt.status in UNFINISHED:
        return
    at = attempt.sent_at or attempt.ended_at or attempt.send_at
    if attempt.status != AttemptStatus.CANCELLED:
        words = attempt.error if attempt.channel == PHONE else trouble_words(attempt)
        yield _line(attempt, AttemptStatus(attempt.status), at, words)
    elif (attempt.pk, DecisionKind.STOPPED) not in told:
        yield _line(attempt, DecisionKind.STOPPED, at, cancelled_words(attempt))


def _line(
    attempt: Attempt,
    kind: DecisionKind | AttemptStatus,
    at: datetime,
    words: str,
    *,
    until: datetime | None = None,
) -> Line:
    return Line(
        at=at,
        kind=kind.value,
        what=outcome_words(attempt) if isinstance(kind, AttemptStatus) else str(kind.label),
        channel=attempt.channel,
        address=attempt.contact_point.value,
        codes=(attempt.outcome,) if attempt.outcome else (),
        words=words,
        until=until,
    )


def _rule(code: str) -> str:
    return str(HandOver(code).label) if code in HandOver.values else rule_words(code)


def _joined(codes: Iterable[str]) -> str:
    return ", ".join(_rule(code) for code in codes)


def _channel(channel: str) -> str:
    return str(Channel(channel).label) if channel in Channel.values else channel


def _by_step(rows: Iterable[Row], step_of: Callable[[Row], int]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(step_of(row), []).append(row)
    return found
