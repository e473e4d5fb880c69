"""Whether a text speaks plainly: how hard it reads, and which of its words are better said otherwise. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from outreach.lexicon import Lexicon, Rule, lexicon, plain

HOLE = "◊"  # stands for a placeholder, which is never read and counts as a word of usual length
SENTENCE_ENDS = re.compile(r"[.!?؟…]+(?=\s|$)|[:;؛](?=\s|$)|\n")
RUNNING_TEXT = 12  # words; shares of fewer say nothing
WORD = re.compile(rf"[^\W\d_]+(?:['’׳״\"-][^\W\d_]+)*|{HOLE}")
ADVICE = frozenset({Rule.READING})  # shown; everything else is refused
FOR_OFFERS = frozenset({Rule.PRICE, Rule.PROMOTION})  # what news and offers are there to say
NEUTRAL_ONLY = frozenset({Rule.GENDERED})


@dataclass(frozen=True)
class Finding:
    """A rule that a text breaks, the words that break it, and what to write instead."""

    rule: Rule
    found: str
    instead: str = ""

    @property
    def is_refused(self) -> bool:
        return self.rule not in ADVICE


def findings(text: str, language: str, *, is_offer: bool = False, is_neutral: bool = True) -> list[Finding]:
    """What the text breaks, in the order of the rules; an offer may sell, a gendered form need not be neutral."""
    known = lexicon(language)
    read = plain(re.sub(r"{\w*}", HOLE, text))
    excused = (FOR_OFFERS if is_offer else frozenset()) | (frozenset() if is_neutral else NEUTRAL_ONLY)
    found = [
        Finding(entry.rule, match[0].strip(), entry.instead)
        for entry in known.entries
        if entry.letters in read and entry.rule not in excused
        for match in entry.pattern.finditer(read)
    ]
    return [*dict.fromkeys(found), *_hard_to_read(read, known)]


def reading_score(text: str, *, long_word: int) -> int:
    """Words a sentence plus long words in a hundred: the measure LIX, which counts and looks nothing up."""
    words = WORD.findall(text)
    if not words:
        return 0
    sentences = sum(1 for part in SENTENCE_ENDS.split(text) if WORD.search(part))
    long = sum(1 for word in words if len(word) >= long_word)
    return round(len(words) / sentences + 100 * long / len(words))


def _hard_to_read(text: str, known: Lexicon) -> Iterator[Finding]:
    """The longest sentence of a text that reads harder than the limit: there the mending begins."""
    if len(WORD.findall(text)) < RUNNING_TEXT:
        return
    if reading_score(text, long_word=known.long_word) <= known.hardest:
        return
    sentences = [part.strip() for part in SENTENCE_ENDS.split(text)]
    yield Finding(Rule.READING, max(sentences, key=lambda part: len(WORD.findall(part))))
