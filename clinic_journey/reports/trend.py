"""How a whole journey goes, week by week or month by month: until told, until treated, and how many are lost on it."""

from dataclasses import dataclass, field
from datetime import date

from django.utils.formats import date_format

from clinic_journey.reports import summaries
from clinic_journey.reports.map import Waited, Wording
from clinic_journey.reports.milestones import FROM_THE_START, TOLD, TREATED
from clinic_journey.reports.stages import BEGINNING, END, WEEK, Counts, Edge, Waits, week_of
from clinic_journey.reports.stuck_asked import Asked

WHOLE: Edge = (BEGINNING, END)
UNTIL_TOLD, UNTIL_TREATED = (FROM_THE_START, TOLD), (FROM_THE_START, TREATED)
IN_MONTHS = 26  # weeks: of a longer time each month is one line


@dataclass(frozen=True)
class Spread(Waited):
    """Of those who came so far in this time: how many, and within what time half and nine in ten."""

    waits: Waits
    wording: Wording

    @property
    def people(self) -> int:
        return sum(each.passed for each in self.waits.values())


@dataclass(frozen=True)
class Point:
    """One week, or one month by the Mondays in it."""

    begins: date
    words: str
    ended: int
    lost: int
    told: Spread
    treated: Spread

    @property
    def lost_percent(self) -> int | None:
        return round(100 * self.lost / self.ended) if self.ended else None


@dataclass(frozen=True)
class Trend:
    points: list[Point]  # the oldest first
    shown: int  # journeys that ended and are of this kind
    ended: int  # all that ended in the clinic

    @property
    def shown_percent(self) -> int:
        """Rounded down, so that 100 is all."""
        return 100 * self.shown // self.ended if self.ended else 100

    @property
    def slowest(self) -> int:
        """For the length of the bars."""
        return max((point.treated.median or point.told.median or 0 for point in self.points), default=0) or 1


@dataclass
class Sums:
    edges: dict[Edge, Waits] = field(default_factory=dict)

    def take(self, edge: Edge, waits: Waits) -> None:
        mine = self.edges.setdefault(edge, {})
        for hours, counts in waits.items():
            mine.setdefault(hours, Counts()).add(counts)


def trend_of(asked: Asked) -> Trend:
    """Every week or month of the period, also one in which nothing happened."""
    clinic, now = asked.here.clinic, asked.here.now
    weeks = summaries.milestone_weeks(clinic, asked.key, asked.since, asked.told)
    in_months = int(asked.weeks) > IN_MONTHS
    sums: dict[date, Sums] = {}
    week = asked.since
    while week <= week_of(now, clinic.time_zone):
        begins = week.replace(day=1) if in_months else week
        made = sums.setdefault(begins, Sums())
        for edge, waits in weeks.get(week, {}).items():
            made.take(edge, waits)
        week += WEEK
    points = [_point(begins, each, asked.wording, in_months=in_months) for begins, each in sums.items()]
    return Trend(points, sum(point.ended for point in points), summaries.ended_in_all(clinic, asked.since))


def _point(begins: date, sums: Sums, wording: Wording, *, in_months: bool) -> Point:
    whole = Counts()
    for counts in sums.edges.get(WHOLE, {}).values():
        whole.add(counts)
    told, treated = (Spread(sums.edges.get(edge, {}), wording) for edge in (UNTIL_TOLD, UNTIL_TREATED))
    words = date_format(begins, "YEAR_MONTH_FORMAT") if in_months else date_format(begins, "j E Y")
    return Point(begins, words, whole.passed + whole.lost, whole.lost, told, treated)
