"""Every inbound format in one place: stored bytes -> Parsed. All pure, none ever raises.

A new format is a module beside email.py with the same `parse`, a line here, and samples under tests/samples.
Uploads are read by `upload.parse`, for their referral comes with the link and not in the bytes.
"""

from collections.abc import Mapping
from typing import Protocol

from referrals.intake import email
from referrals.intake.base import Parsed


class Parser(Protocol):
    def __call__(self, raw: bytes, /, *, max_attachment_bytes: int) -> Parsed: ...


PARSERS: Mapping[str, Parser] = {"email": email.parse}
