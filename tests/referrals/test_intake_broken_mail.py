"""Mail that is hostile or was damaged on the way: never a crash, never a text that no database takes."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st

from referrals.intake.base import Parsed, Problem
from referrals.intake.email import parse

SAMPLES = sorted((Path(__file__).parent.parent / "samples" / "mail").glob("*.eml"))
CODE = ("R-7K3M9QXY",)


def read(raw: bytes) -> Parsed:
    return parse(raw, max_attachment_bytes=10_000)


def texts(parsed: Parsed) -> list[str]:
    return [
        parsed.source_id,
        parsed.sender,
        *parsed.recipients,
        parsed.subject,
        parsed.text,
        *parsed.codes,
        *parsed.claim.names,
        *parsed.claim.national_ids,
        *(text for file in parsed.attachments for text in (file.filename, file.declared_type)),
    ]


def nested(levels: int) -> bytes:
    head = 'Content-Type: multipart/mixed; boundary="b{0}"\r\n\r\n--b{0}\r\n'
    inside = "Content-Type: application/pdf\r\n\r\n%PDF-1.4\r\n"
    return (
        b"Subject: R-7K3M9QXY\r\n" + "".join(head.format(n) for n in range(levels)).encode() + inside.encode()
    )


def test_fifteen_hundred_nested_multiparts_keep_their_headers_and_the_worker() -> None:
    parsed = read(nested(1500))
    assert parsed.codes == CODE
    assert parsed.problems == (Problem.TOO_DEEP, Problem.NO_ATTACHMENT)


def test_honest_nesting_is_opened() -> None:
    parsed = read(nested(20))
    assert [file.filename for file in parsed.usable_attachments] == ["file-1.pdf"]
    assert parsed.problems == (Problem.BROKEN_MIME,)


def test_mail_inside_mail_inside_mail_has_an_end() -> None:
    parsed = read(b"Subject: R-7K3M9QXY\n" + b"Content-Type: message/rfc822\n\n" * 1500)
    assert (parsed.codes, parsed.problems) == (CODE, (Problem.TOO_DEEP, Problem.NO_ATTACHMENT))


def test_parts_beyond_five_hundred_are_left_to_the_original() -> None:
    part = b"--b\nContent-Type: image/jpeg\n\n\xff\xd8\xff\n"
    parsed = read(b"Content-Type: multipart/mixed; boundary=b\n\n" + part * 600 + b"--b--\n")
    assert len(parsed.attachments) == 500
    assert parsed.problems == (Problem.TOO_MANY_PARTS,)


def test_a_hundred_thousand_parts_are_not_even_opened() -> None:
    parsed = read(
        b"Subject: R-7K3M9QXY\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000
    )
    assert (parsed.codes, parsed.problems) == (CODE, (Problem.TOO_MANY_PARTS, Problem.NO_ATTACHMENT))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"\x00",
        b"\xff\xfe\x00",
        b"Subject",
        b"Subject: \x00\x85\n\n\x00",
        b"Subject: =?utf-8?b?4?=\n\n",
        b"Subject: =?utf-7?q?+2AA-?=\n\n",
        b"Content-Type: text/plain; charset=hex\n\nff",
        b"Content-Type: text/plain; charset*=x''%\n\nff",
        b'Content-Type: text/plain; charset="\xff"\n\n\xff',
        b"Content-Type: multipart/mixed; boundary\n\n--\n",
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n!!!!",
        b"Content-Type: message/partial\n\n",
        b"Content-Type: message/delivery-status\n\na: b\n\n\n\nc: d\n",
        b"Content-Disposition: attachment; filename*0*=a; filename*x=b\n\n",
        b"Content-Type: /; name=\n\n",
        b"Content-Transfer-Encoding: uuencode\n\nbegin 666\n\xff",
        b"Message-ID: " + b"<a@b>" * 1000 + b"\n\n",
        b"From: " + b"x" * 5000 + b"\n\n",
    ],
)
def test_fragment_is_read_without_a_crash(raw: bytes) -> None:
    parsed = read(raw)
    assert Problem.NO_ATTACHMENT in parsed.problems or parsed.attachments
    assert_storable(parsed)


def assert_storable(parsed: Parsed) -> None:
    """Every text fits its column, and both databases take it."""
    for text in texts(parsed):
        assert "\x00" not in text
        assert text.encode("utf-8").decode("utf-8") == text
    assert len(parsed.source_id) <= 255
    assert len(parsed.sender) <= 254
    assert len(parsed.subject) <= 500
    for file in parsed.attachments:
        assert 0 < len(file.filename) <= 255
        assert len(file.declared_type) <= 100
        assert not set(file.filename) & set("/\\\u202e\n\r")


@given(st.binary(max_size=2000))
@settings(max_examples=300)
def test_any_bytes_are_read_without_a_crash(raw: bytes) -> None:
    assert_storable(read(raw))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real mail with some of it lost, doubled or overwritten on the way."""
    raw = bytearray(draw(st.sampled_from(SAMPLES)).read_bytes())
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(raw)))
        until = min(len(raw), at + draw(st.integers(0, 40)))
        mark = draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from(
                    [bytes(raw[at:until]) * 2, b"\r\n", b"\r\n\r\n", b'"', b";", b"--", b"=?", b"*0*="]
                ),
            )
        )
        raw[at:until] = mark
    return bytes(raw)


@given(mutated())
@settings(max_examples=400)
@example(b"Content-Type: multipart/mixed; boundary==\n\n--=\n")
def test_damaged_mail_is_read_without_a_crash_and_always_alike(raw: bytes) -> None:
    parsed = read(raw)
    assert_storable(parsed)
    assert read(raw) == parsed
