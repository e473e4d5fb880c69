"""Which of these people a document is about, or nobody. A name alone never decides; people settle doubts."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

# Zero-width characters and direction marks: they come along when text is copied, and no name contains one.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
# Niqqud and cantillation; Arabic vowel signs and the stretching tatweel.
_VOWEL_SIGNS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"
)
# What is written in more than one way: geresh and gershayim, ё and е, the Arabic letters that typists swap.
# For comparing only, never for showing.
_WRITTEN_AS = {
    "'": "\u05f3\u2018\u2019\u02bc\u02b9\u2032\u00b4`",
    '"': "\u05f4\u201c\u201d\u201e\u2033",
    "е": "ё",
    "ا": "أإآٱ",
    "ي": "ىئی",
    "ه": "ة",
    "و": "ؤ",
    "ك": "ک",
}
_SAME_LETTER = str.maketrans({one: letter for letter, written in _WRITTEN_AS.items() for one in written})
Words = tuple[str, ...]
_WORD = re.compile(r"[^\W_]+(?:['\"][^\W_]+)*")
_PATRONYMIC = re.compile(r".+(?:ович|евич|ич|овна|евна|ична|ovich|evich|ovna|evna|ichna)")
_ID_SEPARATORS = re.compile(r"[\s.\-/\u05be\u2010-\u2015\u2212]")
_ID_DIGITS = 9
_ID_SHORTEST = 5


class Agreement(StrEnum):
    """A trait on which a document and a person agree, or contradict each other."""

    NATIONAL_ID = "national_id"
    BIRTH_DATE = "birth_date"
    NAME = "name"


class Doubt(StrEnum):
    """Why a document is nobody's, as far as a machine may say."""

    NOTHING_SAID = "nothing_said"
    NOT_FOUND = "not_found"
    CONTRADICTION = "contradiction"
    SEVERAL = "several"
    NAME_ONLY = "name_only"
    BIRTH_DATE_ONLY = "birth_date_only"


@dataclass(frozen=True)
class Person:
    key: int
    given_name: str
    family_name: str
    birth_date: date | None
    national_id: str


@dataclass(frozen=True)
class Claim:
    """What a document says about whom it concerns.

    `birth_dates` and `national_ids` are stated as such, so a different one contradicts. `other_dates` merely
    stand in the text (a visit, an exposure, perhaps a birth): they may agree, and never contradict.
    """

    names: tuple[str, ...] = ()
    birth_dates: tuple[date, ...] = ()
    national_ids: tuple[str, ...] = ()
    other_dates: tuple[date, ...] = ()


@dataclass(frozen=True)
class Known:
    person_key: int
    by: tuple[Agreement, ...]


@dataclass(frozen=True)
class Nobody:
    reasons: tuple[Doubt, ...]
    candidates: tuple[int, ...]


def strip_invisible(text: str) -> str:
    """Drop direction marks and zero-width characters; they hide digits and labels from every comparison."""
    return _INVISIBLE.sub("", text)


def ascii_digits(text: str) -> str:
    """Write Arabic-Indic and other decimal digits as 0-9, one for one."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)


def fold_name(text: str) -> str:
    """Bring a name to the form that is compared and searched: lower-case words parted by single spaces.

    Hyphen and maqaf part words, a geresh inside a word is an apostrophe, niqqud and direction marks are gone.
    """
    folded = unicodedata.normalize("NFKC", strip_invisible(text)).casefold()
    folded = unicodedata.normalize("NFKC", _VOWEL_SIGNS.sub("", strip_invisible(folded)))
    return " ".join(_WORD.findall(folded.translate(_SAME_LETTER)))


def normalise_national_id(text: str) -> str:
    """Digits without separators, padded to the nine of an Israeli ID; a passport number in capitals."""
    plain = _ID_SEPARATORS.sub("", ascii_digits(strip_invisible(text)))
    if plain.isascii() and plain.isdigit() and _ID_SHORTEST <= len(plain) <= _ID_DIGITS:
        return plain.zfill(_ID_DIGITS)
    return plain.upper()


def national_id_is_valid(digits: str) -> bool:
    """Nine digits with the Israeli check digit (every second digit doubled, digits added up)."""
    if len(digits) != _ID_DIGITS or not (digits.isascii() and digits.isdigit()) or not int(digits):
        return False
    weighed = (int(digit) * (1 + place % 2) for place, digit in enumerate(digits))
    return sum(value - 9 if value > _ID_DIGITS else value for value in weighed) % 10 == 0


def agrees(claim: Claim, person: Person) -> tuple[Agreement, ...]:
    """Name the traits on which the two agree, the strongest first."""
    found = []
    if _proving_id(person.national_id) in {_proving_id(number) for number in claim.national_ids} - {""}:
        found.append(Agreement.NATIONAL_ID)
    # Where a date is labelled as the birth date, the other dates in the text are something else.
    if person.birth_date is not None and person.birth_date in (claim.birth_dates or claim.other_dates):
        found.append(Agreement.BIRTH_DATE)
    if any(_is_named(_words(text), person) for text in claim.names):
        found.append(Agreement.NAME)
    return tuple(found)


def contradicts(claim: Claim, person: Person) -> tuple[Agreement, ...]:
    """Name the traits where the document states something else: it may be about another person.

    A document that states two IDs or two birth dates speaks of two people, so the right one among them is
    not enough. A different name contradicts nothing: names are written in four alphabets and change.
    """
    found = []
    own = normalise_national_id(person.national_id)
    stated = {normalise_national_id(number) for number in claim.national_ids}
    if national_id_is_valid(own) and any(national_id_is_valid(number) for number in stated - {own}):
        found.append(Agreement.NATIONAL_ID)
    if person.birth_date is not None and set(claim.birth_dates) - {person.birth_date}:
        found.append(Agreement.BIRTH_DATE)
    return tuple(found)


def who_is(claim: Claim, people: Sequence[Person]) -> Known | Nobody:
    """Exactly one person, proved by ID or by name with birth date; otherwise nobody, and who it may be."""
    weighed = [
        _Weighed(person.key, agrees(claim, person), contradicts(claim, person)) for person in set(people)
    ]
    touched = sorted((one for one in weighed if one.agreed), key=_Weighed.order)
    proved = {one.key: one for one in touched if one.proves and not one.contradicted}
    if len(proved) == 1:
        (only,) = proved.values()
        return Known(only.key, only.agreed)
    candidates = tuple(dict.fromkeys(one.key for one in touched))
    if proved:
        return Nobody((Doubt.SEVERAL,), candidates)
    if not touched:
        silent = not (
            claim.birth_dates or claim.national_ids or claim.other_dates or "".join(claim.names).strip()
        )
        return Nobody((Doubt.NOTHING_SAID if silent else Doubt.NOT_FOUND,), ())
    return Nobody(tuple(dict.fromkeys(one.doubt for one in touched)), candidates)


@dataclass(frozen=True)
class _Weighed:
    key: int
    agreed: tuple[Agreement, ...]
    contradicted: tuple[Agreement, ...]

    @property
    def proves(self) -> bool:
        by_name = {Agreement.NAME, Agreement.BIRTH_DATE} <= set(self.agreed)
        return by_name or Agreement.NATIONAL_ID in self.agreed

    @property
    def doubt(self) -> Doubt:
        if self.contradicted:
            return Doubt.CONTRADICTION
        return Doubt.NAME_ONLY if Agreement.NAME in self.agreed else Doubt.BIRTH_DATE_ONLY

    def order(self) -> tuple[bool, list[str], int]:
        """The likeliest first: uncontradicted, then by the strongest trait that agrees."""
        strongest = [str(list(Agreement).index(trait)) for trait in self.agreed]
        return bool(self.contradicted), strongest, self.key


def _proving_id(text: str) -> str:
    """Give the number back if it can prove anything, else nothing.

    Nine digits that fail their check digit prove nothing, nor do fillers such as 00000, typed to pass a form.
    """
    number = normalise_national_id(text)
    if len(number) < _ID_SHORTEST or len(set(number)) == 1:
        return ""
    israeli_form = number.isascii() and number.isdigit() and len(number) == _ID_DIGITS
    return number if not israeli_form or national_id_is_valid(number) else ""


@lru_cache(maxsize=4096)
def _words(text: str) -> Words:
    """Fold once what is compared with every person in turn."""
    return tuple(fold_name(text).split())


def _is_named(words: Words, person: Person) -> bool:
    """Whole given and whole family name, in either order, with at most one word between (a second name)."""
    given, family = _words(person.given_name), _words(person.family_name)
    if not given or not family:
        return False
    if any(_ends(words, *order, gap) for order in ((given, family), (family, given)) for gap in (0, 1)):
        return True
    if len(given) == 1 or not _PATRONYMIC.fullmatch(given[-1]):
        return False
    # Our record has a patronymic and the document may leave it out; a different patronymic is another person.
    short = given[:-1]
    ends = _ends(words, short, family, 0) + _ends(words, family, short, 0)
    return any(end == len(words) or not _PATRONYMIC.fullmatch(words[end]) for end in ends)


def _ends(words: Words, first: Words, second: Words, gap: int) -> list[int]:
    """Where in `words` the second name ends, wherever it follows the first with `gap` words between."""
    begins = [(start, start + len(first) + gap) for start, word in enumerate(words) if word == first[0]]
    return [
        begin + len(second)
        for start, begin in begins
        if words[start : start + len(first)] == first and words[begin : begin + len(second)] == second
    ]
