"""What institutes send, as bytes. Plain functions that make one mail each."""

from collections.abc import Sequence
from email.message import EmailMessage

PDF = b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\ntrailer << >>\n%%EOF\n"


PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


def mail(
    *,
    to: str = "results@alon.example",
    subject: str = "Panoramic image",
    text: str = "The image is attached.",
    file: bytes | None = PDF,
    filename: str = "image.pdf",
    message_id: str = "<1@imaging.example>",
    more: Sequence[bytes] = (),
) -> bytes:
    made = EmailMessage()
    made["From"] = "Carmel Imaging <desk@imaging.example>"
    made["To"] = to
    made["Subject"] = subject
    made["Date"] = "Mon, 09 Mar 2026 09:58:00 +0200"
    made["Message-ID"] = message_id
    made.set_content(text)
    for content in (*([] if file is None else [file]), *more):
        made.add_attachment(content, maintype="application", subtype="pdf", filename=filename)
    if made.is_multipart():
        made.set_boundary("part-of-a-test-mail")  # else the same mail made twice is two mails
    return made.as_bytes()


def letter(
    text: str,
    *,
    sender: str = "dana@patients.example",
    subject: str = "Re: Your visit",
    to: str = "results@alon.example",
    answers: str = "",
    automatic: bool = False,
    message_id: str = "<letter-1@patients.example>",
    logo: bool = False,
) -> bytes:
    """What a patient writes; `answers` is the reference of the mail of ours it was written under."""
    made = EmailMessage()
    made["From"] = f"Dana Levi <{sender}>"
    made["To"] = to
    made["Subject"] = subject
    made["Message-ID"] = message_id
    if answers:
        made["In-Reply-To"] = f"<{answers}@clinic.example>"
    if automatic:
        made["Auto-Submitted"] = "auto-replied"
    made.set_content(text)
    if logo:
        made.add_alternative(f"<p>{text}</p><img src='cid:logo'>", subtype="html")
        made.get_payload()[1].add_related(PNG, "image", "png", cid="<logo>")  # type: ignore[union-attr, index]
        made.set_boundary("part-of-a-letter")
    return made.as_bytes()


def report(
    of: str, *, action: str = "failed", status: str = "5.1.1", with_headers_alone: bool = False
) -> bytes:
    """What a mail server says of a mail it could not hand on (RFC 3464)."""
    original = f"Message-ID: <{of}@clinic.example>\r\nSubject: Your visit\r\n"
    kind = "text/rfc822-headers" if with_headers_alone else "message/rfc822"
    rest = "" if with_headers_alone else "\r\nWords\r\n"
    return "\r\n".join(
        [
            "From: Mail Delivery System <mailer-daemon@mx.example>",
            "To: results@alon.example",
            "Subject: Undelivered Mail Returned to Sender",
            "Auto-Submitted: auto-replied",
            f"Message-ID: <report-{action}-{status}@mx.example>",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="part"',
            "",
            "--part",
            "Content-Type: text/plain",
            "",
            "I could not deliver it.",
            "--part",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example",
            "",
            "Final-Recipient: rfc822; dana@patients.example",
            f"Action: {action}",
            f"Status: {status}",
            "Diagnostic-Code: smtp; 550 no such user",
            "",
            "--part",
            f"Content-Type: {kind}",
            "",
            f"{original}{rest}--part--",
            "",
        ]
    ).encode()
