"""The numbers, what waits to be looked at, and the standards, as rows of a file: nobody's name among them."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _, pgettext

from clinic_journey.reports.export import Cells
from clinic_journey.reports.money import at_risk
from clinic_journey.reports.numbers import Figure
from clinic_journey.reports.numbers_silent import silent_by_cause
from clinic_journey.reports.numbers_views import numbers_of
from clinic_journey.reports.standards import Kept, kept_now, standards_visible_to
from clinic_journey.reports.standards_words import limit_words
from patients.access import Here
from patients.queries import key_in


def numbers(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    yield (
        _("Number"), _("Unit"), _("28 days"), _("Rests on"), _("Not yet"), _("The 28 before"),
        _("Before, rests on"),
    )  # fmt: skip
    for each in numbers_of(here):
        unit = _("hours") if each.words.unit == "h" else each.words.unit
        lately, before = _figure(each.lately), _figure(each.before)
        yield (each.words.title, unit, lately, each.lately.n, each.lately.still, before, each.before.n)


def _figure(figure: Figure) -> float | None:
    return None if figure.value is None else round(figure.value, 1)


def silent(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    yield (_("What we always did alike"), _("Patients"))
    yield from ((words, people) for words, people, _cause in silent_by_cause(here).causes)


def risk(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    """Rates in percent; the sums as numbers, with their currency beside them."""
    yield (
        _("Days waited, from"), _("Days waited, to"), _("Patients"), _("Lost at that age, at least, %"),
        _("Lost at that age, at most, %"), _("Cases behind it"), _("At risk, at least"),
        _("At risk, at most"), _("Currency"),
    )  # fmt: skip
    found = at_risk(here.clinic, now=here.now)
    for row in found.rows if found else []:
        low, high = (round(each) for each in row.at_risk)
        currency = found.value.currency if found else ""
        yield (
            row.from_day, row.until_day, row.people, *row.rate.percents,
            _("assumed") if row.rate.is_default else row.rate.cases, low, high, currency,
        )  # fmt: skip


def standards(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    of = pgettext("of so many", "Of")
    yield (
        _("Standard"), _("Foundation"), _("Within"), _("After"), _("Kept today"), of, _("Kept in 28 days"), of,
        _("28 days, %"), _("Kept in the 28 before"), of, _("The 28 before, %"), _("Goal, in percent"),
        _("Next to run out"),
    )  # fmt: skip
    for kept in kept_now(here.clinic, now=here.now):
        each, due = kept.standard, kept.next_breach and kept.next_breach.due_at
        next_at = due.astimezone(ZoneInfo(here.clinic.time_zone)).isoformat(" ", "minutes") if due else ""
        yield (
            each.name, each.get_foundation_display(), limit_words(each.limit), each.get_source_display(),
            *_shares(kept), each.goal, next_at,
        )  # fmt: skip


def _shares(kept: Kept) -> Cells:
    if kept.has_failed:
        return (_("cannot be counted now"), *[None] * 7)
    today, lately, before = kept.today, kept.lately, kept.before
    return (
        today.met, today.counted, lately.met, lately.counted, lately.percent, before.met, before.counted,
        before.percent,
    )  # fmt: skip


def days(here: Here, asked: QueryDict) -> Iterator[Cells]:
    """Of one standard, the oldest first."""
    found = get_object_or_404(
        standards_visible_to(here.user), pk=key_in(asked.get("standard", "")), clinic=here.clinic
    )
    yield (_("Day"), _("Kept"), pgettext("of so many", "Of"), "%")
    for kept in kept_now(here.clinic, now=here.now, only=[found]):
        for on, share in kept.days:
            yield (on.isoformat(), share.met, share.counted, share.percent)
