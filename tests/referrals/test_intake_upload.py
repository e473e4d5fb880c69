"""Files sent through the link on the referral: what they really are, and a name that is safe to keep."""

import pytest
from hypothesis import given, strategies as st

from patients.identity import Claim
from referrals.intake.base import Parsed, Problem
from referrals.intake.sniff import attachment, safe_filename, sniff
from referrals.intake.upload import parse

PDF, JPEG, PNG, TIFF, DICOM = (
    b"%PDF-1.7\n",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"II*\x00",
    bytes(128) + b"DICM",
)
CODE = "R-7K3M9QXY"


def upload(filename: str = "pano.pdf", content: bytes = PDF, *, code: str = CODE, note: str = "") -> Parsed:
    return parse(filename, content, code=code, max_attachment_bytes=1000, note=note)


def test_upload_carries_the_code_of_its_link() -> None:
    parsed = upload(code="r7k3m9qxy")
    assert (parsed.codes, parsed.subject, parsed.problems) == ((CODE,), "pano.pdf", ())
    assert parsed.attachments[0].content == PDF
    assert parsed.claim == Claim()


def test_note_may_say_that_it_is_about_somebody_else() -> None:
    parsed = upload(note="Wrong patient!\x00 ID 123456782, see R-22222222")
    assert parsed.text == "Wrong patient!  ID 123456782, see R-22222222"
    assert parsed.claim == Claim(national_ids=("123456782",))
    assert parsed.codes == (CODE,)


def test_same_file_sent_twice_for_one_referral_is_one_document() -> None:
    first = upload().source_id
    assert first.startswith(f"{CODE}:")
    assert upload("again.pdf").source_id == first
    assert upload(content=PDF + b"2").source_id != first
    assert upload(code="R-22222222").source_id != first


@pytest.mark.parametrize(
    ("filename", "content", "problem"),
    [
        ("pano.pdf", b"junk before " + PDF, None),
        ("pano.PDF", PDF, None),
        ("pano.jpeg", JPEG, None),
        ("pano.png", PNG, None),
        ("pano.tif", TIFF, None),
        ("pano.tiff", b"MM\x00*", None),
        ("pano.dcm", DICOM, None),
        ("1.2.840.113", DICOM, None),
        ("scan", JPEG, None),
        ("scan.001", PDF, None),
        ("pano.pdf", JPEG, Problem.TYPE_MISMATCH),
        ("pano.pdf", b"MZ\x90", Problem.TYPE_MISMATCH),
        ("pano.jpg", b"<html>", Problem.TYPE_MISMATCH),
        ("pano.exe", PDF, Problem.TYPE_MISMATCH),
        ("pano.doc", PDF, Problem.TYPE_MISMATCH),
        ("pano.dcm", b"no preamble", Problem.TYPE_MISMATCH),
        ("pano.zip", b"PK\x03\x04", Problem.UNSUPPORTED_TYPE),
        ("pano.docx", b"PK\x03\x04", Problem.UNSUPPORTED_TYPE),
        ("mail.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Problem.UNSUPPORTED_TYPE),
        ("pano.gif", b"GIF89a", Problem.UNSUPPORTED_TYPE),
        ("note.txt", b"hello", Problem.UNSUPPORTED_TYPE),
        ("unknown", b"hello", Problem.UNSUPPORTED_TYPE),
        ("winmail.dat", b"\x78\x9f\x3e\x22", Problem.WINMAIL),
        ("pano.pdf", b"", Problem.EMPTY_ATTACHMENT),
        ("pano.pdf", PDF + bytes(1000), Problem.OVERSIZED_ATTACHMENT),
    ],
)
def test_file_is_judged_by_its_bytes_and_kept(filename: str, content: bytes, problem: Problem | None) -> None:
    (file,) = upload(filename, content).attachments
    assert (file.problem, file.content) == (problem, content)


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ("image/jpeg", None),
        ("image/pjpeg", None),
        ("application/octet-stream", None),
        ("text/plain", None),
        ("application/pdf", Problem.TYPE_MISMATCH),
        ("application/x-pdf", Problem.TYPE_MISMATCH),
    ],
)
def test_declared_type_counts_where_the_name_says_nothing(declared: str, problem: Problem | None) -> None:
    assert attachment("scan", JPEG, declared_type=declared, max_bytes=99).problem == problem


def test_name_outweighs_the_declared_type() -> None:
    assert attachment("a.jpg", JPEG, declared_type="application/pdf", max_bytes=99).problem is None


@pytest.mark.parametrize(
    ("written", "safe"),
    [
        ("pano.pdf", "pano.pdf"),
        ("C:\\Scans\\pano.pdf", "pano.pdf"),
        ("../../etc/passwd", "passwd"),
        ("xray\u202efdp.exe", "xrayfdp.exe"),
        ("\u200fצילום של דנה.pdf", "צילום של דנה.pdf"),
        ("a\r\nb\x00.pdf", "a b .pdf"),
        ('a:b*"c"?.pdf', "a_b__c__.pdf"),
        ("..", ""),
        (".htaccess", "htaccess"),
        ("", ""),
        ("a" * 300 + ".pdf", "a" * 116 + ".pdf"),
    ],
)
def test_name_is_safe_to_store_and_to_show(written: str, safe: str) -> None:
    assert safe_filename(written) == safe


def test_file_without_a_name_gets_one_that_fits_its_bytes() -> None:
    assert attachment("/", PNG, declared_type="", max_bytes=99, number=3).filename == "file-3.png"


@given(st.text(max_size=400))
def test_any_name_becomes_a_short_one_without_a_path(text: str) -> None:
    name = safe_filename(text)
    assert len(name) <= 120
    assert not set(name) & set('/\\\n\r\x00\u202e<>"')
    assert safe_filename(name) == name


@given(st.text(), st.binary(), st.text())
def test_any_upload_is_read_and_kept(filename: str, content: bytes, note: str) -> None:
    parsed = upload(filename, content, note=note)
    (file,) = parsed.attachments
    assert (file.content, file.sniffed_type) == (content, sniff(content))
    assert parsed.problems == ((file.problem,) if file.problem else ())
