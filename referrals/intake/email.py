"""A mail as it came -> what it says, whom it is about, and its files. Never raises, whatever the bytes."""

import hashlib
import re
from dataclasses import dataclass, field, replace

from referrals.intake import letters, mime
from referrals.intake.base import Attachment, Parsed, Problem, all_problems, find_codes
from referrals.intake.charsets import clean, decode, decode_header
from referrals.intake.claims import claim_from
from referrals.intake.markup import text_of
from referrals.intake.sniff import attachment

_RECIPIENTS = (
    "to",
    "cc",
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-forwarded-to",
    "resent-to",
    "apparently-to",
)
_ADDRESS = re.compile(r"[^\s<>,;:\"'()\[\]@\\]{1,64}@[^\s<>,;:\"'()\[\]@\\]{1,190}")
_LONGEST_TEXT = 200_000
_LONGEST_MARKUP = 1_000_000
_LONGEST_SUBJECT = 500
_LONGEST_ADDRESS = 254
_LONGEST_MESSAGE_ID = 160


def parse(raw: bytes, *, max_attachment_bytes: int) -> Parsed:
    """Read a mail. What is wrong with it is listed; nothing that came is left out without being listed."""
    tree = mime.read(raw.lstrip(b"\r\n"))
    reading = _Reading(hint=_body_charset(tree), problems=list(tree.problems))
    subjects = [reading.header(message, "subject") for message in tree.messages]
    for part, number in tree.leaves:
        reading.read(part, number, max_attachment_bytes=max_attachment_bytes)
    # Forwarded as an attachment, the mail inside still names the plus-address it was sent to.
    recipients = [reading.addresses(message, *_RECIPIENTS) for message in tree.messages]
    addressed = " ".join(address for addresses in recipients for address in addresses)
    searched = "\n".join([*subjects, *(text for _, _, text in reading.texts)])
    if len(searched) > _LONGEST_TEXT:
        reading.problems.append(Problem.TEXT_CUT)
    searched = searched[:_LONGEST_TEXT]
    attachments = tuple(reading.attachments)
    report = letters.reported(tree)
    return Parsed(
        source_id=_source_id(raw, tree.messages[0]),
        sender=reading.sender(tree.messages[0]),
        recipients=recipients[0],
        subject=subjects[0][:_LONGEST_SUBJECT],
        text=reading.shown_text()[:_LONGEST_TEXT],
        codes=tuple(dict.fromkeys(find_codes(addressed) + find_codes(searched))),
        claim=claim_from(searched, subjects=subjects),
        attachments=attachments,
        problems=all_problems(
            (*reading.problems, None if attachments else Problem.NO_ATTACHMENT), attachments
        ),
        answers=report.of or letters.answered(tree.messages[0]),
        report=report.action,
        bounce=report.status,
        is_automatic=letters.is_automatic(tree.messages[0]),
    )


@dataclass
class _Reading:
    """What has been read so far; `texts` are (number of the message, is HTML, text) in their order."""

    hint: str
    problems: list[Problem]
    texts: list[tuple[int, bool, str]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)

    def header(self, part: mime.Part, name: str) -> str:
        decoded = decode_header(mime.header(part, name), self.hint)
        self._note(Problem.UNKNOWN_CHARSET, when=decoded.guessed)
        return decoded.text

    def addresses(self, part: mime.Part, *names: str) -> tuple[str, ...]:
        found: list[str] = []
        for name in names:
            for value in part.get_all(name, []):
                found += _ADDRESS.findall(decode_header(str(value), self.hint).text)
        return tuple(dict.fromkeys(address.lower() for address in found))

    def sender(self, part: mime.Part) -> str:
        """The address in angle brackets, for a display name may look like an address; else what there is."""
        written = self.header(part, "from")
        found = _ADDRESS.findall(written[written.rfind("<") + 1 :]) or _ADDRESS.findall(written)
        return (found[0].lower() if found else written)[:_LONGEST_ADDRESS]

    def read(self, part: mime.Part, number: int, *, max_attachment_bytes: int) -> None:
        """Take one leaf as text, as a file, or as both: a named text that is not said to be an attachment."""
        content, damaged = mime.content(part)
        self._note(Problem.BROKEN_MIME, when=bool(part.defects))
        name, guessed = mime.filename(part, hint=self.hint)
        self._note(Problem.UNKNOWN_CHARSET, when=guessed)
        attached = mime.header(part, "content-disposition").strip().lower().startswith("attachment")
        is_text = part.get_content_maintype() in {"text", "multipart"} and not attached
        if is_text:
            self._read_text(content, part, number)
        if name or not is_text:
            one = attachment(
                name,
                content,
                declared_type=part.get_content_type(),
                max_bytes=max_attachment_bytes,
                number=len(self.attachments) + 1,
            )
            if damaged and one.problem is None:
                one = replace(one, problem=Problem.BROKEN_MIME)
            is_shown = part.get_content_maintype() == "image" and bool(mime.header(part, "content-id"))
            self.attachments.append(replace(one, is_inline=is_shown and not attached))

    def shown_text(self) -> str:
        """The plain text of each message, or its HTML as text where it has no plain text."""
        with_plain = {number for number, is_html, text in self.texts if not is_html and text.strip()}
        shown = (text for number, is_html, text in self.texts if not (is_html and number in with_plain))
        return "\n\n".join(text.strip() for text in shown if text.strip())

    def _read_text(self, content: bytes, part: mime.Part, number: int) -> None:
        is_html = part.get_content_subtype() == "html"
        decoded = decode(content, mime.charset(part) or (_declared_inside(content) if is_html else ""))
        self._note(Problem.UNKNOWN_CHARSET, when=decoded.guessed)
        longest = _LONGEST_MARKUP if is_html else _LONGEST_TEXT
        self._note(Problem.TEXT_CUT, when=len(decoded.text) > longest)
        text = decoded.text[:longest]
        self.texts.append((number, is_html, clean(text_of(text)) if is_html else text))

    def _note(self, problem: Problem, *, when: bool) -> None:
        if when:
            self.problems.append(problem)


def _body_charset(tree: mime.Tree) -> str:
    """What the text of the mail says it is written in: raw 8-bit headers and file names are in that, too."""
    charsets = (mime.charset(part) for part, _ in tree.leaves if part.get_content_maintype() == "text")
    return next((name for name in charsets if name), "")


def _declared_inside(markup: bytes) -> str:
    found = re.search(rb"charset=[\"']?([\w.:-]{1,40})", markup[:2048], re.IGNORECASE)
    return found[1].decode("ascii", "replace") if found else ""


def _source_id(raw: bytes, message: mime.Part) -> str:
    """Join the Message-ID and a hash of what the sender wrote.

    Relays add headers and change line ends; some devices send every mail under one Message-ID.
    """
    message_id = clean(mime.header(message, "message-id")).strip(" <>\n")
    _, _, body = raw.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    written = [
        mime.header(message, name).encode("utf-8") for name in ("message-id", "from", "date", "subject")
    ]
    digest = hashlib.sha256(b"\0".join([*written, body.rstrip()])).hexdigest()
    return f"{message_id[:_LONGEST_MESSAGE_ID] or 'no-message-id'}:{digest}"
