"""When people were reached, asked, promised and answered, as rows of a file: nobody's name among them."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _, pgettext

from clinic_journey.card_rates import Share, rates_of, weeks_before
from clinic_journey.ledger_page import COUNTED
from clinic_journey.reports.export import Cells
from clinic_journey.reports.questions_views import asked_lately, payers_of
from clinic_journey.reports.reach_views import shown
from inquiries.gaps import could_not_answer, lost_by_cause
from inquiries.models import LostCause
from inquiries.queries import answered_within
from journeys.ledgers import chases_by_week, promises_by_team
from patients.access import Here


def reach(here: Here, asked: QueryDict) -> Iterator[Cells]:
    """A share only where there are tries enough to say one, as on the page."""
    yield (_("Channel"), _("Day"), _("Hours"), _("Tries"), pgettext("of tries", "Reached"), "%")
    for table in shown(here, asked.get("only", "")):
        for weekday, cells in table.picture.rows:
            for (start, end), cell in zip(table.picture.bands, cells, strict=True):
                percent = None if cell.is_few else cell.percent
                yield (table.title, WEEKDAYS[weekday], f"{start}–{end}", cell.tries, cell.reached, percent)


def payers(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    yield (
        _("Who pays"),
        _("Answered in 90 days"),
        _("Half waited at most"),
        _("9 out of 10 waited at most"),
    )
    yield from payers_of(answered_within(asked_lately(here))).rows


def lost(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    yield (_("Why"), _("How often"))
    for because, times in lost_by_cause(asked_lately(here)):
        yield (LostCause(because).label, times)


def unanswered(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    yield (_("Asked"), _("How often"), _("Last"), _("Answered later"))
    for gap in could_not_answer(asked_lately(here)):
        last = gap.last_at.astimezone(ZoneInfo(here.clinic.time_zone)).isoformat(" ", "minutes")
        yield (gap.asked, gap.times, last, gap.answered)


def chases(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    yield (_("Week of"), _("Step at fault"), _("Had to ask"))
    for count in chases_by_week(here.clinic, since=here.now - COUNTED, until=here.now):
        yield (count.week.isoformat(), count.words, count.chases)


def promises(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    yield (_("Whose"), _("kept in time"), pgettext("of so many", "Of"))
    for team in promises_by_team(here.clinic, since=here.now - COUNTED, now=here.now):
        yield (team.role_words, team.kept, team.due)


def cards(here: Here, _asked: QueryDict) -> Iterator[Cells]:
    """A row for each desk and week, the whole clinic last."""
    yield (_("Received by"), _("Week of"), _("Have a card"), pgettext("of so many", "Of"), "%")
    rates, weeks = rates_of(here.clinic, now=here.now), weeks_before(here.now, here.clinic.time_zone)
    rows: list[tuple[str, tuple[Share, ...]]] = [
        *((desk.name or _("nobody noted"), desk.weeks) for desk in rates.by_desk),
        (_("The whole clinic"), rates.everybody),
    ]
    for name, shares in rows:
        for on, share in zip(weeks, shares, strict=True):
            yield (name, on.isoformat(), share.complete, share.seen, share.percent)
