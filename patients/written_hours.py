"""Hours as people write them in one line, read and written back: 8:00-13:00, 16:00-19:00."""

import re
from collections.abc import Iterable
from datetime import time

Stretch = tuple[time, time]
_STRETCH = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?")


def stretches_in(text: str) -> list[Stretch]:
    """The stretches of one day, in order and apart from each other; ValueError where they are not."""
    found: list[Stretch] = []
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;]", text))):
        match = _STRETCH.fullmatch(part)
        if match is None:
            raise ValueError(part)
        start, end = _clock(match[1], match[2]), _clock(match[3], match[4])
        if start >= end or (found and start < found[-1][1]):
            raise ValueError(part)
        found.append((start, end))
    return found


def _clock(hour: str, minute: str | None) -> time:
    if int(hour) == 24 and not int(minute or 0):  # noqa: PLR2004 - midnight, as the end of a day
        return time.max
    return time(int(hour), int(minute or 0))


def written(stretches: Iterable[Stretch]) -> str:
    ends = ((start, "24:00" if end == time.max else f"{end:%H:%M}") for start, end in stretches)
    return ", ".join(f"{start:%H:%M}-{end}" for start, end in ends)
