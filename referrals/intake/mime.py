"""The tree of a mail, walked without recursion, and its headers and parameters as written.

The bytes are parsed as Latin-1, which keeps every byte: the standard parser would replace raw 8-bit headers
and file names before we can try the charset they are really in. Broken input is marked, and read as far as it
goes.
"""

import re
from dataclasses import dataclass, field
from email.errors import InvalidBase64LengthDefect, MessageError
from email.message import Message
from email.parser import Parser
from email.policy import Compat32
from itertools import islice

from referrals.intake.base import Problem
from referrals.intake.charsets import decode, decode_header, from_base64

Part = Message
FORWARDED = "message/rfc822"
# What the standard library raises on input nobody sane sends.
MALFORMED = (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError)

# Each level costs the parser a stack frame, and a comparison for every line; honest mail has a tenth of it.
_DEEPEST = 200
_MOST_COMPARED = 30_000_000
_MOST_DELIMITERS = 20_000
_LEVELS = re.compile(rb"boundary[*0-9]{0,6}\s*=|content-type\s*:\s*message/", re.IGNORECASE)
_LONGEST_HEADER = 16_000
_MOST_LEAVES = 500
_MOST_MENDED = 10
_FIRST_BOUNDARY = re.compile(r"^--([\w'()+,./:=?-]{1,70})[ \t]*\r?$", re.MULTILINE | re.ASCII)


class _PlainHeaders(Compat32):
    """Headers as they stand, but cut: the standard parser is quadratic in the number of parameters."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return str(super().header_fetch_parse(name, value[:_LONGEST_HEADER]))


_PLAIN = _PlainHeaders()


@dataclass
class Tree:
    """The leaves in the order of the text, each with the number of its message (0 is the mail itself)."""

    messages: list[Part] = field(default_factory=list)
    leaves: list[tuple[Part, int]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(raw: bytes) -> Tree:
    """Read the mail, and the mails forwarded inside it."""
    tree = Tree()
    tree.messages.append(_message(raw, tree))
    stack = [(tree.messages[0], 0)]
    mended = 0
    while stack:
        part, number = stack.pop()
        if part.defects:
            tree.problems.append(Problem.BROKEN_MIME)
        if mended < _MOST_MENDED and (better := _mended(part, tree)) is not None:
            part, mended = better, mended + 1
        children = part.get_payload()
        if not isinstance(children, list):
            tree.leaves.append((part, number))
            continue
        inside: list[Part] = [child for child in children if isinstance(child, Message)]
        if part.get_content_type() == FORWARDED:
            number = len(tree.messages)
            tree.messages += inside
        stack += [(child, number) for child in reversed(inside)]
    if len(tree.leaves) > _MOST_LEAVES:
        tree.problems.append(Problem.TOO_MANY_PARTS)
        del tree.leaves[_MOST_LEAVES:]
    return tree


def content(part: Part) -> tuple[bytes, bool]:
    """Undo the transfer encoding of a leaf as far as it can be; say whether the bytes are damaged."""
    try:
        payload = part.get_payload(decode=True)
    except MALFORMED:
        payload = part.get_payload()
    body = payload if isinstance(payload, bytes) else str(payload or "").encode("latin-1", "replace")
    if any(isinstance(defect, InvalidBase64LengthDefect) for defect in part.defects):
        # Cut off inside a group of four: the standard parser gives up and hands the letters back.
        return from_base64(body), True
    return body, False


def header(part: Part, name: str) -> str:
    """The header as it stands, still to be decoded."""
    return str(part.get(name, ""))


def parameter(part: Part, name: str, of: str, *, hint: str = "") -> tuple[str, bool]:
    """Decode a header's parameter, however it is written; say whether its charset was guessed."""
    try:
        value = part.get_param(name, "", header=of)
    except MALFORMED:
        return "", True
    if isinstance(value, tuple):
        # RFC 2231: the standard parser gives the label, and the bytes as Latin-1.
        plain = decode(str(value[2]).encode("latin-1", "replace"), str(value[0] or "utf-8"))
        return plain.text, plain.guessed
    plain = decode_header(str(value), hint)
    return plain.text, plain.guessed


def charset(part: Part) -> str:
    return parameter(part, "charset", "content-type")[0]


def filename(part: Part, *, hint: str = "") -> tuple[str, bool]:
    """The name the sender gave the file, and whether its charset was guessed."""
    name, guessed = parameter(part, "filename", "content-disposition", hint=hint)
    return (name, guessed) if name else parameter(part, "name", "content-type", hint=hint)


def _message(raw: bytes, tree: Tree) -> Part:
    """Parse; a mail nested so deeply that it can only be an accident or an attack keeps its headers alone."""
    text = raw.decode("latin-1")
    problem = _unreadable(raw)
    try:
        if problem is None:
            return Parser(policy=_PLAIN).parsestr(text)
        tree.problems.append(problem)
    except RecursionError:
        tree.problems.append(Problem.TOO_DEEP)
    except MALFORMED:
        tree.problems.append(Problem.BROKEN_MIME)
    return _headers_alone(text)


def _unreadable(raw: bytes) -> Problem | None:
    levels = sum(1 for _ in islice(_LEVELS.finditer(raw), _DEEPEST + 1))
    if levels > _DEEPEST or levels * raw.count(b"\n") > _MOST_COMPARED:
        return Problem.TOO_DEEP
    return Problem.TOO_MANY_PARTS if raw.count(b"\n--") > _MOST_DELIMITERS else None


def _headers_alone(text: str) -> Part:
    part = Parser(policy=_PLAIN).parsestr(re.split(r"\r?\n\r?\n", text, maxsplit=1)[0], headersonly=True)
    for name in ("content-type", "content-transfer-encoding", "content-disposition"):
        del part[name]
    part.set_payload("")
    return part


def _mended(part: Part, tree: Tree) -> Part | None:
    """Read what the sender meant where the standard parser gives up.

    That is a multipart whose boundary is missing or wrong, and a forwarded mail in base64 or as a plain file.
    """
    payload = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(payload, str):
        found = _FIRST_BOUNDARY.search(payload)
        if found is None:
            return None
        head = f'Content-Type: {part.get_content_type()}; boundary="{found[1]}"\n\n'
        return _message((head + payload).encode("latin-1", "replace"), tree)
    inner = _hidden_mail(part)
    if not inner:
        return None
    outer: Part = Message()
    outer["Content-Type"] = FORWARDED
    outer.attach(_message(inner, tree))
    return outer


def _hidden_mail(part: Part) -> bytes:
    payload = part.get_payload()
    if part.get_content_type() != FORWARDED:
        is_file = isinstance(payload, str) and filename(part)[0].lower().endswith(".eml")
        return content(part)[0] if is_file else b""
    child = payload[0] if isinstance(payload, list) and payload else None
    if header(part, "content-transfer-encoding").strip().lower() != "base64" or not isinstance(
        child, Message
    ):
        return b""
    return from_base64(str(child.get_payload()).encode("latin-1", "replace"))
