"""Whether somebody's words ask us to stop, or to begin again: four languages, any case, mark or punctuation."""

import unicodedata
from enum import Enum

WORDS = frozenset(
    """
    stop stopall unsubscribe end quit cancel revoke optout opt-out
    הסר הסירו הסירי להסיר עצור עצרו די תפסיקו תפסיקי הפסק הפסיקו
    стоп отписка отписаться отпишите отпиши хватит
    قف توقف توقفوا إلغاء الغاء أوقف اوقف
    """.split()  # noqa: SIM905 - a list to be read
)
PHRASES = frozenset(
    {
        "opt out",
        "stop all",
        "не пишите",
        "не пишите мне",
        "не присылайте",
        "больше не пишите",
        "לא לשלוח",
        "אל תשלחו",
        "לא לשלוח יותר",
        "إلغاء الاشتراك",
        "لا ترسلوا",
    }
)
# Alone they mean it; inside a sentence they are everyday words that say something else.
ONLY_ALONE = frozenset({"end", "cancel", "quit", "די", "хватит", "قف", "إلغاء", "الغاء"})
# The way back, only as a whole message.
START_WORDS = frozenset(
    """
    start /start unstop resume subscribe
    התחל התחילו התחילי להתחיל
    старт начать возобновить
    ابدأ ابدا استئناف
    """.split()  # noqa: SIM905 - a list to be read
)


class Asks(Enum):
    NOTHING = "nothing"
    MAYBE = "maybe"  # the word stands inside a sentence, or a whole letter: a person reads it
    STOP = "stop"
    START = "start"  # again


def asks_to_stop(text: str) -> Asks:
    words = plain(text).split()
    whole = " ".join(words)
    if (words and set(words) <= _FOLDED_WORDS) or whole in _FOLDED_PHRASES:
        return Asks.STOP
    if whole in _FOLDED_START:
        return Asks.START
    if any(phrase in whole for phrase in _FOLDED_PHRASES) or (set(words) & _FOLDED_WORDS) - _FOLDED_ALONE:
        return Asks.MAYBE
    return Asks.NOTHING


def plain(text: str) -> str:
    """Small letters without vowel points, signs of direction and punctuation, except the hyphen inside a word."""
    spread = unicodedata.normalize("NFKD", text.casefold().replace("ё", "е"))
    kept = (
        letter if unicodedata.category(letter)[0] in "LN" or letter in "-־" else " "
        for letter in spread
        if unicodedata.category(letter) not in {"Mn", "Cf"}
    )
    return " ".join("".join(kept).replace("־", "-").split()).strip("- ")


_FOLDED_WORDS = frozenset(plain(word) for word in WORDS)
_FOLDED_START = frozenset(plain(word) for word in START_WORDS)
_FOLDED_PHRASES = frozenset(plain(phrase) for phrase in PHRASES)
_FOLDED_ALONE = frozenset(plain(word) for word in ONLY_ALONE)
