"""When a patient can come, as one is told it: mornings, after work, or hours of her own on some days."""

from collections.abc import Collection, Iterable, Sequence
from datetime import time

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from patients.actions import Coming
from patients.models import ComingWindow, ContactWindow, ServiceCard
from patients.windows import runs_of_days

Span = tuple[time, time]
Window = tuple[int, time, time]

WEEK = (6, 0, 1, 2, 3, 4, 5)  # begins on Sunday
ANY = "any"
WHOLE_DAY: Span = (time.min, time.max)
MORNINGS, AFTERNOONS, AFTER_WORK = "mornings", "afternoons", "after_work"
PARTS: dict[str, Span] = {
    MORNINGS: (time.min, time(12)),
    AFTERNOONS: (time(12), time(17)),
    AFTER_WORK: (time(17), time.max),
}
COMES = [
    (MORNINGS, _("Mornings")),
    (AFTERNOONS, _("Afternoons")),
    (AFTER_WORK, _("After work, from 17")),
    (ANY, _("Any time")),
]
# Free both on the card and while booking, by the place of the letter as every key.
KEYS = {MORNINGS: "M", AFTERNOONS: "P", AFTER_WORK: "X", ANY: "G"}


def windows_of(card: ServiceCard | None) -> tuple[Window, ...]:
    """As the card has them; reads its windows unless they are loaded."""
    return plain(card.coming_windows.all() if card else ())


def plain(rows: Iterable[ContactWindow | ComingWindow]) -> tuple[Window, ...]:
    """Rows as (weekday, from, to)."""
    return tuple((row.weekday, row.start, row.end) for row in rows)


def named_spans(windows: Iterable[Window], parts: dict[str, Span]) -> dict[str, Span]:
    """The parts of the day, and after them the hours that were told exactly, each by its name."""
    exact = sorted({(start, end) for _day, start, end in windows} - {*parts.values(), WHOLE_DAY})
    return parts | {f"{start:%H:%M}-{end:%H:%M}": (start, end) for start, end in exact}


def with_exact(
    choices: Sequence[tuple[str, str | Promise]], spans: dict[str, Span]
) -> list[tuple[str, str | Promise]]:
    """The choices with the hours told exactly before the last of them, which is any."""
    known = {name for name, _words in choices}
    exact = [(name, _clock(*span)) for name, span in spans.items() if name not in known]
    return [*choices[:-1], *exact, choices[-1]]


def _clock(start: time, end: time) -> str:
    """In Hebrew and Arabic too the earlier hour stands first."""
    return format_html('<bdi dir="ltr">{}–{}</bdi>', f"{start:%H:%M}", f"{end:%H:%M}")


def names_said(windows: Iterable[Window], parts: dict[str, Span]) -> list[str]:
    """The names of the hours that the windows have, on whatever days; any, where they say nothing of hours."""
    names = {span: name for name, span in parts.items()}
    spans = {(start, end) for _day, start, end in windows}
    if not spans or spans == {WHOLE_DAY}:
        return [ANY]
    return [names.get((start, end), f"{start:%H:%M}-{end:%H:%M}") for start, end in sorted(spans)]


def days_said(windows: Iterable[Window]) -> list[int]:
    """The days that the windows name; none where they are all the same."""
    days = {day for day, _start, _end in windows}
    return [day for day in WEEK if day in days] if days != set(WEEK) else []


def on_days(days: Collection[int], spans: Iterable[Span]) -> tuple[Window, ...]:
    """Every one of the hours on every one of the days; of two that begin together the longer holds."""
    by_start = {start: (start, end) for start, end in sorted(spans)}
    return tuple((day, start, end) for day in sorted(days or WEEK) for start, end in by_start.values())


def coming_of(said: Collection[str], days: Collection[int], spans: dict[str, Span]) -> Coming:
    """What was chosen. Days alone mean any hour of them; nothing chosen at all is not told."""
    is_any = ANY in said or not said
    if is_any and not days:
        return Coming(is_told=bool(said))
    return Coming(on_days(days, [WHOLE_DAY] if is_any else [spans[name] for name in said]))


def in_words(windows: Iterable[Window]) -> list[str]:
    """What one reads of it in a line: the hours, before them the days where they are not all."""
    labels = {PARTS[name]: words for name, words in COMES if name != ANY} | {WHOLE_DAY: COMES[-1][1]}
    said = [(on, labels.get(span) or _clock(*span)) for on, span in by_hours(windows)]
    return [format_html("{} {}", on, hours) if on else format_html("{}", hours) for on, hours in said]


def by_hours(windows: Iterable[Window]) -> list[tuple[str, Span]]:
    """Each of the hours once, before it the days on which they are the same, in words."""
    days: dict[Span, list[int]] = {}
    for day, start, end in windows:
        days.setdefault((start, end), []).append(day)
    return [(days_in_words(each), span) for span, each in days.items()]


def days_in_words(weekdays: list[int]) -> str:
    """Empty: every day."""
    if len(weekdays) == len(WEEK):
        return ""
    names = [(WEEKDAYS_ABBR[first], WEEKDAYS_ABBR[last]) for first, last in runs_of_days(weekdays)]
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in names)


def said_last(said: Collection[str], before: Collection[str]) -> list[str]:
    """Whoever could come at any time and now names a part means that part, and the other way round."""
    if ANY not in said or len(said) == 1:
        return list(said)
    return [name for name in said if name != ANY] if ANY in before else [ANY]
