"""What a language says plainly: one file a language in words/, read once. Pure.

An entry stands for one word or a few; `*` at its end for any ending. Texts are compared without capitals and
vowel points.
"""

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "words"
POINTS = re.compile(
    "[\u0591-\u05c7\u064b-\u0652\u0640]"
)  # vowel points of Hebrew and Arabic, and its stretcher


class Rule(StrEnum):
    """What a text may break; each value is the name of a table in the files of words/."""

    JARGON = "jargon"  # not a word of every day
    BLAME = "blame"  # orders or blames the reader
    CLINICAL = "clinical"  # a diagnosis, a treatment, a part of the body, a test, a specialty
    PRICE = "price"
    PROMOTION = "promotion"  # sells; only a message of that class may
    INSINCERE = "insincere"
    NO_REPLY = "no_reply"  # every message can be answered
    ADDRESS = "address"  # speaks to the reader in a way that we do not
    GENDERED = "gendered"  # guesses whether a man or a woman reads
    PAST = "past"  # the past tense about the reader, which in Russian tells a gender or a reproach
    DASH = "dash"  # a range with a dash turns round where one reads from the right
    WEEKDAY = "weekday"  # shortened
    READING = "reading"  # long sentences and long words


WITH_PARTICLES = frozenset({Rule.JARGON, Rule.CLINICAL, Rule.PRICE, Rule.PROMOTION})  # nouns, mostly


@dataclass(frozen=True)
class Entry:
    rule: Rule
    pattern: re.Pattern[str]
    instead: str
    letters: str = ""  # stand in every text that the pattern finds; looked for first, as that is quick


@dataclass(frozen=True)
class Lexicon:
    """One language: its entries, its limits, and the longest values that placeholders may be expected to have."""

    entries: tuple[Entry, ...]
    long_word: int  # letters from which a word counts as long
    hardest: int  # words a sentence plus long words in a hundred; more is hard to read
    sms_parts: int
    longest: dict[str, str]


@cache
def lexicon(language: str) -> Lexicon:
    data = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    prefix, reading = data.get("prefix", ""), data["reading"]
    entries = [
        _entry(rule, said, instead, prefix=prefix if rule in WITH_PARTICLES else "")
        for rule in Rule
        if rule != Rule.READING
        for said, instead in data.get(rule, {}).items()
    ]
    entries += [
        Entry(Rule(rule), re.compile(pattern), instead)
        for rule, patterns in data.get("patterns", {}).items()
        for pattern, instead in patterns.items()
    ]
    return Lexicon(
        entries=tuple(entries),
        long_word=reading["long_word"],
        hardest=reading["hardest"],
        sms_parts=data["sms_parts"],
        longest=data["longest"],
    )


def _entry(rule: Rule, said: str, instead: str, *, prefix: str) -> Entry:
    """Whole words, with the particles before them that a language writes together with them."""
    words = plain(said.removesuffix("*")).split()
    ending = r"\w*" if said.endswith("*") else ""
    joined = r"\s+".join(re.escape(word) for word in words)
    return Entry(rule, re.compile(rf"(?<!\w){prefix}{joined}{ending}(?!\w)"), instead, words[0])


def plain(text: str) -> str:
    return POINTS.sub("", text).casefold().replace("ё", "е").replace("’", "'").replace("׳", "'")
