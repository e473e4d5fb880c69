"""Files that people send from a phone: what they really are, and that no bytes at all break the reader."""

import pytest
from hypothesis import given, strategies as st

from patients.identity import Claim
from referrals.intake.base import Problem
from referrals.intake.message import parse
from referrals.intake.sniff import attachment

MP4 = b"\x00\x00\x00\x18ftyp"


@pytest.mark.parametrize(
    ("content", "kind", "name"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg", "file-1.jpg"),
        (b"%PDF-1.7\n", "application/pdf", "file-1.pdf"),
        (b"OggS\x00\x02", "audio/ogg", "file-1.ogg"),
        (b"#!AMR\n", "audio/amr", "file-1.amr"),
        (b"ID3\x04", "audio/mpeg", "file-1.mp3"),
        (b"\xff\xfb\x90", "audio/mpeg", "file-1.mp3"),
        (b"\xff\xf1\x50", "audio/aac", "file-1.aac"),
        (MP4 + b"M4A \x00", "audio/mp4", "file-1.m4a"),
        (MP4 + b"isom\x00", "video/mp4", "file-1.mp4"),
        (MP4 + b"mp42\x00", "video/mp4", "file-1.mp4"),
        (MP4 + b"3gp4\x00", "video/3gpp", "file-1.3gp"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp", "file-1.webp"),
    ],
)
def test_what_phones_send_is_accepted_by_its_bytes(content: bytes, kind: str, name: str) -> None:
    parsed = parse("", content, max_attachment_bytes=1000)
    (file,) = parsed.attachments
    assert (file.sniffed_type, file.filename, file.problem, parsed.problems) == (kind, name, None, ())
    assert (parsed.codes, parsed.claim, parsed.text) == ((), Claim(), "")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("letter.docx", b"PK\x03\x04", Problem.UNSUPPORTED_TYPE),
        ("", MP4 + b"heic", Problem.UNSUPPORTED_TYPE),
        ("scan.pdf", b"OggS\x00\x02", Problem.TYPE_MISMATCH),
        ("scan.pdf", b"MZ\x90", Problem.TYPE_MISMATCH),
        ("scan.pdf", b"", Problem.EMPTY_ATTACHMENT),
        ("scan.pdf", b"%PDF-" + bytes(1000), Problem.OVERSIZED_ATTACHMENT),
    ],
)
def test_what_is_wrong_with_it_is_said_and_it_is_kept(name: str, content: bytes, problem: Problem) -> None:
    parsed = parse(name, content, max_attachment_bytes=1000)
    assert (parsed.problems, parsed.attachments[0].content) == ((problem,), content)


def test_a_voice_message_is_no_result_of_an_institute() -> None:
    sent = attachment("a.ogg", b"OggS\x00\x02", declared_type="audio/ogg", max_bytes=1000)
    assert sent.problem == Problem.UNSUPPORTED_TYPE


@given(name=st.text(), content=st.binary())
def test_no_bytes_at_all_make_it_raise(name: str, content: bytes) -> None:
    parsed = parse(name, content, max_attachment_bytes=1000)
    assert parsed.attachments[0].filename
