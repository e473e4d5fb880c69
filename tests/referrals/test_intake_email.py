"""Mails nobody on the team wrote: each is read as far as it goes, and what is wrong with it is listed."""

from datetime import date
from pathlib import Path

import pytest

from patients.identity import Claim
from referrals.intake import PARSERS
from referrals.intake.base import Parsed, Problem
from referrals.intake.email import parse

SAMPLES = Path(__file__).parent.parent / "samples" / "mail"
CODE = ("R-7K3M9QXY",)
PDF, JPEG = "application/pdf", "image/jpeg"
BORN = date(1984, 3, 12)


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.eml").read_bytes()


def read(raw: bytes) -> Parsed:
    return parse(raw, max_attachment_bytes=10_000)


def files(parsed: Parsed) -> list[tuple[str, str, Problem | None]]:
    return [(file.filename, file.sniffed_type, file.problem) for file in parsed.attachments]


def test_hebrew_mail_is_read_completely() -> None:
    parsed = read(sample("hebrew-iso-8859-8-i-pdf"))
    assert parsed.sender == "scans@tzilum.example"
    assert parsed.recipients == ("results+r7k3m9qxy@alon.example",)
    assert parsed.subject == "צילום פנורמי - דנה לוי"
    assert parsed.text.splitlines()[:2] == ["שלום רב,", "מצורף צילום פנורמי."]
    assert parsed.codes == CODE
    # The institute's company number (with a valid check digit) and telephone are not the patient's ID.
    assert parsed.claim == Claim(
        names=("צילום פנורמי - דנה לוי", "דנה לוי"),
        birth_dates=(BORN,),
        national_ids=("123456782",),
        other_dates=(date(2026, 3, 8),),
    )
    assert files(parsed) == [("צילום פנורמי.pdf", PDF, None)]
    assert parsed.attachments[0].content.startswith(b"%PDF-1.4")
    assert parsed.problems == ()


@pytest.mark.parametrize(
    ("name", "subject", "found", "problems"),
    [
        ("arabic-iso-8859-6-i", "صورة بانوراما", [("report.pdf", PDF, None)], ()),
        ("hebrew-mac", "צילום", [("pano.jpg", JPEG, None)], ()),
        ("windows-1255-raw-headers", "צילום של דנה לוי", [("דנה לוי.jpg", JPEG, None)], ()),
        ("russian-koi8-r", "Снимок: Иванова Анна Петровна", [("снимок.png", "image/png", None)], ()),
        (
            "russian-cp1251-raw",
            "Снимок Иванова Анна 01.07.1990 г.р.",
            [("pano.tif", "image/tiff", None)],
            (Problem.UNKNOWN_CHARSET,),
        ),
        ("unknown-charset", "Снимок", [("a.jpg", JPEG, None)], (Problem.UNKNOWN_CHARSET,)),
        (
            "outlook-octet-stream-pdf",
            "RE: R-7k3m9qxy panoramic image",
            [("Report Dana Levi.pdf", PDF, None)],
            (),
        ),
        ("inline-image-only", "R-7K3M9QXY", [("file-1.jpg", JPEG, None)], ()),
        ("forwarded-rfc822", "Fwd: images", [("pano.pdf", PDF, None)], ()),
        ("forwarded-base64-eml", "Fwd: images", [("pano.pdf", PDF, None)], ()),
        ("forwarded-eml-file", "Fwd: images", [("pano.pdf", PDF, None)], ()),
        (
            "winmail-dat",
            "Report R-7K3M9QXY",
            [("winmail.dat", "application/ms-tnef", Problem.WINMAIL)],
            (Problem.WINMAIL,),
        ),
        (
            "multipart-without-boundary",
            "R-7K3M9QXY",
            [("pano.pdf", PDF, None)],
            (Problem.BROKEN_MIME,),
        ),
        (
            "multipart-without-any-boundary",
            "R-7K3M9QXY",
            [],
            (Problem.BROKEN_MIME, Problem.NO_ATTACHMENT),
        ),
        ("truncated", "R-7K3M9QXY", [("pano.pdf", PDF, Problem.BROKEN_MIME)], (Problem.BROKEN_MIME,)),
        (
            "rlo-filename",
            "R-7K3M9QXY",
            [("xrayfdp.exe", "application/x-dosexec", Problem.UNSUPPORTED_TYPE)],
            (Problem.UNSUPPORTED_TYPE,),
        ),
        ("path-filename", "R-7K3M9QXY", [("pano.jpg", JPEG, None), ("report.pdf", PDF, None)], ()),
        (
            "eight-bit-filename",
            "R-7K3M9QXY",
            [("Снимок зуба.jpg", JPEG, None), ("צילום.jpg", JPEG, None)],
            (),
        ),
        (
            "empty-attachment",
            "R-7K3M9QXY",
            [("pano.pdf", "application/octet-stream", Problem.EMPTY_ATTACHMENT)],
            (Problem.EMPTY_ATTACHMENT,),
        ),
        (
            "jpeg-named-pdf",
            "R-7K3M9QXY",
            [("pano.pdf", JPEG, Problem.TYPE_MISMATCH)],
            (Problem.TYPE_MISMATCH,),
        ),
        (
            "dicom-without-name",
            "R-7K3M9QXY",
            [("1.2.840.113619.2.55.3", "application/dicom", None), ("file-2.dcm", "application/dicom", None)],
            (),
        ),
        ("html-only", "תוצאות", [], (Problem.NO_ATTACHMENT,)),
        ("nobody", "Spring sale on imaging plates", [], (Problem.NO_ATTACHMENT,)),
    ],
)
def test_sample_is_read_and_its_problems_are_listed(
    name: str,
    subject: str,
    found: list[tuple[str, str, Problem | None]],
    problems: tuple[Problem, ...],
) -> None:
    parsed = read(sample(name))
    assert (parsed.subject, files(parsed), parsed.problems) == (subject, found, problems)


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        (
            "arabic-iso-8859-6-i",
            Claim(("صورة بانوراما", "فاطمة حداد"), (date(1991, 1, 2),), ("000000018",)),
        ),
        (
            "russian-koi8-r",
            Claim(
                ("Снимок: Иванова Анна Петровна", "Иванова Анна Петровна"),
                (date(1990, 7, 1),),
                other_dates=(date(2026, 3, 8),),
            ),
        ),
        ("html-only", Claim(("תוצאות", "דנה לוי"), (BORN,))),
        ("forwarded-rfc822", Claim(("Fwd: images", "דנה לוי 12.03.1984"), other_dates=(BORN,))),
        ("nobody", Claim(("Spring sale on imaging plates",), other_dates=(date(2026, 3, 31),))),
        # "our exam 123456782" is not an ID although its check digit fits.
        ("outlook-octet-stream-pdf", Claim(("RE: R-7k3m9qxy panoramic image",), (BORN,))),
    ],
)
def test_sample_says_whom_it_is_about(name: str, claim: Claim) -> None:
    assert read(sample(name)).claim == claim


def test_forwarded_mail_keeps_the_code_of_the_address_it_was_first_sent_to() -> None:
    parsed = read(sample("forwarded-rfc822"))
    assert parsed.codes == CODE
    assert parsed.recipients == ("desk@alon.example",)
    assert parsed.text == "Came to my own mailbox, see below.\n\nצילום מצורף"


def test_mail_for_nobody_has_no_code() -> None:
    assert read(sample("nobody")).codes == ()


def test_right_to_left_digits_of_old_macintosh_mail_are_digits() -> None:
    assert read(sample("hebrew-mac")).text == "שלום דנה\n12345"


def test_oversized_attachment_is_kept_with_its_bytes() -> None:
    parsed = parse(sample("jpeg-named-pdf"), max_attachment_bytes=100)
    assert parsed.problems == (Problem.OVERSIZED_ATTACHMENT,)
    assert len(parsed.attachments[0].content) == 134
    assert parsed.usable_attachments == ()


def test_usable_attachments_are_those_without_a_problem() -> None:
    raw = sample("path-filename").replace(b"pano.jpg", b"pano.png")
    assert [file.filename for file in read(raw).usable_attachments] == ["report.pdf"]


def test_display_name_that_looks_like_an_address_is_not_the_sender() -> None:
    raw = b'From: "desk@alon.example" <Other@Elsewhere.example>\n\nhello'
    assert read(raw).sender == "other@elsewhere.example"


def test_sender_without_an_address_is_shown_as_written() -> None:
    assert read(b"From: Fax machine\n\nhello").sender == "Fax machine"


def test_blind_copy_is_known_by_where_it_was_delivered() -> None:
    raw = b"To: undisclosed-recipients:;\nDelivered-To: results+r7k3m9qxy@alon.example\n\nhello"
    assert read(raw).codes == CODE


def test_named_text_in_line_is_read_and_kept_as_a_file() -> None:
    raw = b'Content-Type: text/plain; name="body.txt"\nContent-Disposition: inline\n\nR-7K3M9QXY'
    parsed = read(raw)
    assert parsed.codes == CODE
    assert files(parsed) == [("body.txt", "application/octet-stream", Problem.UNSUPPORTED_TYPE)]


def test_very_long_text_is_cut_and_the_cut_is_listed() -> None:
    parsed = read(b"Subject: x\n\n" + b"R-7K3M9QXY " + b"a" * 300_000)
    assert (len(parsed.text), parsed.codes) == (200_000, CODE)
    assert parsed.problems == (Problem.TEXT_CUT, Problem.NO_ATTACHMENT)


def test_mail_that_comes_twice_by_two_ways_has_one_source_id() -> None:
    raw = sample("forwarded-rfc822")
    other_way = b"Received: from elsewhere\r\nX-Spam: no\r\n" + raw
    ids = {read(one).source_id for one in (raw, other_way, raw.replace(b"\r\n", b"\n"), raw + b"\r\n")}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Patient: Dana Levi", b"Patient: Noa Levi"),
        (b"Subject: R-7K3M9QXY", b"Subject: R-7K3M9QXZ"),
        (b"From: ", b"From: another "),
        (b"Date: Sun, 8", b"Date: Mon, 9"),
    ],
)
def test_different_mail_under_the_same_message_id_has_another_source_id(before: bytes, after: bytes) -> None:
    raw = sample("multipart-without-boundary")
    assert before in raw
    assert read(raw.replace(before, after)).source_id != read(raw).source_id


def test_mail_without_a_message_id_has_a_source_id() -> None:
    first, second = read(b"Subject: a\n\nx").source_id, read(b"Subject: b\n\nx").source_id
    assert first.startswith("no-message-id:")
    assert first != second


def test_email_is_a_registered_format() -> None:
    assert PARSERS["email"](sample("nobody"), max_attachment_bytes=1).attachments == ()
