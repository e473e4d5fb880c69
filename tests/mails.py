"""What institutes send, as bytes. Plain functions that make one mail each."""

from collections.abc import Sequence
from email.message import EmailMessage

PDF = b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\ntrailer << >>\n%%EOF\n"


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
