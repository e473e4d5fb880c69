"""What the screens show of an import: problems by repair, the rows as they would become, what came of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from clinic_journey.importing import stages
from clinic_journey.importing.columns import FIELDS
from clinic_journey.importing.models import (
    AT_WORK,
    Import,
    ImportKind,
    ImportProblem,
    ImportRow,
    ImportStatus,
    RowState,
)
from clinic_journey.importing.people import Record
from clinic_journey.importing.visits import Wish
from clinic_journey.importing.words import PROBLEMS, Words, expected, may_be_left_empty
from patients.models import MANAGERS
from patients.queries import User

SHOWN = 20
EXAMPLES = 5


def imports_visible_to(user: User) -> QuerySet[Import]:
    """Imports show whole tables of people, so only those who manage the clinic see them."""
    return Import.objects.filter(
        clinic__memberships__user_id=user.pk, clinic__memberships__role__in=MANAGERS
    ).select_related("clinic", "made_by")


@dataclass(frozen=True)
class Example:
    row: int
    column: str
    found: str
    expected: str


@dataclass(frozen=True)
class Group:
    """All rows with one problem, since one repair or one decision settles them."""

    code: str
    words: Words
    count: int
    examples: list[Example]
    is_left_empty: bool
    may_be_left_empty: bool


def problem_groups(run: Import) -> list[Group]:
    counted = run.problems.order_by().values_list("code").annotate(rows=Count("row", distinct=True))
    return [
        Group(
            code,
            PROBLEMS[code],
            count,
            _examples(run, code),
            code in run.left_empty,
            may_be_left_empty(code, run.kind),
        )
        for code, count in sorted(counted, key=lambda each: -each[1])
    ]


def _examples(run: Import, code: str) -> list[Example]:
    problems = run.problems.filter(code=code).select_related("row")[:EXAMPLES]
    return [example(run, problem) for problem in problems]


def example(run: Import, problem: ImportProblem) -> Example:
    said = expected(problem.code, problem.detail, run.clinic)
    return Example(problem.row.number, column_name(run, problem.field), problem.found, said)


def column_name(run: Import, field: str) -> str:
    """The column as the file calls it; a field that no column fills goes by our name for it."""
    alike = {"given_name": ("full_name", "full_name_reversed"), "on": ("start", "at")}.get(field, ())
    for name in (field, *alike):
        if name in run.columns:
            return str(run.header[run.columns.index(name)])
    return str(FIELDS[ImportKind(run.kind)].get(field, ""))


@dataclass(frozen=True)
class Counts:
    """Rows by what becomes or became of them."""

    total: int
    ready: int
    known: int
    left_out: int
    by_state: dict[str, int]


def counts(run: Import) -> Counts:
    by_state = run.counts or dict(run.rows.order_by().values_list("state").annotate(Count("pk")))
    total = sum(by_state.values())
    unsolved = ImportProblem.objects.filter(run=run).exclude(code__in=run.left_empty)
    left_out = unsolved.aggregate(rows=Count("row", distinct=True))["rows"]
    known = 0
    if run.status == ImportStatus.CHECKED and run.kind == ImportKind.PATIENTS:
        known = run.rows.filter(state=RowState.READY, patient__isnull=False).count()
    return Counts(total, total - left_out, known, left_out, by_state)


@dataclass(frozen=True)
class Preview:
    number: int
    row: ImportRow
    meaning: Record | Wish
    problems: list[str]


def preview(run: Import, *, now: datetime) -> list[Preview]:
    """The first rows as they would become."""
    rows = list(run.rows.prefetch_related("problems").select_related("patient")[:SHOWN])
    read = stages.prepare(run, rows, now=now)
    return [
        Preview(
            row.number,
            row,
            each.meaning,
            [str(PROBLEMS[p.code].title) for p in row.problems.all() if p.code not in run.left_empty],
        )
        for row, each in zip(rows, read, strict=True)
    ]


@dataclass(frozen=True)
class Progress:
    done: int
    total: int
    percent: int
    left: timedelta | None


def progress(run: Import, *, now: datetime) -> Progress | None:
    """How far the present stage is, and how long the rest takes at the pace so far."""
    if run.status not in AT_WORK:
        return None
    done = run.rows.filter(number__lte=run.reached).count()
    if run.status == ImportStatus.READING:
        return Progress(done, 0, 0, None)
    spent = now - run.status_at
    left = spent * (run.total - done) / done if done and spent > timedelta() else None
    return Progress(done, run.total, done * 100 // max(run.total, 1), left)


def refused_rows(run: Import) -> QuerySet[ImportRow]:
    """Rows that were, or would be, left out."""
    if run.status == ImportStatus.CHECKED:
        unsolved = run.problems.exclude(code__in=run.left_empty)
        return run.rows.filter(pk__in=unsolved.values("row"))
    return run.rows.filter(state=RowState.REFUSED)


def reasons(run: Import, rows: QuerySet[ImportRow]) -> Iterator[tuple[ImportRow, str]]:
    """Each row with all its reasons, read in pieces."""
    for row in rows.prefetch_related("problems").iterator(chunk_size=500):
        texts = [row.note] if row.note else []
        for problem in row.problems.all():
            if problem.code not in run.left_empty:
                said = expected(problem.code, problem.detail, run.clinic)
                texts.append(f"{PROBLEMS[problem.code].title} ({said})")
        yield row, "; ".join(texts)


def noted(run: Import) -> list[ImportRow]:
    """After an import the rows refused at the writing; after an undo those that stayed."""
    state = RowState.KEPT if run.status == ImportStatus.UNDONE else RowState.REFUSED
    return list(run.rows.filter(state=state).exclude(note="").select_related("patient")[:SHOWN])


@dataclass(frozen=True)
class Difference:
    row: ImportRow
    field: str
    ours: str
    theirs: str


def differing(run: Import) -> list[Difference]:
    """Where the file says something else than the record: nothing was overwritten, so a person may look."""
    found = run.rows.filter(state__in=[RowState.FOUND, RowState.FILLED], differs=True)
    names = FIELDS[ImportKind.PATIENTS]
    differences: list[Difference] = []
    for row in found.select_related("patient")[:SHOWN]:
        for name, ours, theirs in row.wrote["differs"]:
            differences.append(Difference(row, str(names.get(name, name)), ours, theirs))
    return differences
