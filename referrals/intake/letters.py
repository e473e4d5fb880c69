"""What a mail says about itself: which mail of ours it answers, that a machine wrote it, that ours never arrived."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from referrals.intake.mime import Part, Tree, content, header

# Our own mails carry the attempt's reference in their Message-ID; it cannot be guessed.
_OURS = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
FAILED, DELAYED, DELIVERED = "failed", "delayed", "delivered"
ACTIONS = (FAILED, DELAYED, DELIVERED, "relayed", "expanded")  # the last two say no more than that it went on
_HEADERS_ALONE = "text/rfc822-headers"


def answered(mail: Part) -> str:
    """The reference of the mail that this one answers; the last one of a thread."""
    for name in ("in-reply-to", "references"):
        found = _OURS.findall(header(mail, name))
        if found:
            return str(found[-1]).lower()
    return ""


def is_automatic(mail: Part) -> bool:
    """An answer of a machine, such as that somebody is on holiday (RFC 3834)."""
    said = header(mail, "auto-submitted").strip().lower()
    return said not in {"", "no"} or bool(header(mail, "x-autoreply"))


@dataclass(frozen=True)
class Report:
    """What a mail server says of a mail: which of ours, what became of it (RFC 3464), and why (RFC 3463)."""

    of: str = ""
    action: str = ""
    status: str = ""


def reported(tree: Tree) -> Report:
    """Empty where it is no report, or says nothing that we know; of several things the one that matters most."""
    if tree.messages[0].get_content_type() != "multipart/report":
        return Report()
    leaves = [part for part, _number in tree.leaves]
    said = {header(part, "action").strip().lower(): header(part, "status") for part in leaves}
    action = next((each for each in ACTIONS if each in said), "")
    if not action:
        return Report()
    status = _STATUS.search(said[action])
    return Report(_original(tree.messages[1:], leaves), action, status[0] if status else "")


def _original(inside: Iterable[Part], leaves: Iterable[Part]) -> str:
    """A report brings the mail it is about along, or only that mail's headers."""
    headers = [part for part in leaves if part.get_content_type() == _HEADERS_ALONE]
    ids = [
        *(header(mail, "message-id") for mail in inside),
        *(content(part)[0].decode("latin-1") for part in headers),
    ]
    found = [reference for text in ids for reference in _OURS.findall(text)]
    return str(found[0]).lower() if found else ""
