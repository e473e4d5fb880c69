"""Bytes under any label, headers in any writing and HTML become plain text that can be stored and shown."""

import pytest
from hypothesis import given, strategies as st

from referrals.intake.charsets import decode, decode_header
from referrals.intake.markup import text_of

HEBREW, RUSSIAN, ARABIC = "צילום של דנה לוי", "Снимок готов, Иванова Анна", "صورة المريض محمد علي"


@pytest.mark.parametrize(
    ("text", "codec", "label", "guessed"),
    [
        (HEBREW, "iso8859-8", "iso-8859-8-i", False),
        (HEBREW, "iso8859-8", "ISO-8859-8-E", False),
        (HEBREW, "iso8859-8", '"x-mac-hebrew"', False),
        (HEBREW, "cp1255", "x-windows-1255", False),
        (HEBREW, "cp862", "dos-862", False),
        (HEBREW, "utf-8", "", False),
        (HEBREW, "cp1255", "", True),
        (HEBREW, "cp1255", "utf-8", True),
        (HEBREW, "cp1255", "us-ascii", True),
        (HEBREW, "utf-8", "x-unknown", True),
        ("plain", "ascii", "x-unknown", False),
        (RUSSIAN, "cp1251", "win-1251", False),
        (RUSSIAN, "koi8-r", "koi8", False),
        (RUSSIAN, "cp1251", "", True),
        (RUSSIAN, "koi8-r", "", True),
        (RUSSIAN.lower(), "cp1251", "", True),
        (RUSSIAN.lower(), "koi8-r", "", True),
        (ARABIC, "iso8859-6", "iso-8859-6-i", False),
        (ARABIC, "cp1256", "", True),
        ("“quoted”", "cp1252", "iso-8859-1", False),
    ],
)
def test_charset_is_known_or_guessed(text: str, codec: str, label: str, *, guessed: bool) -> None:
    decoded = decode(text.encode(codec), label)
    assert (decoded.text, decoded.guessed) == (text, guessed)


def test_one_spoilt_letter_does_not_change_the_charset() -> None:
    decoded = decode(HEBREW.encode() + b"\xff", "utf-8")
    assert (decoded.text, decoded.guessed) == (HEBREW + "\ufffd", True)


@pytest.mark.parametrize(
    "label", ["hex", "base64", "rot13", "idna", "unicode_escape", "undefined", "a" * 99, "é", "\x00"]
)
def test_codec_that_is_no_charset_is_not_used(label: str) -> None:
    assert decode(b"+AOk- ff", label).text == "+AOk- ff"


@given(
    st.binary(),
    st.text(max_size=12) | st.sampled_from(["utf-7", "utf-16", "cp1255", "iso-2022-jp", "big5", "charmap"]),
)
def test_any_bytes_under_any_label_become_text_that_can_be_stored(content: bytes, label: str) -> None:
    text = decode(content, label).text
    assert "\x00" not in text
    assert text.encode("utf-8").decode("utf-8") == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?iso-8859-8-i?Q?=E3=F0=E4?= Levi", "דנה Levi"),
        ("=?utf-8?q?=D7?=\r\n =?utf-8?q?=93?=", "ד"),
        ("=?utf-8?B?15M?= =?windows-1255?B?8A==?=", "דנ"),
        ("Fwd: =?UTF-8*he?q?=D7=93?=: x", "Fwd: ד: x"),
        ("a\r\n\tb", "a b"),
        ("=?utf-8?q?a", "=?utf-8?q?a"),
        ("a =?= b", "a =?= b"),
    ],
)
def test_header_is_decoded(raw: str, text: str) -> None:
    assert decode_header(raw).text == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<tr><td>Patient</td><td>Dana</td></tr>", "Patient\tDana"),
        ("a<br>b<style>p {x < y}</style><script>1 < 2</script>c", "a\nbc"),
        ("3 < 5 &amp; 5 > 3", "3 < 5 & 5 > 3"),
        ("a<!-- hidden -->b", "ab"),
        ("<p", ""),
        ("R-7K3M<wbr>9QXY", "R-7K3M9QXY"),
    ],
)
def test_markup_becomes_its_words(markup: str, text: str) -> None:
    assert text_of(markup) == text
