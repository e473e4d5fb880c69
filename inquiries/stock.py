"""How many there are that may still be given, which of them expire soon, and how old the count is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

SOON = timedelta(days=14)  # a batch that expires by then is named
COUNT_LASTS = timedelta(days=7)  # after that somebody looks into the fridge


@dataclass(frozen=True)
class Batch:
    quantity: int
    expires_on: date | None
    counted_at: datetime


@dataclass(frozen=True)
class Stock:
    usable: int = 0
    expiring: int = 0  # of the usable ones
    expires_on: date | None = None  # the first day on which some of them do
    expired: int = 0
    counted_at: datetime | None = None  # the oldest count of what is usable, else the newest of all

    def is_to_check(self, now: datetime) -> bool:
        return self.counted_at is not None and self.counted_at <= now - COUNT_LASTS


def stock_of(batches: Iterable[Batch], today: date) -> Stock | None:
    """None where nothing was ever counted: that is not known, which is not the same as nothing left.

    The last day of a batch is a day on which it may be given.
    """
    counted = list(batches)
    if not counted:
        return None
    good = [each for each in counted if each.expires_on is None or each.expires_on >= today]
    there = [each for each in good if each.quantity]
    soon = {
        each.expires_on: each.quantity
        for each in there
        if each.expires_on and each.expires_on <= today + SOON
    }
    return Stock(
        usable=sum(each.quantity for each in there),
        expiring=sum(each.quantity for each in there if each.expires_on in soon),
        expires_on=min(soon, default=None),
        expired=sum(each.quantity for each in counted if each not in good),
        counted_at=min((each.counted_at for each in there), default=None)
        or max(each.counted_at for each in counted),
    )


def is_fresh(at: datetime | None, now: datetime) -> bool:
    """Whether somebody has looked lately; what nobody ever looked at is not."""
    return at is not None and at > now - COUNT_LASTS


def is_available(stock: Stock | None, *, is_counted: bool) -> bool | None:
    """A service is there whenever it is offered; what can run out is as it was counted, or not known."""
    if not is_counted:
        return True
    return None if stock is None else stock.usable > 0
