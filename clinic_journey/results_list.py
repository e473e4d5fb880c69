"""The lists of Results: to decide, expected, not matched, closed today; each row with what is known of its delay."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, IntegerField, OuterRef, QuerySet, Subquery
from django.urls import reverse

from journeys.clinic_time import due_within
from journeys.deadlines import Limit, Unit
from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind
from patients.access import Here
from patients.models import Clinic
from patients.queries import key_in
from referrals import queries
from referrals.models import Referral, Result, ReviewPass

SHOWN = 100
GRAVE_AFTER = Limit(1, Unit.WORKING_DAYS)  # late on the first working day is amber, from the second on red
CLOSED_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class ResultRow:
    """One result with its review's delay in words the row can show."""

    result: Result
    is_late: bool = False
    is_grave: bool = False
    with_manager: bool = False
    promised_by: datetime | None = None  # when the patient hears from us, as we are late
    passed: ReviewPass | None = None


@dataclass(frozen=True)
class ExpectedRow:
    referral: Referral
    look_at: datetime  # the wait rings then
    is_late: bool
    asked: StepEvent | None = None


def lists_of(here: Here) -> dict[str, QuerySet[Any]]:
    mine = results_here(here)
    return {
        "decide": queries.to_decide(mine.filter(review__clinic=here.clinic)),
        "expected": queries.expected(
            queries.referrals_visible_to(here.user).filter(clinic=here.clinic)
        ).order_by("step__due_at", "pk"),
        "unmatched": queries.unmatched(queries.documents_visible_to(here.user).filter(clinic=here.clinic)),
        "closed": mine.filter(decided_at__gte=here.now - CLOSED_FOR).order_by("-decided_at"),
    }


def results_here(here: Here) -> QuerySet[Result]:
    promised = Step.objects.filter(about=OuterRef("review"), kind=StepKind.PROMISE).order_by("-due_at")
    return (
        queries.results_visible_to(here.user)
        .filter(referral__clinic=here.clinic)
        .select_related("review__owner", "review__template_step", "review__journey__template")
        .select_related("review__journey__clinic", "referral__requester__clinic")
        .select_related("referral__patient__clinic", "referral__patient__card")
        .annotate(
            promised_by=Subquery(promised.values("due_at")[:1]),
            is_passed=Exists(ReviewPass.objects.filter(review=OuterRef("review"), answer="")),
        )
    )


def places_of(steps: Iterable[Step]) -> dict[int, str]:
    """By step: where in Results its decision is made, or the institute is asked for what it waits for."""
    by_kind: dict[str, list[int]] = {}
    for step in steps:
        by_kind.setdefault(step.kind, []).append(step.pk)
    found: dict[int, str] = {}
    if reviews := by_kind.get(StepKind.REVIEW):
        results = queries.to_decide(Result.objects.filter(review__in=reviews))
        found |= {step: _place("decide", item) for step, item in results.values_list("review", "public_id")}
    if waits := by_kind.get(StepKind.AWAIT_RESULT):
        referrals = queries.expected(Referral.objects.filter(step__in=waits))
        found |= {step: _place("expected", item) for step, item in referrals.values_list("step", "public_id")}
    return found


def _place(shown: str, item: UUID) -> str:
    return f"{reverse('results')}?list={shown}&item={item}"


class Counted(Subquery):
    """How many rows a query finds, as one column among others."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class Newest(Subquery):
    """The highest key a query finds. Asked for by order, it would be sought among all clinics' rows."""

    template = "(SELECT MAX(found.pk) FROM (%(subquery)s) found)"
    output_field = IntegerField()


def tallies(here: Here, lists: dict[str, QuerySet[Any]], **known: int) -> dict[str, Any]:
    """The badges, and the mark up to which the page has seen what arrives, in one query.

    No list is counted beyond what a badge can say, and none that has been read.
    """
    wanted = {name: _counted(found) for name, found in lists.items() if name not in known}
    found = _read(here, **wanted, **_newest(lists))
    mark = Mark(found.pop("last_result") or 0, found.pop("last_step") or 0)
    return {"counts": {**known, **found}, "newest": mark}


def _read(here: Here, **columns: Subquery) -> dict[str, int]:
    found: Any = Clinic.objects.filter(pk=here.clinic.pk).values(**columns).get()
    return dict(found)


def _counted(rows: QuerySet[Any]) -> Counted:
    return Counted(rows.order_by().values("pk")[:SHOWN])


def _newest(lists: dict[str, QuerySet[Any]]) -> dict[str, Newest]:
    return {
        "last_result": Newest(lists["decide"].order_by().values("pk")),
        "last_step": Newest(lists["unmatched"].order_by().values(pk=F("step"))),
    }


@dataclass(frozen=True)
class Mark:
    """What a page has seen: results, and the steps of documents nobody could match. Both keys only grow."""

    result: int = 0
    step: int = 0

    def __str__(self) -> str:
        return f"{self.result}.{self.step}"


def read_mark(text: str) -> Mark:
    """The mark in an address; what is broken has seen nothing."""
    parts = text.split(".")
    known = [key_in(part) or 0 for part in (*parts, "", "")]
    return Mark(*known[:2])


def arrived_since(here: Here, mark: Mark) -> int:
    """Results to decide and documents nobody could match that the page does not show yet."""
    lists = lists_of(here)
    new = {
        "new_results": _counted(lists["decide"].filter(pk__gt=mark.result)),
        "new_documents": _counted(lists["unmatched"].filter(step__gt=mark.step)),
    }
    return sum(_read(here, **new).values())


def result_rows(results: Iterable[Result], here: Here) -> list[ResultRow]:
    listed = list(results)
    passes = _passes_of(listed)
    rows = []
    for result in listed:
        review = result.review
        late = bool(review and not result.decision and review.due_at and review.due_at <= here.now)
        grave_at = (
            due_within(GRAVE_AFTER, here.opening, now=review.due_at)
            if late and review and review.due_at
            else None
        )
        rows.append(
            ResultRow(
                result,
                is_late=late,
                is_grave=bool(grave_at and grave_at <= here.now),
                with_manager=bool(late and review and review.owner_role == OwnerRole.MANAGER),
                promised_by=getattr(result, "promised_by", None) if late else None,
                passed=passes.get(result.review_id or 0),
            )
        )
    return rows


def _passes_of(results: Iterable[Result]) -> dict[int, ReviewPass]:
    """By review; hardly ever is one passed, so nothing is asked where the list has seen none."""
    passed = [result.review_id for result in results if getattr(result, "is_passed", False)]
    if not passed:
        return {}
    asked = ReviewPass.objects.filter(review__in=passed, answer="").select_related("by", "to")
    return {each.review_id: each for each in asked}


def expected_rows(referrals: Iterable[Referral], here: Here) -> list[ExpectedRow]:
    listed = list(referrals)
    events = StepEvent.objects.filter(
        step__in=[referral.step_id for referral in listed], kind=EventKind.CONTACTED, by__isnull=False
    )
    asked = {event.step_id: event for event in events.order_by("at")}
    return [
        ExpectedRow(
            referral,
            look_at=(referral.step.due_at if referral.step else None) or referral.expected_at,
            is_late=referral.expected_at <= here.now,
            asked=asked.get(referral.step_id or 0),
        )
        for referral in listed
    ]
