"""A file that an institute sent through the link printed on the referral. The link is the code."""

import hashlib

from referrals.intake.base import Parsed, all_problems, find_codes
from referrals.intake.charsets import clean
from referrals.intake.claims import claim_from
from referrals.intake.sniff import attachment


def parse(
    filename: str,
    content: bytes,
    *,
    code: str,
    max_attachment_bytes: int,
    declared_type: str = "",
    note: str = "",
) -> Parsed:
    """Read one uploaded file. Sent twice for one referral it is the same document, whatever it is called."""
    file = attachment(filename, content, declared_type=declared_type, max_bytes=max_attachment_bytes)
    codes = find_codes(code)
    text = clean(note)
    digest = hashlib.sha256("\n".join(codes).encode() + b"\0" + content).hexdigest()
    return Parsed(
        source_id=f"{codes[0] if codes else 'no-code'}:{digest}",
        sender="",
        recipients=(),
        subject=file.filename,
        text=text,
        codes=codes,
        claim=claim_from(text),
        attachments=(file,),
        problems=all_problems((), (file,)),
    )
