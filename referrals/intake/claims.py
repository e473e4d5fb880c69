"""Whom a free text says it is about: labelled names, birth dates and IDs in Hebrew, Russian, English, Arabic.

Conservative on purpose: what is missed goes to a person's desk, what is invented could go to a wrong patient.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import TypeVar

from patients.identity import (
    Claim,
    ascii_digits,
    national_id_is_valid,
    normalise_national_id,
    strip_invisible,
)

Found = TypeVar("Found", str, date)

_QUOTE = "[\"'`\u05f3\u05f4\u2018\u2019\u201c\u201d]"
_GAP = r"[ \t]{0,4}"
_COLON = rf"(?:{_GAP}[:=\uff1a]|[ \t]{{1,4}}[-\u2013][ \t]|\t){_GAP}"
_NO_LETTER = r"(?![^\W\d_])"

_DAY_FIRST = r"(?P<d>\d{1,2})(?P<s>[./-])(?P<m>\d{1,2})(?P=s)(?P<y>(?:19|20)\d\d)"
_YEAR_FIRST = r"(?P<y2>(?:19|20)\d\d)-(?P<m2>\d{1,2})-(?P<d2>\d{1,2})"
_DATE = re.compile(rf"(?<!\d)(?<!\d[./-])(?:{_DAY_FIRST}|{_YEAR_FIRST})(?!\d|[./-]\d)")
_BORN = (
    r"date of birth|birth ?date|birthday|d\.?o\.?b\.?|born(?: on)?"
    rf"|תאריך ה?לידה|ת\.? ?לידה|ת\.ל\.?|ת{_QUOTE}ל|נולדה?|ילידת?"
    r"|дата рождения|д\.? ?р\.?|рожд(?:ен)?\.?|родил(?:ся|ась)|род\."
    r"|تاريخ الميلاد|تاريخ الولادة|مواليد"
)
# The label, perhaps the expected form in brackets, and the date beside it, below it or in the next cell.
_BORN_BEFORE = re.compile(
    rf"(?<!\w)(?:{_BORN}){_NO_LETTER}(?:{_GAP}\([^()\n]{{0,20}}\))?[\s:=.,|\-\u2013\uff1a]{{0,6}}$",
    re.IGNORECASE,
)
_BORN_AFTER = re.compile(rf"{_GAP}(?:г\. ?р\.?|гр\.|год[а]? рожд)", re.IGNORECASE)
_BEFORE_LENGTH = 60

_ID_LABEL = (
    r"(?<![A-Za-z] )I\.?D\.?|(?:patient|national|identity)(?: I\.?D\.?| card| number)"
    r"|teudat[ -]zehut|t\.?z\.?"
    rf"|ת\.? ?ז\.?|ת{_QUOTE}ז|תעודת ה?זהות|מספר ה?זהות|מס{_QUOTE} ?זהות"
    r"|т\.? ?з\.?|теудат[ -]зеут|удостоверени[ея] личности"
    r"|رقم الهوية|الهوية"
)
_ID_MORE = (
    rf"(?:{_GAP}(?:card|number|no\.?|nr\.?|מספר|номер|رقم)){{0,2}}{_GAP}[.:=#№\-\uff1a]{{0,2}}\s{{0,3}}"
)
# Shorter numbers under these labels are the institute's own patient numbers, not IDs.
_ID_FORMS = r"\d{7,8}[ -]\d|\d[ -]\d{7}[ -]\d|\d{3}[ -]\d{3}[ -]\d{3}|\d{8,9}"
_LABELLED_ID = re.compile(
    rf"(?<!\w)(?:{_ID_LABEL}){_NO_LETTER}{_ID_MORE}(?P<id>{_ID_FORMS})(?![\d/]|[.-]\d)", re.IGNORECASE
)
_BARE_ID = re.compile(r"(?<![\w.+\-/=&#@])(?P<id>\d{9}|\d{8}-\d)(?![\w/@=]|[.\-]\d)")
# Numbers of nine digits that are no ID; an Israeli company number even has the same check digit.
_OTHER_NUMBER = re.compile(
    r"(?<!\w)(?:tel|phone|fax|mobile|company|vat|reg|study|accession|exam|order|invoice|receipt"
    rf"|טל|טלפון|פקס|נייד|ח\.?{_QUOTE}?פ|ע\.?{_QUOTE}?מ|עוסק|בדיקה|הזמנה|חשבונית|קבלה"
    rf"|тел|факс|моб|сч[её]т|заказ|исследовани[ея]|هاتف|فاكس|جوال){_NO_LETTER}[^\d\n]{{0,16}}$",
    re.IGNORECASE,
)

_PATIENT = (
    r"patient(?:'s)?(?: name)?|name of (?:the )?patient|full name"
    r"|שם ה?(?:מטופל|נבדק|חולה|מבוטח)(?:ת|/ת|ת?/ה)?|ה?(?:מטופל|נבדק)(?:ת|/ת)?|שם מלא|שם פרטי ומשפחה"
    r"|пациент(?:ка|\(ка\))?|ф\.? ?и\.? ?о\.?(?: пациента)?|имя пациента"
    r"|(?:اسم )?المريضة?|الاسم الكامل"
)
_ANY_NAME = r"name|שם|имя и фамилия|الاسم"
_GIVEN = r"(?:first|given) name|שם פרטי|имя|الاسم الأول"
_FAMILY = r"(?:last|family) name|surname|שם ה?משפחה|фамилия|اسم العائلة"
_NAME_LINE = re.compile(
    rf"(?:(?<!\w)(?:{_PATIENT})|^{_GAP}(?:{_ANY_NAME})){_COLON}(?P<name>[^\d\n;|]{{0,120}})",
    re.IGNORECASE | re.MULTILINE,
)
_LONE_LABEL = re.compile(
    rf"^{_GAP}(?:{_PATIENT}){_GAP}:?{_GAP}\n\s{{0,4}}(?P<name>[^\d\n;|:]{{2,120}})",
    re.IGNORECASE | re.MULTILINE,
)
_GIVEN_LINE = re.compile(rf"(?<!\w)(?:{_GIVEN}){_COLON}(?P<name>[^\d\n;|,\t]{{2,60}})", re.IGNORECASE)
_FAMILY_LINE = re.compile(rf"(?<!\w)(?:{_FAMILY}){_COLON}(?P<name>[^\d\n;|,\t]{{2,60}})", re.IGNORECASE)
_MOST = 50


def claim_from(text: str, *, subjects: Iterable[str] = ()) -> Claim:
    """Read the claim out of a text; a subject is a name as a whole, for it carries no labels."""
    titles = [title for title in map(_plain, subjects) if title]
    plain = _plain(text)
    born, other = _dates(plain)
    labelled = tuple(_valid_ids(match["id"] for match in _LABELLED_ID.finditer(plain)))
    return Claim(
        names=_first([*titles, *_names(plain)]),
        birth_dates=_first(born),
        national_ids=_first(labelled or _valid_ids(_bare_ids(plain))),
        other_dates=_first(other),
    )


def _plain(text: str) -> str:
    return ascii_digits(strip_invisible(text)).replace("\xa0", " ")


def _first(found: Iterable[Found]) -> tuple[Found, ...]:
    """Each once, in the order of the text; a text with more than this says nothing about one person."""
    return tuple(islice(dict.fromkeys(found), _MOST))


def _names(plain: str) -> Iterator[str]:
    for pattern in (_NAME_LINE, _LONE_LABEL):
        yield from _values(pattern, plain)
    given, family = set(_values(_GIVEN_LINE, plain)), set(_values(_FAMILY_LINE, plain))
    # Two given names may belong to two people, and then nobody knows which family name goes with which.
    if len(given) == len(family) == 1:
        yield f"{given.pop()} {family.pop()}"


def _values(pattern: re.Pattern[str], plain: str) -> Iterator[str]:
    values = (" ".join(match["name"].split()) for match in pattern.finditer(plain))
    return (value for value in values if value)


def _dates(plain: str) -> tuple[list[date], list[date]]:
    """Dates labelled as a birth, and the dates that merely stand in the text."""
    born: list[date] = []
    other: list[date] = []
    for match in _DATE.finditer(plain):
        try:
            found = date(*(int(match[part] or match[f"{part}2"]) for part in ("y", "m", "d")))
        except ValueError:
            continue
        before = plain[max(0, match.start() - _BEFORE_LENGTH) : match.start()]
        labelled = _BORN_BEFORE.search(before) or _BORN_AFTER.match(plain, match.end())
        (born if labelled else other).append(found)
    return born, other


def _bare_ids(plain: str) -> Iterator[str]:
    for match in _BARE_ID.finditer(plain):
        line = plain[max(0, match.start() - _BEFORE_LENGTH) : match.start()].rpartition("\n")[2]
        if not _OTHER_NUMBER.search(line):
            yield match["id"]


def _valid_ids(numbers: Iterable[str]) -> Iterator[str]:
    return (number for number in map(normalise_national_id, numbers) if national_id_is_valid(number))
