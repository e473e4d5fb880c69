"""How each channel's sender fares: its pace, the pauses its provider asks for, and what happens when it fails.

A sender that has failed LIMIT times in a row, or whose login is refused, is down: nothing is planned on it where
another channel is left, what was planned for as long as it rests is planned anew, and a manager has a step. When a
pause is over one message is tried; if it is taken, the sender is up again, else the next pause begins.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

from django.db import transaction
from django.utils.translation import gettext as _

from journeys.models import Words
from outreach.anew import plan_anew
from outreach.because import Because
from outreach.channels import Trouble, leaving
from outreach.models import Attempt, AttemptStatus
from outreach.provider_models import Sender
from outreach.to_mend import note_mended, tell_the_managers, works
from patients.models import Channel

LIMIT = 3
RESTS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60))
LONG = timedelta(minutes=15)  # a pause that nobody's patients sit out where another way is left
TRY_WITHIN = timedelta(minutes=2)  # a try that ends nowhere is made again after that
AT_ONCE = 2  # ticks that may wait for one slow provider at a time; the others serve the other channels
SPARE = 0.06  # of the time that its pace gives to as many messages: how much longer they take with us
LATE = 0.04  # of the same: how long after its moment a call may begin; the rest of SPARE is the machine's own
LEAD = timedelta(milliseconds=20)
AHEAD = timedelta(seconds=2)  # what is claimed leaves within it


@dataclass(frozen=True)
class Turn:
    """That a channel may send now; `is_try`: one message only, to see whether its provider answers again."""

    channel: str
    is_try: bool = False
    was_failing: bool = False


def turn_of(channel: str, *, now: datetime) -> Turn | None:
    """Whether this channel may send; None while its sender rests, or is busy with a provider that is slow."""
    under_way = Attempt.objects.filter(
        channel=channel,
        status=AttemptStatus.SENDING,
        called_at__isnull=False,
        sent_at__isnull=True,
        lease_until__gt=now,
    )
    if under_way.values("lease").distinct().count() >= AT_ONCE:
        return None
    sender = Sender.objects.filter(channel=channel).first()
    if sender is None or (sender.paused_until is None and sender.failures == 0):
        return Turn(channel)
    if sender.paused_until and sender.paused_until > now:
        return None
    if sender.down_since is None:
        return Turn(channel, was_failing=True)
    ours = Sender.objects.filter(pk=sender.pk, paused_until=sender.paused_until).update(
        paused_until=now + TRY_WITHIN
    )
    return Turn(channel, is_try=True, was_failing=True) if ours else None


def resting(*, now: datetime) -> set[str]:
    return set(Sender.objects.filter(paused_until__gt=now).values_list("channel", flat=True))


def rests_until(channel: str, *, now: datetime) -> datetime | None:
    resting_now = Sender.objects.filter(channel=channel, paused_until__gt=now)
    return resting_now.values_list("paused_until", flat=True).first()


def down() -> set[str]:
    if not leaving():
        return set()
    return set(Sender.objects.filter(down_since__isnull=False).values_list("channel", flat=True))


@transaction.atomic
def next_turns(
    channel: str, pace: float, *, now: datetime, until: datetime, limit: int = 1
) -> list[datetime]:
    """Reserve the sender's next moments up to `until`. One row, so all workers share a pace.

    They lie so far apart that each may be called late by SPARE, and in no second are there more than the pace allows.
    """
    sender, apart = _locked(channel), _span(pace) * (1 + SPARE) / max(pace, 1)
    first = max(now, sender.next_free_at or now)
    moments = [first + apart * n for n in range(limit)]
    fitting = [at for at in moments if at <= until]
    if fitting:
        Sender.objects.filter(pk=sender.pk).update(next_free_at=fitting[-1] + apart)
    return fitting


def _span(pace: float) -> timedelta:
    """What a pace is kept in: a second, or as long as it gives to one message."""
    return timedelta(seconds=max(1, 1 / pace))


class Turns:
    """The moments at which one tick may call. Without a pace any moment before its end will do."""

    def __init__(self, channel: str, pace: float, *, clock: Callable[[], datetime], until: datetime) -> None:
        self.channel, self.pace, self.clock, self.until = channel, pace, clock, until
        self.lead = LEAD  # how long it takes to begin a call, which is done before its moment
        self._reserved: deque[datetime] = deque()

    def next(self, wanted: int) -> datetime | None:
        """The next moment that is ours and not past; some are reserved at a time, as far as so many are wanted."""
        now = self.clock()
        if self.pace <= 0:
            return now if now <= self.until else None
        while self._reserved and self.has_passed(self._reserved[0]):
            self._reserved.popleft()
        if not self._reserved:
            most = min(wanted, int(self.pace / 2) + 1)
            first = min(now + self.lead, max(now, self.until))
            self._reserved.extend(
                next_turns(self.channel, self.pace, now=first, until=self.until, limit=most)
            )
        return self._reserved.popleft() if self._reserved else None

    def has_passed(self, at: datetime) -> bool:
        """Too late to be called at this moment: the one after it would come too near."""
        return self.pace > 0 and self.clock() > at + _span(self.pace) * LATE


def _locked(channel: str) -> Sender:
    """The sender's one row, made at its first message; one writer at a time. Inside atomic()."""
    sender, _made = Sender.objects.select_for_update(no_key=True).get_or_create(channel=channel)
    return sender


def fitting(pace: float, *, now: datetime, until: datetime, limit: int) -> int:
    """How many messages to claim: what the pace lets out soon, so that the rest is not claimed in vain."""
    if pace <= 0:
        return limit
    ahead = max(min((until - now), AHEAD).total_seconds(), 0)
    return min(limit, int(ahead * pace) + 1)


def wait_until(at: datetime, *, now: datetime) -> None:
    """The one place where a tick waits: for its sender's next moment, never longer than the tick itself lasts."""
    if at > now:
        Event().wait((at - now).total_seconds())


def worked(turn: Turn, *, now: datetime) -> None:
    """The provider took a message: whatever was wrong is over, and the manager's step with it."""
    if not turn.was_failing:
        return
    with transaction.atomic():
        was_down = Sender.objects.filter(channel=turn.channel, down_since__isnull=False).exists()
        Sender.objects.filter(channel=turn.channel).update(
            failures=0, paused_until=None, paused_since=None, down_since=None
        )
        if was_down:
            note_mended(works(turn.channel), now=now)


@transaction.atomic
def pause(channel: str, until: datetime, *, now: datetime) -> None:
    """As long as the provider asks for; nobody is planned another way for a short one.

    Short ones that follow each other, with no message taken in between, are one that began with the first.
    """
    sender = _locked(channel)
    follows = sender.paused_until is not None and now - sender.paused_until <= TRY_WITHIN
    since = sender.paused_since if follows and sender.paused_since else now
    Sender.objects.filter(pk=sender.pk).update(paused_until=until, paused_since=since)
    if until - since >= LONG:
        _rest_long(sender, until, now=now)


@transaction.atomic
def failed(channel: str, trouble: str, *, now: datetime) -> bool:
    """One more failure in a row. True where the sender is down with it."""
    sender = _locked(channel)
    sender.failures += 1
    Sender.objects.filter(pk=sender.pk).update(
        failures=sender.failures, last_trouble=trouble[:300], last_failed_at=now
    )
    if sender.failures < LIMIT and not trouble.startswith(Trouble.LOGIN):
        return False
    rest = RESTS[min(max(sender.failures - LIMIT, 0), len(RESTS) - 1)]
    _goes_down(sender, now + rest, now=now)
    return True


def _rest_long(sender: Sender, until: datetime, *, now: datetime) -> None:
    """Its provider asked for so long a pause that it is as good as down; then one message is tried."""
    Sender.objects.filter(pk=sender.pk).update(last_trouble=Trouble.BUSY, last_failed_at=now)
    _goes_down(sender, until, now=now)


def _goes_down(sender: Sender, until: datetime, *, now: datetime) -> None:
    """Whoever would have been written to meanwhile is planned again, on the next channel that is up."""
    Sender.objects.filter(pk=sender.pk).update(paused_until=until, down_since=sender.down_since or now)
    meanwhile = Attempt.objects.filter(
        channel=sender.channel, status=AttemptStatus.PLANNED, send_at__lte=until
    )
    plan_anew(meanwhile, Because.SENDER_DOWN, now=now)
    tell_the_managers(works(sender.channel), _words(sender.channel), now=now)


def _words(channel: str) -> Words:
    return lambda: _("%(channel)s does not work: see Channels.") % {"channel": Channel(channel).label}
