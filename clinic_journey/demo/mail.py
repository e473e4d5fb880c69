"""What the imaging institute of the demo sends, a real e-mail with a real PDF; and what it hands out as a picture."""

import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from math import cos, pi, sin
from uuid import uuid4

from django.conf import settings

TEETH, TOOTH = 14, (22, 42)  # how many stand in a row, and how wide and high one is drawn
FONTS = b"<< /Font << /F1 5 0 R >> >>"


def teeth() -> Iterator[tuple[int, int]]:
    """Where each is drawn on a page: its lower left corner, in points."""
    for row, sign in ((455, 1), (400, -1)):
        for tooth in range(TEETH):
            angle = pi * (tooth + 0.5) / TEETH
            x, y = 297 - 210 * cos(angle), row - sign * 55 * sin(angle) + sign * 30
            yield round(x - 11), round(min(y, y + sign * TOOTH[1]))


def panoramic_png() -> bytes:
    """The same row of teeth as a picture in shades of grey, as somebody photographs it."""
    width, height, (left, top) = 515, 330, (40, 590)  # of the page's dark part
    rows = [bytearray(b"\x21" * width) for _row in range(height)]
    for x, y in teeth():
        for row in range(top - y - TOOTH[1], top - y):
            rows[row][x - left : x - left + TOOTH[0]] = b"\xde" * TOOTH[0]
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0),  # eight bits of grey
        b"IDAT": zlib.compress(b"".join(b"\0" + row for row in rows)),
        b"IEND": b"",
    }
    framed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def panoramic_pdf(code: str) -> bytes:
    """A one-page PDF with a drawn row of teeth; small, valid, and readable by every viewer."""
    drawing = ["0.12 0.13 0.16 rg 40 260 515 330 re f", "0.85 0.87 0.9 rg"]
    drawing += [f"{x} {y} {TOOTH[0]} {TOOTH[1]} re f" for x, y in teeth()]
    drawing += ["BT /F1 18 Tf 0 g 40 640 Td (Carmel Imaging - panoramic image) Tj ET"]
    drawing += [f"BT /F1 12 Tf 40 615 Td (Referral {code}) Tj ET"]
    stream = zlib.compress("\n".join(drawing).encode("ascii"))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % FONTS,
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    pdf = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(pdf)
    pdf += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    pdf += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return pdf + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def institute_mail(*, to: str, code: str, patient: str, now: datetime) -> bytes:
    """The mail as the institute always sent it: the code in the subject, the image attached."""
    mail = EmailMessage()
    mail["From"] = "Carmel Imaging <results@carmel-imaging.example>"
    mail["To"] = to
    mail["Subject"] = f"{code} {patient}"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain="carmel-imaging.example")
    mail.set_content(f"Attached: panoramic image for referral {code}.\n")
    mail.add_attachment(panoramic_pdf(code), maintype="application", subtype="pdf", filename=f"{code}.pdf")
    return mail.as_bytes()


def drop_into_inbox(mail: bytes) -> None:
    """As a mail server leaves it in a Maildir: whole, in one step."""
    inbox = settings.MAILBOX_MAILDIR
    for folder in ("tmp", "new", "cur"):
        (inbox / folder).mkdir(parents=True, exist_ok=True)
    name = f"{uuid4().hex}.eml"
    (inbox / "tmp" / name).write_bytes(mail)
    (inbox / "tmp" / name).rename(inbox / "new" / name)
