"""What a file really is, by its bytes; a name for it that is safe to store and to show."""

import re
from pathlib import PurePosixPath

from patients.identity import strip_invisible
from referrals.intake.base import Attachment, Problem
from referrals.intake.charsets import clean

PDF, JPEG, PNG, TIFF, DICOM = (
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "application/dicom",
)
ALLOWED = frozenset({PDF, JPEG, PNG, TIFF, DICOM})
OGG, AMR, MP3, AAC, M4A = "audio/ogg", "audio/amr", "audio/mpeg", "audio/aac", "audio/mp4"
MP4, MOBILE, WEBP = "video/mp4", "video/3gpp", "image/webp"
IN_MESSAGES = ALLOWED | {OGG, AMR, MP3, AAC, M4A, MP4, MOBILE, WEBP}  # what people send on a phone
LOOKED_AT = ALLOWED | {WEBP}  # what a doctor can look at
WINMAIL = "application/ms-tnef"
UNKNOWN = "application/octet-stream"
_ZIP, _OLE, _PROGRAM, _GIF = (
    "application/zip",
    "application/x-ole-storage",
    "application/x-dosexec",
    "image/gif",
)

_MAGIC = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"II+\x00", TIFF),
    (b"MM\x00+", TIFF),
    (b"GIF8", _GIF),
    (b"PK\x03\x04", _ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLE),
    (b"\x78\x9f\x3e\x22", WINMAIL),
    (b"MZ", _PROGRAM),
    (b"OggS", OGG),
    (b"#!AMR", AMR),
    (b"ID3", MP3),
    *((b"\xff" + version, MP3) for version in (b"\xfb", b"\xfa", b"\xf3", b"\xf2")),
    *((b"\xff" + version, AAC) for version in (b"\xf1", b"\xf9")),
)
# ISO base media (MP4 and its kin) say at byte 4 that they are, and then of which kind; pictures come in it, too.
_BRANDS = {b"M4A ": M4A, b"M4B ": M4A, b"3gp": MOBILE, b"iso": MP4, b"mp4": MP4, b"avc1": MP4}
# Readers accept junk before %PDF-, and scanners write some; DICOM has 128 free bytes before its mark.
_PDF_WITHIN = 1024
_DICOM_AT = 128
# What a name may honestly hold. An ending that is not here says nothing (DICOM files are named by number).
_ENDINGS = {
    "pdf": {PDF},
    "jpg": {JPEG},
    "jpeg": {JPEG},
    "jpe": {JPEG},
    "jfif": {JPEG},
    "png": {PNG},
    "tif": {TIFF},
    "tiff": {TIFF},
    "dcm": {DICOM},
    "dicom": {DICOM},
    "gif": {_GIF},
    "zip": {_ZIP},
    "docx": {_ZIP},
    "xlsx": {_ZIP},
    "doc": {_OLE},
    "xls": {_OLE},
    "msg": {_OLE},
    "exe": {_PROGRAM},
    "html": {UNKNOWN},
    "htm": {UNKNOWN},
    "txt": {UNKNOWN},
}
_OLD_TYPE_NAMES = {
    "application/x-pdf": PDF,
    "image/jpg": JPEG,
    "image/pjpeg": JPEG,
    "image/x-png": PNG,
    "image/tif": TIFF,
    "image/x-tiff": TIFF,
}
_USUAL_ENDING = {
    PDF: ".pdf",
    JPEG: ".jpg",
    PNG: ".png",
    TIFF: ".tif",
    DICOM: ".dcm",
    OGG: ".ogg",
    AMR: ".amr",
    MP3: ".mp3",
    AAC: ".aac",
    M4A: ".m4a",
    MP4: ".mp4",
    MOBILE: ".3gp",
    WEBP: ".webp",
}
_LONGEST_NAME = 120


def sniff(content: bytes) -> str:
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if content[_DICOM_AT : _DICOM_AT + 4] == b"DICM":
        return DICOM
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        return next((kind for sign, kind in _BRANDS.items() if brand.startswith(sign)), UNKNOWN)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP
    return PDF if b"%PDF-" in content[:_PDF_WITHIN] else UNKNOWN


def attachment(
    filename: str,
    content: bytes,
    *,
    declared_type: str,
    max_bytes: int,
    number: int = 1,
    allowed: frozenset[str] = ALLOWED,
) -> Attachment:
    """Judge one file. Whatever is wrong with it, its bytes are kept."""
    kind = sniff(content)
    name = safe_filename(filename) or f"file-{number}{_USUAL_ENDING.get(kind, '')}"
    declared = clean(declared_type).lower()[:100]
    return Attachment(
        filename=name,
        declared_type=declared,
        sniffed_type=kind,
        content=content,
        problem=_problem(name, declared, kind, size=len(content), max_bytes=max_bytes)
        or (None if kind in allowed else Problem.UNSUPPORTED_TYPE),
    )


def safe_filename(text: str) -> str:
    """Only the last part of a path, without signs that control or turn the reading direction."""
    plain = strip_invisible(clean(text)).replace("\ufffd", "_")
    name = " ".join(re.sub(r'[<>:"|?*]', "_", re.split(r"[/\\]", plain)[-1]).split()).strip(" .")
    ending = PurePosixPath(name).suffix[:20]
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - len(ending)] + ending


def _problem(name: str, declared: str, kind: str, *, size: int, max_bytes: int) -> Problem | None:
    if size == 0:
        return Problem.EMPTY_ATTACHMENT
    if size > max_bytes:
        return Problem.OVERSIZED_ATTACHMENT
    if kind == WINMAIL:
        return Problem.WINMAIL
    ending = PurePosixPath(name).suffix[1:].lower()
    said = _ENDINGS.get(ending)
    if said is None:
        # The name says nothing; then the sender's type does, unless it is the general one.
        declared = _OLD_TYPE_NAMES.get(declared, declared)
        said = {declared} if declared in ALLOWED else {kind}
    return None if kind in said else Problem.TYPE_MISMATCH
