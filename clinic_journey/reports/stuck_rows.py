"""The tables beside the map: how old what is open is, the weeks, and one gap told apart by doctor and patient."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import get_language_bidi, gettext as _

from clinic_journey.reports import summaries
from clinic_journey.reports.improvements import current_ideas
from clinic_journey.reports.map import MEDIAN, P90, Line
from clinic_journey.reports.map_lanes import Lane, feelings_of, lanes
from clinic_journey.reports.map_picture import Picture, Way, drawn_from
from clinic_journey.reports.stages import ANYWHERE, BEGINNING, Counts, Waits, after_waits
from clinic_journey.reports.stages_models import Dimension
from clinic_journey.reports.stuck_asked import Asked, value_words
from journeys.models import OwnerRole

COLUMNS = ("0–1", "2–3", "4–7", "8–14", "15+")


@dataclass(frozen=True)
class Row:
    """One line of the map's table, with what its links ask for."""

    line: Line
    query: str


@dataclass(frozen=True)
class Age:
    role: str
    words: str
    counts: list[int]
    query: str  # whom it counts


@dataclass(frozen=True)
class Week:
    monday: date
    passed: int
    lost: int
    median: str
    p90: str
    hours: int  # the median, for the length of its bar


@dataclass(frozen=True)
class Compared:
    dimension: str
    value: str
    words: str
    passed: int
    lost: int
    lost_percent: int
    median: str
    p90: str


def rows_of(asked: Asked) -> list[Row]:
    lines = asked.map.lines if asked.everything else asked.map.shown
    return [Row(line, asked.query((line.source, line.target))) for line in lines]


@dataclass(frozen=True)
class Drawn:
    """The picture, and in words what is hatched in it."""

    picture: Picture
    young: list[Line]


def drawn_of(asked: Asked) -> Drawn:
    """Of each way, who is on it still in time apart: how it ends for them nobody knows yet."""
    lines = asked.map.picture
    names = {BEGINNING: asked.wording.name(BEGINNING)}
    names |= {key: step.name for key, step in asked.wording.steps.items()}
    ways = [
        Way(line.source, line.target, line.reached, line.now.young, line.lost, line.pace) for line in lines
    ]
    picture = drawn_from(ways, names, _notes(lines), is_rtl=get_language_bidi())
    return Drawn(picture, [line for line in lines if line.now.young])


def _notes(lines: list[Line]) -> dict[str, str]:
    """Below the name of a step: how many came to it, and how many left there."""
    came, lost = dict[str, int](), dict[str, int]()
    for line in lines:
        came[line.target] = came.get(line.target, 0) + line.reached
        lost[line.target] = lost.get(line.target, 0) + line.lost
    left = {
        key: _("%(came)s, %(lost)s left") % {"came": came[key], "lost": n} for key, n in lost.items() if n
    }
    return {key: str(n) for key, n in came.items()} | left


def ages_of(asked: Asked) -> list[Age]:
    """Open steps by whose they are, in the order of the journey."""
    order = [*asked.wording.steps]
    found = sorted(asked.open.ages.items(), key=lambda each: (each[0][0], order.index(each[0][1])))
    return [
        Age(
            str(OwnerRole(role).label) if role else "–", asked.wording.name(key), counts,
            asked.query((ANYWHERE, key)),
        )
        for (role, key), counts in found
    ]  # fmt: skip


def weeks_of(asked: Asked) -> list[Week]:
    """Of the chosen gap, newest first; a week in which nobody came through is left out."""
    if asked.line is None:
        return []
    edge = (asked.line.source, asked.line.target)
    found = summaries.by_week(asked.here.clinic, asked.key, asked.since, edge, asked.told)
    wait = asked.wording.wait
    return [
        Week(
            monday, (sums := total(waits)).passed, sums.lost, wait(after_waits(waits, MEDIAN)),
            wait(after_waits(waits, P90)), after_waits(waits, MEDIAN) or 0,
        )
        for monday, waits in sorted(found.items(), reverse=True)
    ]  # fmt: skip


def compared(asked: Asked, doctors: dict[str, str]) -> list[tuple[str, list[Compared]]]:
    """The chosen gap by doctor, language and channel: in the order of their names, never of their numbers.

    Where only some patients are asked about, as they are alone: each value is summed by itself, so none can be told
    apart further.
    """
    if asked.line is None:
        return []
    edge = (asked.line.source, asked.line.target)
    found = summaries.by_value(asked.here.clinic, asked.key, asked.since, edge)
    return [
        (
            str(Dimension(dimension).label),
            sorted(
                (
                    _row(asked, dimension, value, waits, doctors)
                    for (name, value), waits in found.items()
                    if name == dimension and asked.told in (("", ""), (name, value))
                ),
                key=lambda row: row.words,
            ),
        )
        for dimension in summaries.TOLD_APART
    ]


def _row(asked: Asked, dimension: str, value: str, waits: Waits, doctors: dict[str, str]) -> Compared:
    sums, wait = total(waits), asked.wording.wait
    return Compared(
        dimension, value, value_words(dimension, value, doctors), sums.passed, sums.lost,
        round(100 * sums.lost / (sums.passed + sums.lost)), wait(after_waits(waits, MEDIAN)),
        wait(after_waits(waits, P90)),
    )  # fmt: skip


def lanes_of(asked: Asked) -> list[Lane]:
    feelings = feelings_of(asked.here.clinic, asked.key, asked.begins, asked.here.now)
    return lanes(asked.map.lines, asked.wording, feelings, current_ideas(asked.here.clinic, asked.key))


def total(waits: Waits) -> Counts:
    made = Counts()
    for each in waits.values():
        made.add(each)
    return made
