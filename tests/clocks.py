"""Zones whose clocks jump, and a machine that stands in another one."""

import os
import time as machine
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from patients.windows import ends_at, starts_at

JERUSALEM = "Asia/Jerusalem"
# Each with the date on which its clock is put forward in 2026 and the one on which it is put back.
# Beirut jumps at midnight, Havana falls back onto it, Lord Howe moves by half an hour.
JUMPS = {
    JERUSALEM: (date(2026, 3, 27), date(2026, 10, 25)),
    "Asia/Gaza": (date(2026, 3, 28), date(2026, 10, 24)),
    "Europe/Kyiv": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Asia/Beirut": (date(2026, 3, 29), date(2026, 10, 24)),
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),
}
# Without such dates, and two dates all the same.
STEADY = dict.fromkeys(("UTC", "Asia/Kolkata", "Asia/Riyadh"), JUMPS[JERUSALEM])
ZONES = JUMPS | STEADY
MACHINES = ("America/New_York", "Asia/Kolkata", "Pacific/Kiritimati")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, zone: str = JERUSALEM) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@contextmanager
def machine_in(zone: str) -> Iterator[None]:
    """Nothing remembered from before, and the machine's own clock in this zone."""
    before = os.environ.get("TZ")
    try:
        _move_machine(zone)
        yield
    finally:
        _move_machine(before)


def _move_machine(zone: str | None) -> None:
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    machine.tzset()
    starts_at.cache_clear()
    ends_at.cache_clear()
