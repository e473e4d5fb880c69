"""What somebody asks for, among everything that is offered: folded words in any language, spelled as people type.

An answer is read aloud, so nothing is found on half of the words: all that mean something must fit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from patients.identity import ascii_digits, fold_name

SHORTEST = 2  # letters before anything is looked for
LONGEST = 200  # of a question; nobody types more
MOST_WORDS = 12  # of those that mean something; each is held against every word of everything offered
SAME, BEGINS, NEARLY = 4, 3, 2  # how well two words fit; 0: not at all
FORGIVEN_FROM, FORGIVEN_TWICE_FROM = 4, 8  # letters of a word in which one wrong letter, or two, are forgiven
ENDING_AFTER, ENDING = 4, 2  # letters of a Russian word that stay, and at most so many that change
STEM = 3  # letters that must be left when the particle before a word is taken off

# Words around the question, which are not what is asked for. They decide only between things that fit alike.
_AROUND = """
    a an any the do you have got is are there can i get how much does it cost what price of for with and to in please
    when could want need hello hi me my your our we at
    יש לכם אצלכם האם כמה עולה זה מה מחיר של את אפשר לקבל עם בבקשה רוצה צריך שלום מתי אני לי לנו עבור נגד
    есть ли у вас сколько стоит цена можно на от для и мне нам нужна нужен нужно хочу здравствуйте какая когда
    هل عندكم لديكم يوجد كم سعر ثمن من في على مع اريد احتاج مرحبا متى ما لي لنا ضد
"""
# Written together with the word that follows them.
_PARTICLES = ("ול", "וה", "של", "ה", "ו", "ל", "ב", "מ", "ש", "כ", "وال", "بال", "لل", "ال", "و", "ب", "ل")


@dataclass(frozen=True)
class Entry:
    """Something that can be asked for, with every name and word for it."""

    key: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """`fitting`: what was asked for; one is an answer, several are a choice. `near`: only part of the words fits."""

    fitting: tuple[int, ...] = ()
    near: tuple[int, ...] = ()


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[str, ...]:
    return tuple(ascii_digits(fold_name(text[:LONGEST])).split())


AROUND = frozenset(ascii_digits(fold_name(_AROUND)).split())


def find(text: str, entries: Iterable[Entry]) -> Found:
    """What of `entries` is asked for, the best first; alike in everything, in the order given."""
    asked = words_of(text)
    if sum(map(len, asked)) < SHORTEST:
        return Found()
    meant = ([word for word in asked if word not in AROUND] or list(asked))[:MOST_WORDS]
    scored = [(entry.key, *_score(asked, meant, entry)) for entry in entries]
    whole = [(score, key) for key, fits, score in scored if fits == len(meant)]
    best = max((score for score, _key in whole), default=0)
    fitting = tuple(key for score, key in whole if score == best)
    partly = sorted(((score, key) for key, fits, score in scored if fits and key not in fitting), key=_worst)
    return Found(fitting, tuple(key for _score, key in partly))


def _worst(each: tuple[int, int]) -> int:
    return -each[0]


def _score(asked: Sequence[str], meant: Sequence[str], entry: Entry) -> tuple[int, int]:
    """How many of the words that are meant fit, and how well everything does."""
    own = _words_of_all(entry.names)
    forms = _by_letter(entry.names)
    fits = [_best(word, forms) for word in meant]
    exact = sum(word in own for word in asked if word not in meant)
    return sum(fit > 0 for fit in fits), sum(fits) * 10 + exact + 5 * _is_named(asked, entry)


def _is_named(asked: Sequence[str], entry: Entry) -> bool:
    """Every word of one of its names was said, and no other: "flu vaccine" is not "flu vaccine for children".

    A letter by itself means something in a name: "hepatitis" alone is not "hepatitis A".
    """
    for name in entry.names:
        own = {word for word in words_of(name) if word not in AROUND or len(word) == 1}
        if own == {word for word in asked if word not in AROUND or word in own}:
            return True
    return False


@lru_cache(maxsize=4096)
def _words_of_all(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for name in names for word in words_of(name))


@lru_cache(maxsize=4096)
def _by_letter(names: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Every form of every word under its first letter: words that begin with different ones never fit."""
    forms = {form for word in _words_of_all(names) for form in _forms(word)}
    letters = {form[0] for form in forms}
    return {letter: frozenset(form for form in forms if form[0] == letter) for letter in letters}


def _best(word: str, forms: dict[str, frozenset[str]]) -> int:
    pairs = ((one, other) for one in _forms(word) for other in forms.get(one[0], ()))
    return max((_fit(one, other) for one, other in pairs), default=0)


def _forms(word: str) -> list[str]:
    """The word, and without the particle written together with it."""
    return [word, *(word[len(p) :] for p in _PARTICLES if word.startswith(p) and len(word) - len(p) >= STEM)]


@lru_cache(maxsize=65536)
def _fit(typed: str, known: str) -> int:
    if typed == known:
        return SAME
    if len(typed) >= SHORTEST and known.startswith(typed):
        return BEGINS
    if any(sign.isdecimal() for sign in typed + known):
        return 0  # a number that is nearly right is another thing
    if _is_cyrillic(typed) and _is_cyrillic(known) and _share_stem(typed, known):
        return NEARLY
    forgiven = (len(typed) >= FORGIVEN_FROM) + (len(typed) >= FORGIVEN_TWICE_FROM)
    return NEARLY if forgiven and distance(typed, known, forgiven) <= forgiven else 0


def _is_cyrillic(word: str) -> bool:
    return all("а" <= letter <= "я" for letter in word)


def _share_stem(one: str, other: str) -> bool:
    """The same word with another ending: ночная, ночную."""
    stem = max(len(one), len(other)) - ENDING
    return stem >= ENDING_AFTER and one[:stem] == other[:stem]


def distance(one: str, other: str, most: int) -> int:
    """Letters to add, leave out, change or swap with their neighbour; `most` + 1 stands for anything beyond."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for n, letter in enumerate(one, start=1):
        row = [n]
        for m, facing in enumerate(other, start=1):
            cost = min(last[m] + 1, row[m - 1] + 1, last[m - 1] + (letter != facing))
            if n > 1 and m > 1 and letter == other[m - 2] and one[n - 2] == facing:
                cost = min(cost, before[m - 2] + 1)
            row.append(cost)
        before, last = last, row
    return min(last[-1], most + 1)
