"""Hours of a week in a line: the days on which they are the same stand together."""

from collections.abc import Iterable
from datetime import time
from typing import NamedTuple

from inquiries.models import WalkInHours
from patients.coming import by_hours
from patients.models import ContactWindow


class Suits(NamedTuple):
    """Hours, with the days on which they are the same."""

    days: str  # empty: every day
    start: time
    end: time


def suiting(windows: Iterable[ContactWindow | WalkInHours]) -> list[Suits]:
    rows = ((window.weekday, window.start, window.end) for window in windows)
    return [Suits(days, *hours) for days, hours in by_hours(rows)]
