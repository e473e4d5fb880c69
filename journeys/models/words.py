"""Names in the languages of the house: what we say ourselves, and what a template calls itself."""

from collections.abc import Callable

from django.utils import translation
from django.utils.translation import get_language

from patients.models import Language

Words = Callable[[], str]  # ours, said anew in each language; what a person wrote is a plain str


def in_each_language(words: Words) -> dict[str, str]:
    """What we say ourselves, kept in every language, for each reader has another one."""
    said = {}
    for language in Language.values:
        with translation.override(language):
            said[language] = words()
    return said


def isolated(text: str) -> str:
    """A name or somebody's words inside a sentence of ours, whose direction they must not turn."""
    return f"\u2068{text}\u2069" if text else ""


def named(names: dict[str, str]) -> str:
    """The name in the reader's language; English where a catalogue has no other."""
    return names.get((get_language() or "en")[:2]) or names.get("en", "")
