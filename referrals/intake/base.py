"""What every inbound format is turned into, and the referral code that leads it home."""

import re
from dataclasses import dataclass
from enum import StrEnum

from patients.identity import Claim, strip_invisible

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8
_DASHES = "\\-\u05be\u2010-\u2015\u2212"
_CODE = re.compile(
    rf"(?<![0-9A-Z])R(?P<dash>[{_DASHES}])?(?P<body>[{CODE_ALPHABET}]{{{CODE_LENGTH}}})(?![0-9A-Z])",
    re.IGNORECASE | re.ASCII,
)


class Problem(StrEnum):
    """What is wrong with a document or a file in it. It is kept all the same, and shown with the reason."""

    UNKNOWN_CHARSET = "unknown_charset"
    BROKEN_MIME = "broken_mime"
    TOO_DEEP = "too_deep"
    TOO_MANY_PARTS = "too_many_parts"
    TEXT_CUT = "text_cut"
    NO_ATTACHMENT = "no_attachment"
    EMPTY_ATTACHMENT = "empty_attachment"
    OVERSIZED_ATTACHMENT = "oversized_attachment"
    TYPE_MISMATCH = "type_mismatch"
    UNSUPPORTED_TYPE = "unsupported_type"
    WINMAIL = "winmail"


@dataclass(frozen=True)
class Attachment:
    filename: str
    declared_type: str
    sniffed_type: str
    content: bytes
    problem: Problem | None
    is_inline: bool = False  # a picture that the text shows, as the logo of a signature


@dataclass(frozen=True)
class Parsed:
    """One document, read. `problems` names those of the whole first, then those of its files, each once."""

    source_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    codes: tuple[str, ...]
    claim: Claim
    attachments: tuple[Attachment, ...]
    problems: tuple[Problem, ...]
    answers: str = ""  # the reference of a mail of ours, which it answers or reports on
    report: str = ""  # what a mail server says became of that mail: failed, delayed, delivered (RFC 3464)
    bounce: str = ""  # and why (RFC 3463)
    is_automatic: bool = False

    @property
    def usable_attachments(self) -> tuple[Attachment, ...]:
        return tuple(attachment for attachment in self.attachments if attachment.problem is None)


def find_codes(text: str) -> tuple[str, ...]:
    """List the referral codes in a text, an address or a subject, as `R-` and capitals, each once.

    People drop the hyphen, and mail programs replace it. Without it only a code with a digit in it counts,
    for "reference" is spelled like a code; a plus-address has no hyphen and is always believed.
    """
    plain = strip_invisible(text)
    found = []
    for match in _CODE.finditer(plain):
        before, after = plain[: match.start()][-1:], plain[match.end() :][:1]
        body = match["body"].upper()
        if match["dash"] or (before, after) == ("+", "@") or any(sign.isdigit() for sign in body):
            found.append(f"R-{body}")
    return tuple(dict.fromkeys(found))


def all_problems(
    whole: tuple[Problem | None, ...], attachments: tuple[Attachment, ...]
) -> tuple[Problem, ...]:
    """Join what is wrong with the whole and with its files, in a stable order, each once."""
    found = (*whole, *(attachment.problem for attachment in attachments))
    return tuple(dict.fromkeys(problem for problem in found if problem is not None))
