"""The tables of every other page of reports as files: the same numbers that stand on the page, and nobody's name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET

from clinic_journey.reports import export_contact as contact, export_numbers as figures
from clinic_journey.reports.export import Cells, as_table
from clinic_journey.reports.improvements_views import newest_effects
from clinic_journey.reports.weekly import week_asked
from patients.access import Here, for_staff
from patients.models import MANAGERS


def week(here: Here, asked: QueryDict) -> Iterator[Cells]:
    """Every journey that the page tells of, in one table."""
    stories = week_asked(here, asked.get("on", "")).stories
    yield from ((_("Journey"), *story.headings) for story in stories[:1])
    yield from ((story.name, *row) for story in stories for row in story.rows)


def ideas(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    yield (
        _("What we change"), _("Step"), _("Who sees to it"), _("Since"), _("28 days"), _("Passed"),
        _("Left here"), _("Half waited at most"), _("9 out of 10 waited at most"),
    )  # fmt: skip
    for each in newest_effects(here):
        idea, owner = each.idea, each.idea.owner
        said = (idea.words, each.step, owner.get_full_name() or owner.username, idea.begun_on.isoformat())
        for words, span in ((_("before"), each.before), (_("after"), each.after)):
            yield (*said, words, span.passed, span.lost, span.median, span.p90)


@dataclass(frozen=True)
class Table:
    words: str | Promise
    rows: Callable[[Here, QueryDict], Iterator[Cells]]


TABLES = {
    "numbers": Table(gettext_lazy("The numbers"), figures.numbers),
    "silent": Table(gettext_lazy("Silent patients, by what we always did alike"), figures.silent),
    "risk": Table(gettext_lazy("Money at risk"), figures.risk),
    "standards": Table(gettext_lazy("Service standards"), figures.standards),
    "days": Table(gettext_lazy("Day by day"), figures.days),
    "reach": Table(gettext_lazy("When we reach people"), contact.reach),
    "payers": Table(gettext_lazy("How long an answer takes, by who pays"), contact.payers),
    "lost": Table(gettext_lazy("Why people went elsewhere, in 90 days"), contact.lost),
    "unanswered": Table(gettext_lazy("What people asked for and we could not answer"), contact.unanswered),
    "chases": Table(gettext_lazy("How often they had to ask, week by week"), contact.chases),
    "promises": Table(gettext_lazy("Promises of eight weeks"), contact.promises),
    "cards": Table(gettext_lazy("Of those who came, how many have a card, week by week"), contact.cards),
    "week": Table(gettext_lazy("The week on one page"), week),
    "ideas": Table(gettext_lazy("What we change"), ideas),
}


@require_GET
@for_staff(*MANAGERS)
def export_page(request: HttpRequest, here: Here) -> HttpResponse:
    key = request.GET.get("table", "numbers")
    table = TABLES.get(key)
    if table is None:
        raise Http404
    name = f"{key}-{here.now:%Y-%m-%d}"
    return as_table([*table.rows(here, request.GET)], str(table.words), name, request.GET.get("as", ""))
