"""What somebody said, as it is kept and as it is taken: the words, and what came with them."""

from functools import cache

from django.utils import translation

from outreach.channels.inbound import Brought, Said
from outreach.held import MAYBE_STOP
from outreach.stop_words import Asks, asks_to_stop
from patients.models import Clinic, Language

LONGEST = 4000
STOP, START = "stop", "start"  # meanings of a reply, as MAYBE_STOP
MEANINGS = {Asks.STOP: STOP, Asks.MAYBE: MAYBE_STOP, Asks.START: START}


def kept(said: Said, clinic: Clinic) -> str:
    """As she wrote it, and before it, in the clinic's language, what she sent with it."""
    words = storable(said.text).strip()
    if said.brought:
        with translation.override(clinic.language):
            words = f"[{Brought(said.brought).label}] {words}".strip()
    return words[:LONGEST]


def as_read(words: str) -> str:
    """What was kept, to whoever reads it now: what came along is named in the language of the screen."""
    mark, end, rest = words.partition("]")
    brought = _marks().get(mark + end)
    return f"[{brought.label}]{rest}" if brought else words


@cache
def _marks() -> dict[str, Brought]:
    """What `kept` may have put before the words, in every language of a clinic."""
    found: dict[str, Brought] = {}
    for language in Language.values:
        with translation.override(language):
            found |= {f"[{brought.label}]": brought for brought in Brought}
    return found


def asks_of(said: Said) -> Asks:
    """By the words themselves, or by the provider's own list of words."""
    return Asks.STOP if said.asks_to_stop else asks_to_stop(said.text)


def storable(text: str) -> str:
    """Without what no database keeps: NUL, and half a letter of a text that was cut."""
    return text.replace("\0", "").encode(errors="replace").decode()
