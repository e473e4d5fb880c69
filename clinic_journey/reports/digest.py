"""What a manager should know this morning: counts with the address of the names, nobody's name among them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext

from clinic_journey.reports.local_days import ONE_DAY, begins, local_day
from clinic_journey.reports.numbers import called_unchanged, nothing_planned
from clinic_journey.reports.parts import part
from clinic_journey.reports.standards import Kept, kept_now
from journeys.ledgers import SOON, broken_promises, promises_until
from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind, StepStatus
from outreach.conversations import matters_in
from outreach.models import SILENT, OutreachTask
from patients.models import Clinic
from patients.queries import opening_hours
from patients.windows import Hours, day_intervals, ends_at
from referrals.models import DocumentStatus, IncomingDocument

LISTED = 100  # a count ends at 99+
LONGEST_BREAK = 15  # days: what lies further back than the longest holidays is no news
CALL_TODAY = "call_today"


@dataclass(frozen=True)
class Line:
    """One thing to know, and where its names are."""

    words: str
    address: str


@dataclass(frozen=True)
class Alerts:
    """The three things that cannot wait for the morning (surfaces.md 4.8)."""

    promises: int
    calls: int
    replies: int

    def __bool__(self) -> bool:
        return bool(self.promises or self.calls or self.replies)


def number_of(rows: QuerySet[Step] | QuerySet[StepEvent]) -> int:
    return len(rows.values_list("pk")[:LISTED])


def end_of_day(clinic: Clinic, *, now: datetime) -> datetime:
    return ends_at(clinic.time_zone, local_day(now, clinic.time_zone), time.max)


def calls_today(clinic: Clinic) -> QuerySet[Step]:
    """“Call today”, said by the doctor and not done yet."""
    return Step.objects.filter(
        clinic=clinic, kind=StepKind.CALL, status=StepStatus.ACTIVE, template_step__key=CALL_TODAY
    ).order_by("due_at", "pk")


def replies_to_managers(clinic: Clinic) -> QuerySet[Step]:
    """What patients have said in matters that managers have."""
    return matters_in(clinic).filter(owner_role=OwnerRole.MANAGER)


def alerts_of(clinic: Clinic, *, now: datetime) -> Alerts:
    return Alerts(
        number_of(promises_until(clinic, now + SOON, now=now)),
        number_of(calls_today(clinic)),
        number_of(replies_to_managers(clinic)),
    )


def lines_of(clinic: Clinic, *, now: datetime) -> list[Line]:
    """What needs somebody, first what is owed to patients; what is as it should be is not told.

    What cannot be read says so among the others, on the page and in the mail.
    """
    since = last_told(clinic, now=now)
    read: list[Callable[[], list[Line | None]]] = [
        lambda: _owed(clinic, since, now=now),
        lambda: [line for each in kept_now(clinic, now=now) for line in _below(each, since)],
        lambda: _left_behind(clinic, now=now),
    ]
    found = [part(each) for each in read]
    missing = Line(_("A part of this morning cannot be counted now."), reverse("reports"))
    return [line for lines in found for line in ([missing] if lines is None else lines) if line is not None]


def last_told(clinic: Clinic, *, now: datetime) -> date:
    """The day on which the clinic last worked before today: what has happened since then was told to nobody."""
    today, opening = local_day(now, clinic.time_zone), opening_hours(clinic, now=now)
    days = (today - ONE_DAY * n for n in range(1, LONGEST_BREAK))
    return next((on for on in days if works_on(opening, on)), today - ONE_DAY)


def works_on(opening: Hours, on: date) -> bool:
    """A clinic that has told no hours works every day."""
    return not opening.windows or bool(day_intervals(opening, on))


def _owed(clinic: Clinic, since: date, *, now: datetime) -> list[Line | None]:
    today = begins(clinic.time_zone, local_day(now, clinic.time_zone))
    open_ones = Step.objects.filter(clinic=clinic, kind=StepKind.PROMISE, status=StepStatus.ACTIVE)
    reviews = Step.objects.filter(
        clinic=clinic, kind=StepKind.REVIEW, status=StepStatus.ACTIVE, due_at__lte=now
    )
    chases = StepEvent.objects.filter(
        clinic=clinic, kind=EventKind.CHASED, at__gte=begins(clinic.time_zone, since), at__lt=today
    )
    broken = number_of(broken_promises(open_ones, now=now).order_by())
    due = number_of(promises_until(clinic, end_of_day(clinic, now=now), now=now))
    late, asked, calls = number_of(reviews), number_of(chases.order_by()), number_of(calls_today(clinic))
    return [
        _line(
            calls,
            ngettext(
                "The doctor asked to call %(n)s patient today.",
                "The doctor asked to call %(n)s patients today.",
                calls,
            ),
            names_of("calls_today"),
        ),
        _line(
            broken,
            ngettext(
                "%(n)s promise is broken and still open.", "%(n)s promises are broken and still open.", broken
            ),
            reverse("ledgers"),
        ),
        _line(
            due,
            ngettext("%(n)s promise comes due today.", "%(n)s promises come due today.", due),
            names_of("promises_today"),
        ),
        _line(
            late,
            ngettext(
                "%(n)s result waits for the doctor past its time.",
                "%(n)s results wait for the doctor past their time.",
                late,
            ),
            reverse("results"),
        ),
        _line(
            asked,
            ngettext(
                "%(n)s patient had to ask since our last day.",
                "%(n)s patients had to ask since our last day.",
                asked,
            ),
            reverse("ledgers"),
        ),
    ]


def _left_behind(clinic: Clinic, *, now: datetime) -> list[Line | None]:
    tasks = OutreachTask.objects.filter(SILENT, clinic=clinic, step__status=StepStatus.ACTIVE)
    papers = IncomingDocument.objects.filter(clinic=clinic, status=DocumentStatus.UNMATCHED)
    silent = len(tasks.values_list("pk")[:LISTED])
    nobodys = len(papers.values_list("pk")[:LISTED])
    lost = len(nothing_planned(clinic).values_list("pk")[:LISTED])
    same = len(called_unchanged(clinic, now=now).values_list("pk")[:LISTED])
    return [
        _line(
            nobodys,
            ngettext(
                "%(n)s document belongs to nobody yet.", "%(n)s documents belong to nobody yet.", nobodys
            ),
            f"{reverse('results')}?list=unmatched",
        ),
        _line(
            lost,
            ngettext(
                "In %(n)s open journey nothing is planned.",
                "In %(n)s open journeys nothing is planned.",
                lost,
            ),
            names_of("nothing_planned"),
        ),
        _line(
            silent,
            ngettext("%(n)s patient does not answer.", "%(n)s patients do not answer.", silent),
            reverse("silent"),
        ),
        _line(
            same,
            ngettext(
                "%(n)s patient was called in 14 days, and nothing has changed since.",
                "%(n)s patients were called in 14 days, and nothing has changed since.",
                same,
            ),
            names_of("unchanged"),
        ),
    ]


def _line(number: int, words: str, address: str) -> Line | None:
    said = "99+" if number >= LISTED else str(number)
    return Line(words % {"n": said}, address) if number else None


def names_of(number: str) -> str:
    return f"{reverse('report_names')}?number={number}"


def _below(kept: Kept, since: date) -> Iterator[Line]:
    """The standard on each day since then, today left out, on which it was not kept as often as it should be."""
    address = reverse("standard", args=[kept.standard.pk])
    if kept.has_failed:
        yield Line(_("%(standard)s: cannot be counted now.") % {"standard": kept.standard.name}, address)
    for on, share in kept.days[:-1]:
        if on < since or share.percent is None or share.percent >= kept.standard.goal:
            continue
        words = _("%(day)s: %(standard)s – %(met)s of %(counted)s, and the goal is %(goal)s%%.") % {
            "day": date_format(on, "l"),
            "standard": kept.standard.name,
            "met": share.met,
            "counted": share.counted,
            "goal": kept.standard.goal,
        }
        yield Line(words, f"{address}?day={on.isoformat()}")


def day_words(clinic: Clinic, *, now: datetime) -> str:
    return date_format(local_day(now, clinic.time_zone), "l j E")
