"""What a page asks for again and again: answered in full only where it has changed."""

from collections.abc import Callable
from hashlib import sha256

from django.http import HttpRequest, HttpResponse

TAG = "HX-PTag"  # htmx sends back the tag of the last answer


def version_of(shown: object) -> str:
    """A short name of what is shown, known by its repr."""
    return sha256(repr(shown).encode()).hexdigest()[:16]


def unless_seen(request: HttpRequest, shown: object, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """304 while the page has what `shown` says; else `answer`, made only then. `shown` is known by its repr."""
    tag = version_of(shown)
    is_seen = request.headers.get(TAG) == tag
    found = HttpResponse(status=304) if is_seen else answer()
    found[TAG], found["Cache-Control"] = tag, "no-store"
    return found
