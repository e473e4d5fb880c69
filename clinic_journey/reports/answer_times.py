"""Whether some waited longer than others by more than chance: no rows, no clock."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from math import ceil, sqrt

ENOUGH = 20  # of each; with fewer nothing can be told
SURE = 1.96  # standard deviations: nineteen times out of twenty chance alone makes no such difference


def longer(these: Sequence[timedelta], those: Sequence[timedelta]) -> int | None:
    """1 where these waited longer, -1 where those did, 0 where it may be chance; None where there are too few.

    By ranks (Mann-Whitney, corrected for equal waits): one question that lay for days decides nothing.
    """
    if min(len(these), len(those)) < ENOUGH:
        return None
    n, m, both = len(these), len(those), Counter([*these, *those])
    rank, before = dict[timedelta, float](), 0
    for wait in sorted(both):
        rank[wait] = before + (both[wait] + 1) / 2
        before += both[wait]
    above = sum(rank[wait] for wait in these) - n * (n + 1) / 2 - n * m / 2
    alike = sum(k**3 - k for k in both.values()) / ((n + m) * (n + m - 1))
    spread = sqrt(n * m / 12 * (n + m + 1 - alike))
    if abs(above) <= SURE * spread:
        return 0
    return 1 if above > 0 else -1


def within(waits: Sequence[timedelta], share: float) -> timedelta:
    """The wait within which this share of them was answered: one that happened."""
    return sorted(waits)[max(1, ceil(share * len(waits) - 1e-9)) - 1]
