"""One line about a journey that can be read aloud to the patient, and the words for when she had to ask.

Facts in, words out, in the language that is active: no rows, no clock. The caller passes local times by giving
the zone in which they are spoken.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext as _, pgettext

A_WEEK = 7
MONTH_ONLY_AFTER = 45  # days: a check-up so far ahead is named by its month


@dataclass(frozen=True)
class Story:
    """What is true of one journey now; every time is an instant, empty where there is none."""

    expected_at: datetime | None = None  # a result that has not come
    arrived_at: datetime | None = None
    doctor: str = ""
    decides_by: datetime | None = None
    decided_at: datetime | None = None
    told_at: datetime | None = None  # of what was decided, or of what arrived
    untold_since: datetime | None = None  # something is known and she has not heard it from us
    promised_by: datetime | None = None
    next_by: datetime | None = None  # the nearest other deadline of ours
    visit_at: datetime | None = None
    is_held: bool = False
    check_up_at: datetime | None = None

    def pressing(self, now: datetime) -> tuple[int, datetime]:
        """The smaller, the sooner it is read: broken promises, what is late, what is known and not told."""
        far = self.visit_at or self.check_up_at or now
        ranks = (
            (self.promised_by is not None and self.promised_by <= now, self.promised_by),
            (self.is_late(now), min(filter(None, self._deadlines()), default=None)),
            (self.untold_since is not None, self.untold_since),
            (self.promised_by is not None, self.promised_by),
            (self.decides_by is not None, self.decides_by),
            (self.expected_at is not None, self.expected_at),
            (self.next_by is not None, self.next_by),
            (self.visit_at is not None, self.visit_at),
        )
        return next(((rank, at or far) for rank, (holds, at) in enumerate(ranks) if holds), (len(ranks), far))

    def is_late(self, now: datetime) -> bool:
        return any(at is not None and at <= now for at in self._deadlines())

    def _deadlines(self) -> tuple[datetime | None, ...]:
        return self.promised_by, self.decides_by, self.expected_at, self.next_by


@dataclass(frozen=True)
class Clock:
    """The instant and the zone in which times are said."""

    now: datetime
    zone: str

    def days_to(self, at: datetime) -> int:
        zone = ZoneInfo(self.zone)
        return (at.astimezone(zone).date() - self.now.astimezone(zone).date()).days

    def said(self, at: datetime) -> str:
        """“today 16:02”, “Wednesday 09:14”, “Tuesday 18 November 14:30”."""
        days, local = self.days_to(at), at.astimezone(ZoneInfo(self.zone))
        clock = date_format(local, "H:i")
        near = {
            0: _("today %(time)s"),
            -1: _("yesterday %(time)s"),
            1: _("tomorrow %(time)s"),
        }
        if days in near:
            return near[days] % {"time": clock}
        return _day_words(local, "l H:i" if abs(days) < A_WEEK else "l j E H:i")

    def hour(self, at: datetime) -> str:
        return date_format(at.astimezone(ZoneInfo(self.zone)), "H:i")

    def in_full(self, at: datetime) -> str:
        return _day_words(at.astimezone(ZoneInfo(self.zone)), "l j E H:i")

    def limit(self, at: datetime) -> str:
        """After “by”: an hour of today needs no day."""
        if self.days_to(at) == 0:
            return date_format(at.astimezone(ZoneInfo(self.zone)), "H:i")
        return self.said(at)


def _day_words(local: datetime, form: str) -> str:
    """Days of the week are small letters within a Russian sentence; Django's begin with a capital."""
    words = date_format(local, form)
    return words.lower() if (get_language() or "").startswith("ru") else words


def line(story: Story, clock: Clock) -> str:
    """The whole line: what came, who has it, what was promised by when; then what is kept."""
    facts = pgettext("between two facts of one sentence", ", ").join(_facts(story, clock))
    if story.visit_at:
        words = _("%(when)s is kept for you") if story.is_held else _("%(when)s is booked for you")
        kept = words % {"when": clock.in_full(story.visit_at)}
        facts = pgettext("before the last fact of a sentence", "; ").join(filter(None, [facts, kept]))
    if not facts:
        facts = _("nothing is open with us")
        if story.check_up_at:
            facts = _check_up(story.check_up_at, clock)
    return f"{capfirst(facts)}."


def _check_up(at: datetime, clock: Clock) -> str:
    if clock.days_to(at) > MONTH_ONLY_AFTER:
        month = date_format(at.astimezone(ZoneInfo(clock.zone)), "F")
        return _("nothing is open; your next check-up is in %(month)s") % {"month": month}
    return _("nothing is open; your next check-up is due by %(when)s") % {"when": clock.in_full(at)}


def _facts(story: Story, clock: Clock) -> Iterator[str]:
    if story.arrived_at:
        yield _("your results arrived %(when)s") % {"when": clock.said(story.arrived_at)}
    if story.expected_at:
        yield _expected(story.expected_at, clock, more=story.arrived_at is not None)
    if story.decides_by:
        yield _with_doctor(story.doctor or _("the doctor"), story.decides_by, clock)
    elif story.decided_at:
        yield _("the doctor decided %(when)s") % {"when": clock.said(story.decided_at)}
    if story.untold_since:
        yield _("we have not told you yet")
    elif story.told_at:
        yield _("we told you %(when)s") % {"when": clock.said(story.told_at)}
    if story.promised_by:
        yield _promised(story.promised_by, clock)
    elif story.next_by and not story.decides_by:
        yield _next(story.next_by, clock)


def _expected(at: datetime, clock: Clock, *, more: bool) -> str:
    late = at <= clock.now
    if more:
        words = (
            _("another result was expected by %(when)s and is late")
            if late
            else _("another result is expected by %(when)s")
        )
    else:
        words = (
            _("your results were expected by %(when)s, have not arrived, and we are asking for them")
            if late
            else _("nothing has arrived yet, your results are expected by %(when)s")
        )
    return words % {"when": clock.said(at) if late else clock.limit(at)}


def _with_doctor(who: str, by: datetime, clock: Clock) -> str:
    if by <= clock.now:
        return _("%(who)s was to decide by %(when)s and is late") % {"who": who, "when": clock.said(by)}
    return _("%(who)s has it and decides by %(when)s") % {"who": who, "when": clock.limit(by)}


def _promised(by: datetime, clock: Clock) -> str:
    if by <= clock.now:
        return _("we promised you an answer by %(when)s and are late") % {"when": clock.said(by)}
    return _("we promised you an answer by %(when)s") % {"when": clock.limit(by)}


def _next(by: datetime, clock: Clock) -> str:
    if by <= clock.now:
        return _("you were to hear from us by %(when)s and we are late") % {"when": clock.said(by)}
    return _("you hear from us by %(when)s") % {"when": clock.limit(by)}


def apology(story: Story, clock: Clock) -> str:
    """What is said to a patient who had to ask: she is right, what was ours to do, and what happens by when."""
    return f"{_you_are_right(story, clock)} {_what_now(story, clock)}"


def _you_are_right(story: Story, clock: Clock) -> str:
    if story.promised_by and story.promised_by <= clock.now:
        when = clock.said(story.promised_by)
        return _("You are right: we promised you an answer by %(when)s and it did not come. Sorry.") % {
            "when": when
        }
    if story.arrived_at:
        when = clock.said(story.arrived_at)
        return _("You are right: it reached us %(when)s and it was for us to call. Sorry.") % {"when": when}
    if story.expected_at:
        return _("You are right: it has not reached us yet, and it was for us to tell you. Sorry.")
    return _("You are right: it was for us to call. Sorry.")


def _what_now(story: Story, clock: Clock) -> str:
    if story.promised_by and story.promised_by > clock.now:
        return _("You hear from us by %(when)s.") % {"when": clock.limit(story.promised_by)}
    if story.decides_by and story.decides_by > clock.now:
        when = clock.limit(story.decides_by)
        return _("The doctor decides by %(when)s, and then we call you.") % {"when": when}
    if story.next_by and story.next_by > clock.now:
        return _("You hear from us by %(when)s.") % {"when": clock.limit(story.next_by)}
    return _("This is what happens now, and by when you hear from us:")
