"""What is asked most, what we could not answer, and why people went elsewhere: read from the questions as asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from inquiries.finding import AROUND, words_of
from inquiries.models import Inquiry, Offering, Outcome
from patients.models import Clinic

A_WEEK = timedelta(days=7)
TOP = 10
READ = 1000  # questions at most; a clinic that is asked more sees the newest
LISTED = 20


@dataclass(frozen=True)
class Top:
    """Something offered that was asked for in these days."""

    offering: Offering
    times: int


def top_questions(clinic: Clinic, *, now: datetime) -> list[Top]:
    """What was asked for most within a week, among what is offered."""
    lately = Inquiry.objects.filter(clinic=clinic, asked_at__gt=now - A_WEEK, offering__is_active=True)
    counted = lately.values_list("offering").annotate(n=Count("pk")).order_by("-n", "offering")[:TOP]
    times = {key: n for key, n in counted if key is not None}
    offerings = Offering.objects.in_bulk(list(times))
    return [Top(offerings[key], n) for key, n in times.items()]


@dataclass(frozen=True)
class Gap:
    """Asked for in these words, so often, and what became of it in the end."""

    asked: str
    times: int
    last_at: datetime
    answered: int  # of them, later: somebody had to find out first


def could_not_answer(inquiries: QuerySet[Inquiry]) -> list[Gap]:
    """What is not on the list, or where nobody knew whether we have it; asked most often first."""
    unknown = inquiries.filter(Q(offering=None) | Q(said_available=None)).order_by("-asked_at", "-pk")
    return _together(unknown.values_list("asked", "asked_at", "answered_at")[:READ])


def _together(rows: Iterable[tuple[str, datetime, datetime | None]]) -> list[Gap]:
    """Alike in the words that mean something, in whatever order; the newest wording stands for all."""
    alike: dict[tuple[str, ...], list[tuple[str, datetime, datetime | None]]] = {}
    for row in rows:
        said = words_of(row[0])
        alike.setdefault(tuple(sorted(set(said) - AROUND)) or said, []).append(row)
    found = [
        Gap(same[0][0], len(same), same[0][1], sum(answered is not None for _asked, _at, answered in same))
        for same in alike.values()
    ]
    return sorted(found, key=lambda gap: (-gap.times, -gap.last_at.timestamp()))[:LISTED]


def lost_by_cause(inquiries: QuerySet[Inquiry]) -> list[tuple[str, int]]:
    lost = inquiries.filter(outcome=Outcome.LOST).order_by().values_list("lost_because")
    return list(lost.annotate(n=Count("pk")).order_by("-n", "lost_because"))
