"""The lists of Results: to decide, expected, not matched, closed today; each row with what is known of its delay."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from journeys.clinic_time import due_within
from journeys.deadlines import Limit, Unit
from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind
from patients.access import Here
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
    apology: Step | None = None  # what the patient has been promised since
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
        "decide": queries.to_decide(mine),
        "expected": queries.expected(
            queries.referrals_visible_to(here.user).filter(clinic=here.clinic)
        ).order_by("step__due_at", "pk"),
        "unmatched": queries.unmatched(queries.documents_visible_to(here.user).filter(clinic=here.clinic)),
        "closed": mine.filter(decided_at__gte=here.now - CLOSED_FOR).order_by("-decided_at"),
    }


def results_here(here: Here) -> QuerySet[Result]:
    return (
        queries.results_visible_to(here.user)
        .filter(referral__clinic=here.clinic)
        .select_related("review__owner", "review__template_step", "review__journey__template")
        .select_related("review__journey__clinic", "referral__requester__clinic")
        .select_related("referral__patient__clinic", "referral__patient__card")
    )


def counts_of(lists: dict[str, QuerySet[Any]], **known: int) -> dict[str, int]:
    """No list is counted beyond what a badge can say, and none that has been read."""
    return {name: found[:SHOWN].count() for name, found in lists.items() if name not in known} | known


def result_rows(results: Iterable[Result], here: Here) -> list[ResultRow]:
    listed = list(results)
    reviews = [result.review_id for result in listed if result.review_id and not result.decision]
    promised = Step.objects.filter(about__in=reviews, kind=StepKind.PROMISE).order_by("due_at")
    apologies = {step.about_id: step for step in promised}
    asked = ReviewPass.objects.filter(review__in=reviews, answer="").select_related("by", "to")
    passes = {each.review_id: each for each in asked}
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
                apology=apologies.get(result.review_id) if late else None,
                passed=passes.get(result.review_id or 0),
            )
        )
    return rows


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


def newest(here: Here) -> int:
    """The mark up to which a page has seen what arrives: keys only grow."""
    last = (
        Result.objects.filter(referral__clinic=here.clinic)
        .order_by("-pk")
        .values_list("pk", flat=True)
        .first()
    )
    return last or 0


def arrived_since(here: Here, mark: int) -> int:
    return results_here(here).filter(pk__gt=mark, decision="")[:SHOWN].count()
