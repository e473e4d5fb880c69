"""The numbers that matter: each with how many it rests on, its 28 days, and the 28 before (S1.10-S1.16).

Those that are shares of a standard are read from its days, the rest from days of their own, which each night writes
(numbers_days), so that none costs more when the clinic is older.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.models import Appointment
from clinic_journey.reports.local_days import FOUR_WEEKS, ONE_DAY, Days, begins, local_day
from clinic_journey.reports.numbers_days import Sums, days_of
from clinic_journey.reports.standards import Share
from clinic_journey.reports.standards_cases import RESULT_ARRIVED
from journeys.models import OPEN_JOURNEYS, TOLD_AGAIN, Journey, Step, StepKind, StepStatus
from outreach.decision_models import Decision
from outreach.decisions import BEYOND
from outreach.models import WAITED_FOR, Attempt, Reply
from outreach.queries import CARRIED_OUT, WENT_OUT
from patients.models import Channel, Clinic

UNCHANGED = timedelta(days=14)
LISTED = 100  # what must be none is counted no further


@dataclass(frozen=True)
class Figure:
    """`value` in percent, or a number of its own kind; `n`: how many it rests on; `still`: open, so in neither."""

    value: float | None
    n: int
    part: int = 0
    still: int = 0


def last_days(clinic: Clinic, *, now: datetime) -> tuple[Days, Days]:
    """The last 28 days up to now, and the 28 before them."""
    zone = clinic.time_zone
    today = local_day(now, zone)
    first, before = (begins(zone, today - ONE_DAY * (FOUR_WEEKS * n - 1)) for n in (1, 2))
    return Days(first, now), Days(before, first)


def of_share(share: Share) -> Figure:
    return Figure(share.percent, share.counted, share.met)


def chase_rate(sums: Sums) -> Figure:
    """How often patients had to ask, for each hundred journeys that began in these days."""
    begun, chases = in_all(sums)
    return Figure(100 * chases / begun if begun else None, begun, chases)


def hours_to_tell(sums: Sums) -> Figure:
    """Half of the patients who heard in these days that their result is here, heard of it within so many hours."""
    waits: Counter[int] = Counter()
    for (_on, minutes), (heard, _part) in sums.items():
        waits[minutes] += heard
    found = median_of(waits)
    return Figure(None if found is None else found / 60, waits.total())


def median_of(values: Counter[int]) -> float | None:
    """The middle of so many values, each as often as it is counted; of two in the middle the mean."""
    listed = sorted(values.elements())
    if not listed:
        return None
    half = len(listed) // 2
    return (listed[half] + listed[~half]) / 2


def share_in(sums: Sums) -> Figure:
    counted, part = in_all(sums)
    return of_share(Share(part, counted))


def in_all(sums: Sums) -> tuple[int, int]:
    return sum(counted for counted, _part in sums.values()), sum(part for _counted, part in sums.values())


def nothing_planned(clinic: Clinic) -> QuerySet[Journey]:
    """Open journeys without any step to come: must be none (surfaces.md 0)."""
    waiting = Step.objects.filter(
        journey=OuterRef("pk"), status__in=[StepStatus.ACTIVE, StepStatus.ON_HOLD, StepStatus.PLANNED]
    )
    return (
        Journey.objects.filter(clinic=clinic, status__in=OPEN_JOURNEYS)
        .exclude(Exists(waiting))
        .order_by("opened_at", "pk")
    )


def called_unchanged(clinic: Clinic, *, now: datetime) -> QuerySet[Attempt]:
    """The last call to each patient of 14 days after whom nothing has happened: no word, no visit, no step (C12)."""
    calls = Attempt.objects.filter(channel=Channel.PHONE, status__in=CARRIED_OUT).exclude(
        task__message_key__in=WAITED_FOR
    )
    later = calls.filter(patient=OuterRef("patient"), called_at__gt=OuterRef("called_at"))
    at, hers = OuterRef("called_at"), OuterRef("patient")
    changed = (
        Exists(Reply.objects.filter(patient=hers, at__gt=at))
        | Exists(Appointment.objects.filter(patient=hers, made_at__gte=at))
        | Exists(
            Step.objects.filter(journey__patient=hers, status=StepStatus.COMPLETED, completed_at__gte=at)
        )
        | Exists(Journey.objects.filter(patient=hers, ended_at__gte=at))
    )
    return (
        calls.filter(clinic=clinic, called_at__gte=now - UNCHANGED, called_at__lte=now)
        .exclude(Exists(later))
        .exclude(changed)
        .order_by("-called_at", "-pk")
    )


def beyond_the_limit(clinic: Clinic, *, now: datetime) -> QuerySet[Attempt]:
    """Contacts of 14 days that somebody made by hand although the clinic's own limit was reached, with the reason."""
    passed = Q()
    for rules in BEYOND.values():
        passed |= Q(rules__endswith=rules)
    decided = Decision.objects.filter(passed, attempt=OuterRef("pk"))
    made = Attempt.objects.filter(
        clinic=clinic, called_at__gte=now - UNCHANGED, called_at__lte=now, status__in=CARRIED_OUT
    )
    return made.filter(Exists(decided), why__contains="|").order_by("-called_at", "-pk")


COUNTED: dict[str, Callable[[Sums], Figure]] = {
    "chases": chase_rate,
    "told": hours_to_tell,
    "returned": share_in,
    "holds": share_in,
}


def both_spans(key: str, clinic: Clinic, *, now: datetime) -> tuple[Figure, Figure]:
    """Of the last 28 days, today with them, and of the 28 before."""
    first = local_day(now, clinic.time_zone) - ONE_DAY * (FOUR_WEEKS - 1)
    lately: Sums = {}
    before: Sums = {}
    for at, sums in days_of(clinic, key, now=now).items():
        (lately if at[0] >= first else before)[at] = sums
    figure = COUNTED[key](lately)
    if key == "told":
        figure = replace(figure, still=not_told_yet(clinic))
    return figure, COUNTED[key](before)


def not_told_yet(clinic: Clinic) -> int:
    waiting = Step.objects.filter(clinic=clinic, kind=StepKind.TELL, status=StepStatus.ACTIVE)
    left = Attempt.objects.filter(task__step=OuterRef("pk"), status__in=WENT_OUT)
    return waiting.filter(message_key=RESULT_ARRIVED).exclude(TOLD_AGAIN | Exists(left)).count()


def up_to(rows: QuerySet[Attempt] | QuerySet[Journey]) -> int:
    return len(rows.values_list("pk")[:LISTED])
