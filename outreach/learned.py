"""What her answers teach about when and how to reach her: a suggestion, shown as learned, never as told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

ENOUGH = 3  # answers of one kind; fewer are chance
MOST = 0.7  # of the answers
HOUR_BANDS = ((8, 12), (12, 16), (16, 20), (20, 24))  # as on the card
PHONE = "phone"


@dataclass(frozen=True)
class Try:
    """One contact that was made: on which channel, when it reached her or was tried, and whether she answered."""

    channel: str
    at: datetime
    answered: bool


@dataclass(frozen=True)
class Learned:
    """What seems so.

    `band`: the hours, from and to, in which she mostly answers. `by`: the channel she answers, "phone" or
    "message", while she does not answer the other. The counts say how sure we are.
    """

    band: tuple[int, int] | None = None
    in_band: int = 0
    answers: int = 0
    by: str = ""

    def __bool__(self) -> bool:
        return bool(self.band or self.by)


def learn(tries: Sequence[Try], *, zone: str) -> Learned:
    """Nothing from little: at least three answers, most of them alike."""
    answered = [each for each in tries if each.answered]
    band, count = _band([each.at.astimezone(ZoneInfo(zone)).hour for each in answered])
    return Learned(band, count, len(answered), _by(tries))


def _band(hours: Sequence[int]) -> tuple[tuple[int, int] | None, int]:
    if len(hours) < ENOUGH:
        return None, 0
    counts = {band: sum(band[0] <= hour < band[1] for hour in hours) for band in HOUR_BANDS}
    band = max(counts, key=lambda each: counts[each])
    if counts[band] < ENOUGH or counts[band] < MOST * len(hours):
        return None, 0
    return band, counts[band]


def _by(tries: Sequence[Try]) -> str:
    """The way she answers, where the other was tried as often as it takes and never answered."""
    calls = [each.answered for each in tries if each.channel == PHONE]
    messages = [each.answered for each in tries if each.channel != PHONE]
    if sum(messages) >= ENOUGH and len(calls) >= ENOUGH and not any(calls):
        return "message"
    if sum(calls) >= ENOUGH and len(messages) >= ENOUGH and not any(messages):
        return PHONE
    return ""
