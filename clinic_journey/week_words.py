"""Hours of a week in a line: the days on which they are the same stand together."""

from collections.abc import Iterable
from datetime import time
from typing import NamedTuple

from inquiries.models import WalkInHours
from patients.coming import days_in_words
from patients.models import ContactWindow


class Suits(NamedTuple):
    """Hours, with the days on which they are the same."""

    days: str  # empty: every day
    start: time
    end: time


def suiting(windows: Iterable[ContactWindow | WalkInHours]) -> list[Suits]:
    days: dict[tuple[time, time], list[int]] = {}
    for window in windows:
        days.setdefault((window.start, window.end), []).append(window.weekday)
    return [Suits(days_in_words(each), *hours) for hours, each in days.items()]
