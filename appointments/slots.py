"""Weekly rules of a practitioner cut into cells of the calendar, and the free cells that fit a visit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from patients.windows import DAY, Hours, Interval, WeeklyWindow, day_intervals


@dataclass(frozen=True)
class WeeklyRule:
    """One weekly stretch (Monday is 0), from the first to the last date it holds; None is for good."""

    weekday: int
    start: time
    end: time
    valid_from: date
    valid_until: date | None

    def holds_on(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True)
class FreeCell:
    key: int
    start: datetime
    end: datetime


def cells(
    rules: Sequence[WeeklyRule],
    zone: str,
    closed: Mapping[date, time | None],
    first: date,
    last: date,
    minutes: int,
) -> list[Interval]:
    """Cells of exactly `minutes` for the dates `first` to `last`, both included, sorted and disjoint.

    Cut in real time from the start of each rule: the hour the clock skips has no cells, the hour it repeats
    has them twice, and none is shorter or longer. A rest at the end of a rule that is too short is not used.
    Where two rules overlap, the one that starts first keeps the time.
    """
    if minutes < 1:
        raise ValueError(f"A cell of {minutes} minutes is none.")
    length = timedelta(minutes=minutes)
    hours = [
        (rule, Hours.of(zone, [WeeklyWindow(rule.weekday, rule.start, rule.end)], closed)) for rule in rules
    ]
    made: list[Interval] = []
    for n in range((last - first).days + 1):
        on = first + DAY * n
        stretches = [each for rule, its in hours if rule.holds_on(on) for each in day_intervals(its, on)]
        for stretch in sorted(stretches, key=lambda each: each.start):
            for cell in _cut(stretch, length):
                if not made or made[-1].end <= cell.start:
                    made.append(cell)
    return made


def _cut(stretch: Interval, length: timedelta) -> Iterator[Interval]:
    for n in range((stretch.end - stretch.start) // length):
        yield Interval(stretch.start + length * n, stretch.start + length * (n + 1))


def fitting_runs(free: Sequence[FreeCell], minutes: int) -> list[tuple[FreeCell, ...]]:
    """Every run of cells, each beginning where the one before ends, that together last exactly `minutes`.

    `free` holds the cells of one practitioner. The runs, sorted by start, are choices: they overlap.
    """
    ordered = sorted(free, key=lambda cell: cell.start)
    runs = (_run(ordered, n, ordered[n].start + timedelta(minutes=minutes)) for n in range(len(ordered)))
    return [run for run in runs if run]


def _run(ordered: Sequence[FreeCell], first: int, until: datetime) -> tuple[FreeCell, ...]:
    """The cells from the `first` one to `until` without a gap; none if they do not end there."""
    end = ordered[first].start
    for n in range(first, len(ordered)):
        if ordered[n].start != end:
            break
        end = ordered[n].end
        if end >= until:
            return tuple(ordered[first : n + 1]) if end == until else ()
    return ()


def first_in_common(ours: Sequence[Interval], theirs: Sequence[Interval]) -> Interval | None:
    """The earliest of ours that shares a moment with one of theirs; both are sorted and disjoint."""
    others = iter(theirs)
    other = next(others, None)
    for own in ours:
        while other and other.end <= own.start:
            other = next(others, None)
        if other and overlap(own, other):
            return own
    return None


def overlap(one: Interval, other: Interval) -> bool:
    return one.start < other.end and other.start < one.end
