"""A file that came with a message to the clinic, as a messenger handed it out."""

import hashlib

from referrals.intake.base import Parsed, all_problems
from referrals.intake.claims import claim_from
from referrals.intake.sniff import IN_MESSAGES, attachment


def parse(filename: str, content: bytes, *, max_attachment_bytes: int) -> Parsed:
    """Read one file. It says nothing of whom it is about: a person has the words it came with."""
    file = attachment(
        filename, content, declared_type="", max_bytes=max_attachment_bytes, allowed=IN_MESSAGES
    )
    return Parsed(
        source_id=hashlib.sha256(content).hexdigest(),
        sender="",
        recipients=(),
        subject=file.filename,
        text="",
        codes=(),
        claim=claim_from(""),
        attachments=(file,),
        problems=all_problems((), (file,)),
    )
