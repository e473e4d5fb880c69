"""One part of a page of reports; where it fails it says so, and blanks no other."""

import logging
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")


def part(read: Callable[[], T]) -> T | None:
    """None where it cannot be shown."""
    try:
        return read()
    except Exception:
        log.exception("a part of the report cannot be shown")
        return None
