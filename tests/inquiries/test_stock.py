"""How many may still be given: what has expired counts for nothing, and never counted is not the same as none."""

from datetime import date, timedelta

import pytest

from inquiries.stock import Batch, Stock, is_available, stock_of
from tests.conftest import NOW

TODAY = date(2026, 3, 9)
DAY = timedelta(days=1)


def batch(quantity: int, days: int | None, counted: int = 0) -> Batch:
    return Batch(quantity, None if days is None else TODAY + DAY * days, NOW - DAY * counted)


@pytest.mark.parametrize(
    ("batches", "usable", "expiring", "expired"),
    [
        ([batch(5, 100)], 5, 0, 0),
        ([batch(5, 100), batch(2, 14)], 7, 2, 0),
        ([batch(5, 0)], 5, 5, 0),  # its last day is today
        ([batch(5, -1)], 0, 0, 5),
        ([batch(5, None), batch(1, -1)], 5, 0, 1),
        ([batch(0, 3), batch(2, 3), batch(3, 3)], 5, 5, 0),
        ([batch(0, 100)], 0, 0, 0),
    ],
)
def test_what_may_be_given_is_added_up(
    batches: list[Batch], usable: int, expiring: int, expired: int
) -> None:
    stock = stock_of(batches, TODAY)
    assert stock is not None
    assert (stock.usable, stock.expiring, stock.expired) == (usable, expiring, expired)


def test_the_first_day_on_which_some_expire_is_named() -> None:
    stock = stock_of([batch(1, 9), batch(1, 3), batch(0, 1), batch(9, 100)], TODAY)
    assert stock is not None
    assert (stock.expires_on, stock.expiring) == (TODAY + 3 * DAY, 2)


@pytest.mark.parametrize(("days", "is_old"), [(0, False), (6, False), (7, True)])
def test_an_old_count_asks_for_a_look(days: int, *, is_old: bool) -> None:
    stock = stock_of([batch(5, 100, days), batch(5, 100)], TODAY)
    assert stock is not None
    assert stock.is_to_check(NOW) is is_old


@pytest.mark.parametrize(
    ("stock", "is_counted", "available"),
    [
        (None, False, True),  # a service
        (None, True, None),  # never counted: not known
        (Stock(usable=0), True, False),
        (Stock(usable=1), True, True),
    ],
)
def test_what_was_never_counted_is_not_known(
    stock: Stock | None, *, is_counted: bool, available: bool | None
) -> None:
    assert is_available(stock, is_counted=is_counted) is available
