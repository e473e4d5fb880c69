"""What a mail says about itself: which mail of ours it answers, that a machine wrote it, that ours never arrived."""

import re
from collections.abc import Iterable

from referrals.intake.mime import Part, Tree, content, header

# Our own mails carry the attempt's reference in their Message-ID; it cannot be guessed.
_OURS = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
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


def bounced(tree: Tree) -> tuple[str, str]:
    """The reference and the status (RFC 3463) of a mail of ours that was given up; empty where nothing says so.

    A report that a mail is late and is still being tried says nothing final.
    """
    if tree.messages[0].get_content_type() != "multipart/report":
        return "", ""
    leaves = [part for part, _number in tree.leaves]
    failed = (part for part in leaves if header(part, "action").strip().lower() == "failed")
    status = next((found[0] for part in failed if (found := _STATUS.search(header(part, "status")))), "")
    return (_original(tree.messages[1:], leaves), status) if status else ("", "")


def _original(inside: Iterable[Part], leaves: Iterable[Part]) -> str:
    """A report brings the mail it is about along, or only that mail's headers."""
    headers = [part for part in leaves if part.get_content_type() == _HEADERS_ALONE]
    ids = [
        *(header(mail, "message-id") for mail in inside),
        *(content(part)[0].decode("latin-1") for part in headers),
    ]
    found = [reference for text in ids for reference in _OURS.findall(text)]
    return str(found[0]).lower() if found else ""
