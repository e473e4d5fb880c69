"""Bytes that claim a charset, or claim none, as text. Never fails; says when it had to guess."""

import base64
import codecs
import quopri
import re
from dataclasses import dataclass

# Labels that mail programs write and Python does not know.
_ALIASES = {
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso8859-8-i": "iso-8859-8",
    "csiso88598i": "iso-8859-8",
    "csiso88598e": "iso-8859-8",
    "visual": "iso-8859-8",
    "logical": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "iso-8859-6-e": "iso-8859-6",
    "csiso88596i": "iso-8859-6",
    "csiso88596e": "iso-8859-6",
    "koi8": "koi8-r",
    "koi": "koi8-r",
    "koi8-ru": "koi8-u",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
}
_CODE_PAGE = re.compile(r"(?:x-)?(?:windows|win|microsoft|ansi|dos|ibm|oem|cp|microsoft-cp)[-_]?(\d{3,4})")
# Windows mail calls its code pages by the ISO names; the letters are the same, its punctuation is more.
_AS_WINDOWS = {"iso8859-1": "cp1252", "iso8859-8": "cp1255", "iso8859-9": "cp1254"}
_MAC_HEBREW = frozenset({"x-mac-hebrew", "mac-hebrew", "machebrew", "x-mac-hebrew-i"})
# Mac Hebrew repeats ASCII punctuation and digits at A0-BF for right-to-left runs; its letters sit as in 1255.
_MAC_RIGHT_TO_LEFT = bytes.maketrans(bytes(range(0xA0, 0xC0)), bytes(range(0x20, 0x40)))
# Codecs that are no charset of any mail; some are slow on purpose-made input.
_NOT_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs"})
_LABEL = re.compile(r"[a-z0-9][a-z0-9_:.+()-]{0,39}")

_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bq])\?([^?\n]*)\?=", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# Five Hebrew letters have another form at the end of a word; inside a word it is some other alphabet.
_FINAL_INSIDE_WORD = re.compile("[ךםןףץ][א-ת]")
_HEBREW_BYTES = re.compile(rb"[\x00-\x7f\xa0\xe0-\xfa]*")
_COMMON_RUSSIAN = re.compile("[оаеинтс]", re.IGNORECASE)
_CAPITAL_INSIDE_WORD = re.compile("[а-яё][А-ЯЁ]")


@dataclass(frozen=True)
class Decoded:
    text: str
    guessed: bool


def decode(content: bytes, label: str = "") -> Decoded:
    """Decode by the label if it is known and true, else as UTF-8, else by the look of the bytes."""
    name = label.strip(" \t\"'").lower()
    if name in _MAC_HEBREW:
        content, name = content.translate(_MAC_RIGHT_TO_LEFT), "cp1255"
    codec = _codec(name)
    text = _strictly(content, codec) if codec else None
    if text is not None:
        return Decoded(clean(text), guessed=False)
    text = _strictly(content, "utf-8")
    if text is not None:
        # ASCII and true UTF-8 cannot be mistaken for anything; an unknown label is reported all the same.
        return Decoded(clean(text), guessed=bool(name) and not codec and not text.isascii())
    lossy = content.decode(codec or "ascii", "replace")
    lost = lossy.count("\ufffd")
    # A few spoilt letters in a text that otherwise fits its label, or a label that is simply untrue.
    if lost * 2 < sum(not sign.isascii() for sign in lossy):
        return Decoded(clean(lossy), guessed=True)
    return Decoded(clean(_guess(content)), guessed=True)


def decode_header(raw: str, hint: str = "") -> Decoded:
    """Decode a header parsed as Latin-1: encoded words, and raw bytes in the body's charset (`hint`).

    Encoded words that follow each other are joined before decoding: senders cut them inside a letter.
    """
    raw = re.sub(r"\r?\n[ \t]*|\r", " ", raw)
    pieces: list[tuple[bytes, str]] = []
    end = 0
    for match in _ENCODED_WORD.finditer(raw):
        between, label = raw[end : match.start()], match[1].partition("*")[0].lower()
        if pieces and pieces[-1] == (b"", "") and not between.strip():
            pieces.pop()
            between = ""
        if between:
            pieces.append((between.encode("latin-1", "replace"), ""))
        word = _word_bytes(match[2], match[3])
        if pieces and pieces[-1][1] == label:
            word = pieces.pop()[0] + word
        # The empty piece says "an encoded word came last": white space before the next one is not text.
        pieces += [(word, label), (b"", "")]
        end = match.end()
    pieces.append((raw[end:].encode("latin-1", "replace"), ""))
    decoded = [decode(piece, label or _raw_label(piece, hint)) for piece, label in pieces]
    text = " ".join("".join(part.text for part in decoded).split())
    return Decoded(text, guessed=any(part.guessed for part in decoded))


def clean(text: str) -> str:
    """Drop what no database stores and no screen shows: NUL, other control signs, halves of letter pairs."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return _UNSTORABLE.sub(lambda match: "\ufffd" if match[0] >= "\ud800" else " ", text)


def _codec(name: str) -> str:
    """Python's name for the charset, or nothing if there is no such charset."""
    if not _LABEL.fullmatch(name):
        return ""
    page = _CODE_PAGE.fullmatch(name)
    name = _ALIASES.get(name, f"cp{page[1]}" if page else name)
    try:
        found = codecs.lookup(name).name
        # "base64" and "rot13" are codecs too; only a charset decodes bytes to text.
        _strictly(b" ", found)
    except LookupError:
        return ""
    return "" if found in _NOT_CHARSETS else _AS_WINDOWS.get(found, found)


def _strictly(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except UnicodeError:
        return None


def _raw_label(piece: bytes, hint: str) -> str:
    """Raw bytes that are true UTF-8 are UTF-8, whatever the body says of itself."""
    return hint if _strictly(piece, "utf-8") is None else ""


def _guess(content: bytes) -> str:
    """Hebrew if only its letters occur; Russian where words look Russian; else Arabic."""
    hebrew = content.decode("cp1255", "replace")
    if _HEBREW_BYTES.fullmatch(content) and not _FINAL_INSIDE_WORD.search(hebrew):
        return hebrew
    readings = [content.decode(house, "replace") for house in ("cp1251", "koi8-r")]
    turns = [len(_CAPITAL_INSIDE_WORD.findall(reading)) for reading in readings]
    # Arabic read as Russian has capitals in the middle of its words, in either code page.
    if min(turns) * 2 >= len(content.split()):
        return content.decode("cp1256", "replace")
    scores = [
        len(_COMMON_RUSSIAN.findall(text)) - 2 * turn for text, turn in zip(readings, turns, strict=True)
    ]
    return readings[scores.index(max(scores))]


def _word_bytes(encoding: str, body: str) -> bytes:
    data = body.encode("latin-1", "replace")
    if encoding.lower() == "q":
        return quopri.decodestring(data, header=True)
    return from_base64(data)


def from_base64(data: bytes) -> bytes:
    """Decode what there is, past foreign signs and a missing end."""
    data = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    # A lone last sign cannot be a byte; missing padding is common and harmless.
    data = data[: len(data) - (len(data) % 4 == 1)]
    return base64.b64decode(data + b"=" * (-len(data) % 4))
