"""The week on one page: on the screen, on paper, and what is mailed of it (weekly_actions)."""

import logging
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cached_property

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext, pgettext
from django.views.decorators.http import require_GET

from clinic_journey.reports import summaries
from clinic_journey.reports.improvements import ideas_in
from clinic_journey.reports.map import Line, Map, drawn
from clinic_journey.reports.stages import WEEK, week_of
from clinic_journey.reports.stages_models import Improvement
from clinic_journey.reports.stuck_asked import Asked
from patients.access import Here, for_staff
from patients.models import MANAGERS, Clinic
from patients.queries import day_in

log = logging.getLogger(__name__)
FROM_HOUR = time(7)  # on the Monday after
BEFORE = 4  # weeks that the week is compared with
LONGEST = 8  # lines of one journey: it is one page
JOURNEYS = 3


@dataclass(frozen=True)
class Story:
    """One journey in one week, beside the four weeks before it."""

    name: str
    asked: Asked
    week: Map
    before: Map
    ideas: list[Improvement]
    has_open: (
        bool  # what is open now stands beside it; of an older week nobody knows any more what was open then
    )

    @cached_property
    def lines(self) -> list[Line]:
        """The widest gaps first, then those most went along."""
        return sorted(self.week.lines, key=lambda line: (-line.over, -line.reached))[:LONGEST]

    @property
    def headings(self) -> list[str]:
        return [
            pgettext("one step to another", "From"), pgettext("from one step to another", "To"),
            _("Passed"), _("Left here"), *([_("Open now"), _("Late now")] if self.has_open else []),
            _("Half waited at most"),
            _("9 out of 10 waited at most"), _("Standard"),
        ]  # fmt: skip

    @property
    def rows(self) -> list[list[str]]:
        return [
            [
                line.source_words, line.target_words, str(line.passed), str(line.lost),
                *([str(line.now.open), str(line.now.late)] if self.has_open else []),
                line.median_words, line.p90_words, line.limit_words,
            ]
            for line in self.lines
        ]  # fmt: skip

    @property
    def sentence(self) -> str:
        whole, before = self.week.whole, self.before.whole
        ended = ngettext("%(n)s journey ended", "%(n)s journeys ended", whole.judged) % {"n": whole.judged}
        said = [ended]
        if self.has_open:
            said.append(_("%(n)s stuck now") % {"n": self.asked.open.late})
        if whole.lost_percent is not None:
            said.append(_("%(n)s%% left") % {"n": whole.lost_percent})
        if before.lost_percent is not None:
            said.append(_("in the four weeks before, %(n)s%%") % {"n": before.lost_percent})
        said.append(_("%(n)s%% of the ways shown") % {"n": self.week.percent_of(self.lines)})
        return "; ".join(said) + "."


@dataclass(frozen=True)
class Week:
    clinic: Clinic
    monday: date
    stories: list[Story]
    left_out: list[Story]  # more journeys than a page holds

    @property
    def title(self) -> str:
        first, last = (date_format(on, "j E Y") for on in (self.monday, self.monday + timedelta(days=6)))
        return _("%(first)s to %(last)s") % {"first": first, "last": last}

    @property
    def cut(self) -> str:
        """Where journeys were left out: how many, and how much of all that happened is told."""
        n = len(self.left_out)
        if not n:
            return ""
        told = sum(line.reached for story in self.stories for line in story.lines)
        people = sum(story.week.people for story in (*self.stories, *self.left_out))
        return ngettext(
            "%(n)s more kind of journey went on in this week; this page holds %(percent)s%% of all ways.",
            "%(n)s more kinds of journey went on in this week; this page holds %(percent)s%% of all ways.",
            n,
        ) % {"n": n, "percent": 100 * told // people}


def last_week(here: Here) -> date:
    return week_of(here.now, here.clinic.time_zone) - WEEK


def week_at(here: Here, monday: date) -> Week:
    """The journeys in which most happened."""
    asked = Asked.of(QueryDict(""), here)
    stories = [_story(here, template.key, template.name, monday) for template in asked.templates]
    told = [story for story in stories if story.week.people]
    told.sort(key=lambda story: -story.week.people)
    return Week(here.clinic, monday, told[:JOURNEYS], told[JOURNEYS:])


def _story(here: Here, key: str, name: str, monday: date) -> Story:
    asked = Asked.of(QueryDict(f"template={key}"), here)
    clinic, then, has_open = here.clinic, monday + WEEK, monday >= last_week(here)
    week = summaries.edges(clinic, key, monday, until=then)
    before = summaries.edges(clinic, key, monday - BEFORE * WEEK, until=monday)
    return Story(
        name, asked, drawn(week, asked.open.edges if has_open else {}, asked.wording),
        drawn(before, {}, asked.wording), ideas_in(clinic, key, monday, then), has_open,
    )  # fmt: skip


def week_asked(here: Here, day: str) -> Week:
    """Any day names its week; without one, the last that is over."""
    on = day_in(day)
    monday = on - timedelta(days=on.weekday()) if on else last_week(here)
    return week_at(here, min(monday, week_of(here.now, here.clinic.time_zone)))


@require_GET
@for_staff(*MANAGERS)
def week(request: HttpRequest, here: Here) -> HttpResponse:
    """On paper it is one page."""
    told = week_asked(here, request.GET.get("on", ""))
    monday = told.monday
    context = {
        "week": told,
        "earlier": monday - WEEK,
        "later": monday + WEEK if monday <= last_week(here) else None,
    }
    return render(request, "reports/week.html", context)
