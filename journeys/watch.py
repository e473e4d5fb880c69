"""The watcher: finds what is overdue, marks it once, passes it on, has the patient told before she asks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Case, F, When

from journeys import deadlines
from journeys.claims import BATCH, Alarm, Rows, batches, insert_for
from journeys.clinic_time import due_within
from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind, StepStatus, StepTemplate
from patients.models import Clinic
from patients.queries import ClinicClock

INTERVAL = timedelta(seconds=60)
APOLOGY = deadlines.Limit(4, deadlines.Unit.WORKING_HOURS)  # by when a late answer is promised anew

OVERDUE = Alarm(
    model=Step,
    column="due_at",
    armed="status = 'active' AND stalled_at IS NULL",
    takes={"stalled_at": "%(now)s"},
    returns=("id", "clinic_id", "template_step_id", "kind"),
)

Late = tuple[int, int, int, str]  # step, clinic, template step, kind

# Whose it was at first stays written, however often it is passed on.
FIRST_ROLE = Case(When(passed_on_from="", then=F("owner_role")), default=F("passed_on_from"))


@dataclass
class _Rules:
    """What the templates say about late steps, read once a tick."""

    escalates: dict[int, str] = field(default_factory=dict)
    apologises: dict[int, str] = field(default_factory=dict)

    @classmethod
    def load(cls) -> "_Rules":
        rules = cls()
        for pk, role, message in StepTemplate.objects.values_list("pk", "escalates_to", "late_message_key"):
            if role:
                rules.escalates[pk] = role
            if message:
                rules.apologises[pk] = message
        return rules


def watch_steps(*, now: datetime, lasts: timedelta = INTERVAL, limit: int = BATCH) -> int:
    """Mark every active step whose deadline has passed as stalled, once, and escalate. Returns how many."""
    stalled = 0
    rules: _Rules | None = None
    for rows in batches(OVERDUE, now=now, limit=limit, lasts=lasts):
        rules = rules or _Rules.load()
        append_events([row[0] for row in rows], EventKind.STALLED, now=now)
        _escalate(rows, rules, now=now)
        _apologise(rows, rules, now=now)
        stalled += len(rows)
    return stalled


def append_events(step_ids: list[int], kind: EventKind, *, now: datetime, detail: str = "") -> None:
    """One event a step in one statement."""
    columns = {"step_id": "s.id", "kind": "%(kind)s", "at": "%(now)s", "detail": "%(detail)s"}
    rows = Rows(StepEvent._meta.db_table, columns, source=Step._meta.db_table)
    insert_for(rows, ids=step_ids, kind=str(kind), now=now, detail=detail)


def _escalate(rows: list[Late], rules: _Rules, *, now: datetime) -> None:
    """Hand late steps to the role their template names, a broken promise to the manager.

    The person who owned them keeps seeing them.
    """
    by_role: dict[str, list[int]] = {}
    for step_id, _clinic, template_id, kind in rows:
        if kind == StepKind.PROMISE:
            by_role.setdefault(OwnerRole.MANAGER, []).append(step_id)
        elif template_id in rules.escalates:
            by_role.setdefault(rules.escalates[template_id], []).append(step_id)
    for role, step_ids in by_role.items():
        Step.objects.filter(pk__in=step_ids, status=StepStatus.ACTIVE).update(
            owner_role=role, passed_on_from=FIRST_ROLE
        )
        append_events(step_ids, EventKind.ESCALATED, now=now, detail=role)


def _apologise(rows: list[Late], rules: _Rules, *, now: datetime) -> None:
    """Tell the patient that we are late and by when she hears: a promise with its own clock."""
    late = [row for row in rows if row[2] in rules.apologises]
    if not late:
        return
    clinics = Clinic.objects.in_bulk({row[1] for row in late})
    clock = ClinicClock(clinics.values(), now=now)
    promised = {pk: due_within(APOLOGY, clock.hours(pk), now=now) for pk in clinics}
    messages = {row[0]: rules.apologises[row[2]] for row in late}
    steps = Step.objects.select_related("journey").in_bulk(list(messages))
    made = Step.objects.bulk_create(
        Step(
            clinic_id=step.clinic_id,
            journey_id=step.journey_id,
            kind=StepKind.PROMISE,
            status=StepStatus.ACTIVE,
            owner_role=step.owner_role if step.owner_role != OwnerRole.PARTNER else OwnerRole.RECEPTIONIST,
            opened_at=now,
            due_at=promised[step.clinic_id],
            contact_from=now,
            message_key=messages[pk],
            about=step,
        )
        for pk, step in steps.items()
        if step.journey.patient_id is not None
    )
    StepEvent.objects.bulk_create(StepEvent(step=step, kind=EventKind.PROMISED, at=now) for step in made)


def describe_plan(*, now: datetime) -> str:
    """The database's own plan of the claim; tests assert that it walks the partial index."""
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        cursor.execute(explain + OVERDUE.sql(), {"now": now, "limit": BATCH})
        return "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())
