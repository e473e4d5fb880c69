"""From where a request comes, as far as our own proxies tell, and how often; each web process counts for itself."""

from ipaddress import ip_address

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

A_MINUTE = 60  # seconds in which requests are counted


def address_of(request: HttpRequest) -> str:
    """The caller's, as the outermost of our own proxies saw it; what a caller writes into the header is not."""
    text = request.META.get("REMOTE_ADDR", "")
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    if 0 < settings.TRUSTED_PROXIES <= len(hops):
        text = hops[-settings.TRUSTED_PROXIES]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def source_of(request: HttpRequest, what: str) -> str:
    """Under which name a caller's requests for `what` are counted. Empty where a proxy that we were not told of
    stands in front: then all callers look like one, and everybody would be shut out with one of them.
    """
    is_hidden = settings.TRUSTED_PROXIES == 0 and "X-Forwarded-For" in request.headers
    return "" if is_hidden else f"{what}:{address_of(request)}"


def count(source: str) -> int:
    """One more; how many it makes within the minute that the first one began."""
    if not source or cache.add(source, 1, A_MINUTE):
        return 1 if source else 0
    try:
        return cache.incr(source)
    except ValueError:  # the minute has just ended
        return 1
