"""What one cell says: a phone, a date, a language. Pure: text in, value out, or why it is none."""

import re
from datetime import date, datetime, time

from patients.identity import ascii_digits, strip_invisible

_DATE = re.compile(r"(\d{1,4})[./\-\s](\d{1,2})[./\-\s](\d{1,4})\.?(?=$|[ T,])")
_TIME = re.compile(r"(?:^|[ T,])(\d{1,2})[:.](\d{2})(?::\d{2}(?:\.\d+)?)?\s*([ap]\.?m\.?)?$", re.IGNORECASE)
_GUARD = re.compile(r"^'(?=[=+\-@])")  # the sign that keeps spreadsheets from calculating with a cell
LANGUAGES = {
    "en": "en eng english англ английский אנגלית الانجليزية إنجليزي",
    "he": "he heb hebrew iw עב עברית иврит עיברית العبرية عبري",
    "ru": "ru rus russian рус русский רוסית الروسية روسي",
    "ar": "ar ara arabic араб арабский ערבית العربية عربي",
}
RELATIONS = {
    "self": "self own mine patient עצמי עצמו עצמה המטופל המטופלת שלו שלה сам сама свой личный пациент "
    "نفسه نفسها المريض",
    "parent": "parent mother father mom mum dad אמא אבא אם אב הורה мать отец мама папа родитель ام أم اب أب والدة والد",
    "guardian": "guardian אפוטרופוס אפוטרופוסית опекун وصي وصية",
    "other": "other spouse husband wife son daughter brother sister caregiver אחר אחרת בעל אישה בן בת בןזוג אח אחות "
    "מטפל מטפלת другой муж жена супруг сын дочь брат сестра сиделка اخر آخر زوج زوجة ابن ابنة اخ اخت",
}
GENDERS = {
    "f": "f female woman w נ נקבה אישה ж жен женский женщина انثى أنثى امرأة",
    "m": "m male man ז זכר גבר м муж мужской мужчина ذكر رجل",
}


def clean(text: str) -> str:
    """Without direction marks, with plain digits and single spaces."""
    return _GUARD.sub("", " ".join(ascii_digits(strip_invisible(text)).split()))


def date_parts(text: str) -> tuple[int, int, int] | None:
    """The three numbers of a date in the order in which they stand."""
    found = _DATE.match(clean(text))
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def as_date(text: str, order: str, *, today: date) -> date | None:
    """A date written year first, or in the order given; of two-digit years the one not after this year."""
    parts = date_parts(text)
    if parts is None:
        return None
    first, second, third = parts
    if first > 31:  # noqa: PLR2004 - no day: a year
        year, month, day = first, second, third
    else:
        year = third
        day, month = (second, first) if order == "mdy" else (first, second)
    if year < 100:  # noqa: PLR2004 - two digits
        century = today.year // 100 * 100
        year += century if year <= today.year % 100 + 1 else century - 100
    try:
        return date(year, month, day)
    except ValueError:
        return None


def as_time(text: str) -> time | None:
    """The hour at the end of a text: 14:30, 14.30, 2:30 pm, or of a date with a time."""
    text = clean(text)
    found = _TIME.search(text) if not _DATE.fullmatch(text) else None
    if found is None:
        return None
    hour, minute, half = int(found[1]), int(found[2]), (found[3] or "").lower()[:1]
    if half and hour <= 12:  # noqa: PLR2004 - the clock of twelve hours
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004 - clocks


def one_word(text: str, known: dict[str, str]) -> str:
    """The code that a word stands for, or nothing."""
    word = clean(text).casefold().rstrip(".")
    return next((code for code, words in known.items() if word in words.split()), "")


def is_email(text: str) -> bool:
    return bool(re.fullmatch(r"[^\s@,;<>]{1,64}@[^\s@,;<>]+\.[^\s@,;<>.]{2,}", text)) and len(text) <= 254  # noqa: PLR2004


def parsed_when(text: str, order: str, *, today: date) -> datetime | None:
    """Date and time from one cell, on the clinic's clock, without a zone."""
    on, at = as_date(text, order, today=today), as_time(text)
    return datetime.combine(on, at) if on and at else None
