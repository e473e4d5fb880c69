"""What institutes send, as bytes. Plain functions that make one mail each."""

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
) -> bytes:
    made = EmailMessage()
    made["From"] = "Carmel Imaging <desk@imaging.example>"
    made["To"] = to
    made["Subject"] = subject
    made["Date"] = "Mon, 09 Mar 2026 09:58:00 +0200"
    made["Message-ID"] = message_id
    made.set_content(text)
    if file is not None:
        made.add_attachment(file, maintype="application", subtype="pdf", filename=filename)
    return made.as_bytes()
