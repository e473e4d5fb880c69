"""Hours of a week in a line: the days on which they are the same stand together."""

from collections.abc import Iterable
from datetime import time
from typing import NamedTuple

from django.utils.dates import WEEKDAYS_ABBR

from inquiries.models import WalkInHours
from patients.models import ContactWindow
from patients.windows import WEEK, runs_of_days


class Suits(NamedTuple):
    """Hours, with the days on which they are the same."""

    days: str  # empty: every day
    start: time
    end: time


def suiting(windows: Iterable[ContactWindow | WalkInHours]) -> list[Suits]:
    days: dict[tuple[time, time], list[int]] = {}
    for window in windows:
        days.setdefault((window.start, window.end), []).append(window.weekday)
    return [Suits(_days_in_words(each), *hours) for hours, each in days.items()]


def _days_in_words(weekdays: list[int]) -> str:
    if len(weekdays) == WEEK:
        return ""
    names = [(WEEKDAYS_ABBR[first], WEEKDAYS_ABBR[last]) for first, last in runs_of_days(weekdays)]
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in names)
