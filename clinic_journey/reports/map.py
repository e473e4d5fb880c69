"""The map of a journey as a manager reads it: one line an edge, the widest gap, the picture's flows, the funnel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy, ngettext, pgettext, pgettext_lazy

from clinic_journey.reports.map_open import OpenCounts
from clinic_journey.reports.stages import ANEW, BEGINNING, Counts, Edge, Waits, after_waits
from clinic_journey.reports.stages_time import hours_a_day, hours_a_week
from journeys.deadlines import Unit
from journeys.models import OwnerRole, StepTemplate
from patients.windows import Hours

HIDDEN_BELOW = 0.02  # of all passages: what fewer took is one click away
MEDIAN, P90 = 0.5, 0.9
WAITS_ON: dict[str, str | Promise] = {
    OwnerRole.PARTNER: gettext_lazy("the institute"),
    OwnerRole.PATIENT: gettext_lazy("herself"),
}
ON_US = pgettext_lazy("the patient waits on", "us")


@dataclass(frozen=True)
class Wording:
    """How steps are called, what each may take, and how long a working day is."""

    steps: Mapping[str, StepTemplate]
    opening: Hours

    @cached_property
    def day(self) -> float:
        return hours_a_day(self.opening)

    def name(self, key: str) -> str:
        if key == ANEW:
            return _("opened anew")
        if key == BEGINNING:
            return _("beginning")
        return self.steps[key].name if key in self.steps else key

    def waits_on(self, key: str) -> str:
        step = self.steps.get(key)
        return str(WAITS_ON.get(step.owner_role, ON_US)) if step else ""

    def wait(self, hours: int | None) -> str:
        """In working hours, and from one working day on in these."""
        if hours is None:
            return "–"
        if hours == 0:
            return _("under an hour")
        if hours < self.day:
            return ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": hours}
        days = round(hours / self.day, 1)
        if days == int(days):
            return ngettext("%(number)s day", "%(number)s days", int(days)) % {"number": int(days)}
        return pgettext("not a whole number", "%(number)s days") % {"number": number_format(days, 1)}

    def limit(self, key: str) -> int | None:
        """The standard of a step in whole working hours of this clinic."""
        step = self.steps.get(key)
        if step is None:
            return None
        week = hours_a_week(self.opening)
        each = {
            Unit.MINUTES: 1 / 60, Unit.HOURS: week / 168, Unit.DAYS: week / 7, Unit.MONTHS: week * 30 / 7,
            Unit.WORKING_HOURS: 1.0, Unit.WORKING_DAYS: self.day, Unit.SAME_DAY: self.day,
        }  # fmt: skip
        amount = 1 if step.limit_unit == Unit.SAME_DAY else step.limit_amount
        return max(1, round(amount * each[Unit(step.limit_unit)]))


class Waited:
    """Within how long half and nine in ten of those who waited were through, and how that is said."""

    waits: Waits
    wording: Wording

    @cached_property
    def median(self) -> int | None:
        return after_waits(self.waits, MEDIAN)

    @cached_property
    def p90(self) -> int | None:
        return after_waits(self.waits, P90)

    @property
    def median_words(self) -> str:
        return self.wording.wait(self.median)

    @property
    def p90_words(self) -> str:
        return self.wording.wait(self.p90)


@dataclass(frozen=True)
class Line(Waited):
    """One edge: who went along it in the period, who left on it, and who is on it now."""

    source: str
    target: str
    waits: Waits
    now: OpenCounts
    wording: Wording

    @cached_property
    def counts(self) -> Counts:
        made = Counts()
        for each in self.waits.values():
            made.add(each)
        return made

    @property
    def passed(self) -> int:
        return self.counts.passed

    @property
    def lost(self) -> int:
        return self.counts.lost

    @property
    def judged(self) -> int:
        return self.counts.passed + self.counts.lost

    @property
    def reached(self) -> int:
        return self.judged + self.now.open

    @property
    def lost_percent(self) -> int | None:
        return round(100 * self.lost / self.judged) if self.judged else None

    @property
    def tries(self) -> str:
        """Contacts of those who were contacted at all, each passage's tries folded into one number."""
        counts = self.counts
        return f"{counts.tries / counts.contacted:.1f}" if counts.contacted else ""

    @property
    def chases(self) -> int:
        return self.counts.chases + self.now.chases

    @property
    def oldest_words(self) -> str:
        return self.wording.wait(self.now.oldest)

    @property
    def limit(self) -> int | None:
        return self.wording.limit(self.target)

    @property
    def limit_words(self) -> str:
        return self.wording.wait(self.limit)

    @cached_property
    def over(self) -> int:
        """How wide the gap is: working hours beyond the standard of all who waited, and of those who wait now."""
        limit = self.limit
        if limit is None:
            return 0
        waits = [(hours, each.passed + each.lost) for hours, each in self.waits.items()]
        return sum(max(0, hours - limit) * people for hours, people in (*waits, *self.now.waits.items()))

    @property
    def pace(self) -> str:
        """The wait against its standard, for the colour that repeats the numbers: most beyond it, one in ten, fewer.

        Of those who passed, and of those who wait now already beyond it; about the others nobody knows yet.
        """
        limit = self.limit
        if limit is None:
            return "unknown"
        waiting = sum(people for hours, people in self.now.waits.items() if hours > limit)
        beyond = sum(each.passed for hours, each in self.waits.items() if hours > limit) + waiting
        if not (known := self.passed + waiting):
            return "unknown"
        if beyond > MEDIAN * known:
            return "late"
        return "due" if beyond > (1 - P90) * known + 1e-9 else "done"

    @property
    def source_words(self) -> str:
        return self.wording.name(self.source)

    @property
    def target_words(self) -> str:
        return self.wording.name(self.target)

    @property
    def waits_on(self) -> str:
        return self.wording.waits_on(self.target)


@dataclass(frozen=True)
class Map:
    lines: list[Line]  # in the order of the template
    whole: Line  # of the journeys that ended

    @cached_property
    def shown(self) -> list[Line]:
        return [line for line in self.lines if line.reached >= HIDDEN_BELOW * self.people]

    @cached_property
    def picture(self) -> list[Line]:
        """What a picture can show: a way back to an earlier step would never end, so it stays in the table."""
        taken: set[Edge] = set()
        for line in sorted(self.shown, key=lambda each: -each.reached):
            if line.source != ANEW and not _leads(line.target, line.source, taken):
                taken.add((line.source, line.target))
        return [line for line in self.shown if (line.source, line.target) in taken]

    @property
    def people(self) -> int:
        return sum(line.reached for line in self.lines)

    @property
    def hidden(self) -> int:
        return len(self.lines) - len(self.shown)

    @property
    def shown_percent(self) -> int:
        return self.percent_of(self.shown)

    @property
    def drawn_percent(self) -> int:
        return self.percent_of(self.picture)

    def percent_of(self, lines: Iterable[Line]) -> int:
        """Of all passages, how many these lines tell of; rounded down, so that 100 is all."""
        return 100 * sum(line.reached for line in lines) // self.people if self.people else 100

    @cached_property
    def widest(self) -> Line | None:
        """The gap in which patients waited longest beyond the standard, all together."""
        over = [line for line in self.lines if line.over]
        return max(over, key=lambda line: (line.over, line.lost), default=None)


def drawn(edges: Mapping[Edge, Waits], open_edges: Mapping[Edge, OpenCounts], wording: Wording) -> Map:
    order = {key: step.position for key, step in wording.steps.items()}
    whole = Line("", "", edges.get(("", ""), {}), OpenCounts(), wording)
    keys = ({*edges} | {*open_edges}) - {("", "")}
    found = sorted(keys, key=lambda edge: (order.get(edge[1], 999), order.get(edge[0], -1)))
    lines = [Line(*edge, edges.get(edge, {}), open_edges.get(edge, OpenCounts()), wording) for edge in found]
    return Map(lines, whole)


def _leads(start: str, goal: str, edges: set[Edge]) -> bool:
    ahead, seen = {start}, set[str]()
    while ahead:
        if goal in ahead:
            return True
        seen |= ahead
        ahead = {target for source, target in edges if source in ahead} - seen
    return False


@dataclass(frozen=True)
class Bar:
    """One step of the funnel: of those who came to it, how many went on."""

    key: str
    words: str
    reached: int
    passed: int
    lost: int
    open: int
    percent: int


def funnel(lines: Iterable[Line], wording: Wording) -> list[Bar]:
    """Every step by how many came to it, against the step most came to."""
    sums: dict[str, list[int]] = {}
    for line in lines:
        counts = sums.setdefault(line.target, [0, 0, 0, 0])
        for nth, n in enumerate((line.reached, line.passed, line.lost, line.now.open)):
            counts[nth] += n
    most = max((counts[0] for counts in sums.values()), default=0) or 1
    return [
        Bar(key, wording.name(key), reached, passed, lost, still_open, 100 * reached // most)
        for key, (reached, passed, lost, still_open) in sums.items()
    ]
