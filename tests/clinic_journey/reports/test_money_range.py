"""What may be lost, as a range: the clinic's own rate where enough have waited so long, else the default by name."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from clinic_journey.reports.money_range import AGES, ENOUGH, by_age, in_all, rate_at, stretch_of


@pytest.mark.parametrize(
    ("cases", "lost", "low", "high", "is_default"),
    [
        (29, 10, 0.01, 0.04, True),
        (30, 0, 0.0, 0.083, False),
        (30, 30, 0.917, 1.0, False),
        (1000, 100, 0.086, 0.117, False),
    ],
)
def test_a_rate_says_how_little_is_known(
    cases: int, lost: int, low: float, high: float, is_default: bool
) -> None:
    rate = rate_at(1, cases=cases, lost=lost)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=0.001)
    assert rate.is_default is is_default


@given(st.integers(ENOUGH, 10_000), st.floats(0, 1), st.sampled_from(AGES))
def test_the_own_rate_lies_inside_its_range(cases: int, share: float, age: int) -> None:
    lost = round(cases * share)
    rate = rate_at(age, cases=cases, lost=lost)
    assert 0 <= rate.low <= lost / cases + 1e-9
    assert lost / cases - 1e-9 <= rate.high <= 1


@pytest.mark.parametrize(
    ("days", "begins"), [(-1, 0), (0, 0), (1.9, 0), (2, 2), (7.9, 4), (8, 8), (15, 15), (400, 15)]
)
def test_a_wait_lies_in_one_stretch(days: float, begins: int) -> None:
    assert stretch_of(days) == begins


def test_what_is_at_risk_is_value_times_rate_of_each_age() -> None:
    waits = [(0.5, Decimal(100)), (1.0, Decimal(300)), (20.0, Decimal(1000))]
    rows = by_age(waits, {0: (100, 0), 15: (200, 100)})
    assert [(row.from_day, row.until_day, row.people, row.worth) for row in rows] == [
        (0, 1, 2, Decimal(400)),
        (15, None, 1, Decimal(1000)),
    ]
    assert not any(row.rate.is_default for row in rows)
    low, high = in_all(rows)
    assert (round(low), round(high)) == (442, 568)
    assert in_all([]) == (Decimal(0), Decimal(0))
