"""The picture of the map as shapes: bands as wide as the people on a way, bars where they come to a step.

Pure: lengths are units of an SVG, from its upper left corner. Ways must not lead back to where they begin.
"""

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

WIDTH, BAR = 960.0, 10.0
HEIGHT = 260.0  # of what is drawn of the column with most people, without its labels
LINE, GAP = 15.0, 12.0  # of a label; below a bar
LETTER = 7.0  # about as wide as one letter
LABEL_LINES = 3  # of a name; what is longer is cut
THINNEST = 1.5


@dataclass(frozen=True)
class Way:
    """From one step to the next; `young`: who is there and still in time, so nobody knows yet how it ends."""

    source: str
    target: str
    people: int
    young: int
    lost: int
    pace: str

    @property
    def older(self) -> int:
        return self.people - self.young


@dataclass(frozen=True)
class Band:
    path: str  # as in the attribute `d`
    pace: str  # "young" of those of whom nobody knows yet
    way: Way


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    height: float
    lost_y: float
    lost_height: float


@dataclass(frozen=True)
class Label:
    x: float
    lines: tuple[tuple[float, str], ...]  # the height of its base, and the words
    note: tuple[float, str]
    is_last: bool  # it ends at the bar instead of beginning there


@dataclass(frozen=True)
class Picture:
    height: float
    bands: tuple[Band, ...]
    bars: tuple[Bar, ...]
    labels: tuple[Label, ...]
    width: float = WIDTH
    bar: float = BAR


Via = tuple[str, str, int]  # a way that passes a column on which it does not end
Place = str | Via


def drawn_from(
    ways: Iterable[Way], names: Mapping[str, str], notes: Mapping[str, str], *, is_rtl: bool
) -> Picture:
    """`names` of all steps in their order, `notes` what stands below a name. Read from the right where text is."""
    kept = [way for way in ways if way.people > 0]
    return _Drawing(kept, names, notes, is_rtl=is_rtl).picture()


class _Drawing:
    def __init__(
        self, ways: list[Way], names: Mapping[str, str], notes: Mapping[str, str], *, is_rtl: bool
    ) -> None:
        self.ways, self.names, self.notes, self.is_rtl = ways, names, notes, is_rtl

    def picture(self) -> Picture:
        if not self.ways:
            return Picture(0, (), (), ())
        steps = [place for column in self.places for place in column if isinstance(place, str)]
        return Picture(
            round(max(self.tops[place] + self._tall(place) for place in self.tops) + GAP, 1),
            tuple(self._bands()),
            tuple(self._bar(step) for step in steps),
            tuple(self._label(step) for step in steps),
        )

    @cached_property
    def column_of(self) -> dict[str, int]:
        """By the longest way there, so that every band leads onward."""
        found = dict.fromkeys([end for way in self.ways for end in (way.source, way.target)], 0)
        for _step in found:
            for way in self.ways:
                found[way.target] = max(found[way.target], found[way.source] + 1)
        return found

    @cached_property
    def places(self) -> list[list[Place]]:
        """What each column holds from the top: its steps in their order, then the ways that pass by."""
        order = list(self.names)
        columns: list[list[Place]] = [[] for _n in range(max(self.column_of.values()) + 1)]
        for step in sorted(self.column_of, key=lambda each: order.index(each) if each in order else -1):
            columns[self.column_of[step]].append(step)
        for way in self.ways:
            for column in range(self.column_of[way.source] + 1, self.column_of[way.target]):
                columns[column].append((way.source, way.target, column))
        return columns

    @cached_property
    def people_at(self) -> dict[Place, int]:
        came, went = dict.fromkeys(self.column_of, 0), dict.fromkeys(self.column_of, 0)
        found: dict[Place, int] = {}
        for way in self.ways:
            came[way.target] += way.people
            went[way.source] += way.people
            for column in range(self.column_of[way.source] + 1, self.column_of[way.target]):
                found[way.source, way.target, column] = way.people
        return found | {step: max(came[step], went[step]) for step in self.column_of}

    @cached_property
    def scale(self) -> float:
        return HEIGHT / max(sum(self.people_at[place] for place in column) for column in self.places)

    def _tall(self, place: Place) -> float:
        return self.people_at[place] * self.scale

    @cached_property
    def tops(self) -> dict[Place, float]:
        rows = max(len(self._words(step)) for step in self.column_of)
        found: dict[Place, float] = {}
        for column in self.places:
            y = 0.0
            for place in column:
                y += LINE * (rows + 1) + GAP / 2 if isinstance(place, str) else 0
                found[place] = y
                y += self._tall(place) + GAP
        return found

    def _x(self, column: int) -> float:
        return column * self._between

    @cached_property
    def _between(self) -> float:
        return (WIDTH - BAR) / max(1, len(self.places) - 1)

    def _bands(self) -> Iterable[Band]:
        """The further a way leads the lower it leaves its bar, and the lower it comes in."""
        left, come = dict.fromkeys(self.column_of, 0.0), dict.fromkeys(self.column_of, 0.0)
        for way in sorted(
            self.ways, key=lambda each: self.column_of[each.target] - self.column_of[each.source]
        ):
            first, last = self.column_of[way.source], self.column_of[way.target]
            points = [(self._x(first) + BAR, self.tops[way.source] + left[way.source])]
            for column in range(first + 1, last):
                y = self.tops[way.source, way.target, column]
                points += [(self._x(column), y), (self._x(column) + BAR, y)]
            points.append((self._x(last), self.tops[way.target] + come[way.target]))
            left[way.source] += way.people * self.scale
            come[way.target] += way.people * self.scale
            older = way.older * self.scale
            if way.older:
                yield Band(self._path(points, 0, older), way.pace, way)
            if way.young:
                yield Band(self._path(points, older, way.young * self.scale), "young", way)

    def _path(self, points: list[tuple[float, float]], down: float, wide: float) -> str:
        wide = max(wide, THINNEST)
        upper = [(x, y + down) for x, y in points]
        lower = [(x, y + down + wide) for x, y in reversed(points)]
        return f"M{self._at(upper[0])}{self._along(upper)}L{self._at(lower[0])}{self._along(lower)}Z"

    def _along(self, points: list[tuple[float, float]]) -> str:
        pieces = []
        for (x, y), (to_x, to_y) in pairwise(points):
            middle = (x + to_x) / 2
            pieces.append(f"C{self._at((middle, y))} {self._at((middle, to_y))} {self._at((to_x, to_y))}")
        return "".join(pieces)

    def _at(self, point: tuple[float, float]) -> str:
        x, y = point
        return f"{WIDTH - x if self.is_rtl else x:.1f},{y:.1f}"

    def _bar(self, step: str) -> Bar:
        x, y, tall = self._x(self.column_of[step]), self.tops[step], self._tall(step)
        lost = sum(way.lost for way in self.ways if way.target == step) * self.scale
        left = WIDTH - BAR - x if self.is_rtl else x
        return Bar(
            round(left, 1),
            round(y, 1),
            round(max(tall, THINNEST), 1),
            round(y + tall - lost, 1),
            round(lost, 1),
        )

    def _words(self, step: str) -> list[str]:
        """No line wider than the way to the next step."""
        width = max(6, int(self._between / LETTER) - 1)
        return textwrap.wrap(self.names.get(step, step), width, max_lines=LABEL_LINES, placeholder="…")

    def _label(self, step: str) -> Label:
        """Above the bar, its note the nearest."""
        column = self.column_of[step]
        is_last = column == len(self.places) - 1
        words = self._words(step)
        base = self.tops[step] - LINE / 2
        lines = tuple((round(base - LINE * (len(words) - nth), 1), line) for nth, line in enumerate(words))
        x = self._x(column) + (BAR if is_last else 0)
        return Label(
            round(WIDTH - x if self.is_rtl else x, 1),
            lines,
            (round(base, 1), self.notes.get(step, "")),
            is_last,
        )
