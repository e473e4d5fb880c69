"""How many of those who wait are lost, as a range that says how little is known: no rows, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

ENOUGH = 30  # cases; with fewer the rate is the default, and is called so
SURE = 1.645  # standard deviations: nine times out of ten the true rate lies inside
A_DAY_WITH_A_DATE, A_DAY_WITHOUT = 0.01, 0.04  # drifting away a day (surfaces.md 2.3), where we know nothing
AGES = (0, 2, 4, 8, 15)  # days waited: where each stretch begins
LONGEST = 30  # days that a default is reckoned with


@dataclass(frozen=True)
class Rate:
    """The share that was lost of those who waited so long."""

    low: float
    high: float
    cases: int

    @property
    def is_default(self) -> bool:
        return self.cases < ENOUGH

    @property
    def percents(self) -> tuple[int, int]:
        return round(100 * self.low), round(100 * self.high)


@dataclass(frozen=True)
class Waiting:
    """Patients who have waited about as long, and what their next visits are worth together."""

    from_day: int
    until_day: int | None
    people: int
    worth: Decimal
    rate: Rate

    @property
    def at_risk(self) -> tuple[Decimal, Decimal]:
        return self.worth * Decimal(self.rate.low), self.worth * Decimal(self.rate.high)


def rate_at(age: int, *, cases: int, lost: int) -> Rate:
    """The clinic's own rate with its uncertainty (Wilson), or the default where there are too few cases."""
    if cases < ENOUGH:
        days = min(LONGEST, max(1, age))
        return Rate(1 - (1 - A_DAY_WITH_A_DATE) ** days, 1 - (1 - A_DAY_WITHOUT) ** days, cases)
    share, squared = lost / cases, SURE**2
    middle = share + squared / (2 * cases)
    spread = SURE * sqrt(share * (1 - share) / cases + squared / (4 * cases**2))
    whole = 1 + squared / cases
    return Rate(max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole), cases)


def stretch_of(days: float) -> int:
    """Where the stretch begins that a wait of so many days lies in."""
    return max(each for each in AGES if each <= max(days, 0))


def by_age(waits: Iterable[tuple[float, Decimal]], known: Mapping[int, tuple[int, int]]) -> list[Waiting]:
    """`waits`: days and worth of each patient; `known`: of each stretch the cases, and how many were lost."""
    sums: dict[int, tuple[int, Decimal]] = {}
    for days, worth in waits:
        age = stretch_of(days)
        people, total = sums.get(age, (0, Decimal(0)))
        sums[age] = people + 1, total + worth
    found = []
    for age, until in zip(AGES, [*AGES[1:], None], strict=True):
        if age in sums:
            cases, lost = known.get(age, (0, 0))
            last = until - 1 if until else None
            found.append(Waiting(age, last, *sums[age], rate_at(until or LONGEST, cases=cases, lost=lost)))
    return found


def in_all(rows: Iterable[Waiting]) -> tuple[Decimal, Decimal]:
    lows, highs = zip(*(row.at_risk for row in rows), strict=True) if rows else ((), ())
    return sum(lows, Decimal(0)), sum(highs, Decimal(0))
