"""One request to a provider over httpx, with what certainly did not reach it told apart."""

import ssl
from contextlib import closing
from functools import cache
from time import monotonic
from typing import Any

from django.conf import settings

from outreach.channels.base import ChannelError, Trouble
from outreach.channels.waiting import asked_to_wait

TOO_MANY, FOR_NOW, FAULT = 429, 503, 500
REFUSED, LOGIN = range(400, 500), {401, 403}
LONGEST_READ = 30.0  # seconds, of one file that arrives drop by drop
MOST_REDIRECTS = 2


def posted(url: str, content: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and answer; ChannelError where nothing was taken. Anything else that comes out is unclear.

    A refusal may come without a word that can be read, from whatever stands before the provider: its answer is
    then empty, and its status says all.

    The address may hold a key (Telegram's does), so it is in no message of ours.
    """
    return _answered("POST", url, content, headers)


def asked(url: str, content: dict[str, Any] | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    """As `posted`, of a question that changes nothing there: what is unclear can simply be asked again."""
    import httpx  # noqa: PLC0415 - slow import

    try:
        return _answered("POST" if content else "GET", url, content, headers)
    except (httpx.HTTPError, UnclearError) as error:
        raise ChannelError(Trouble.UNREACHABLE) from error


def fetched(url: str, *, most: int, follows: bool = False, **headers: str) -> bytes:
    """The file behind this address as its bytes come: not more than `most` of them and not for ever.

    `follows`: on to where the answer sends us; our login goes to no other server than the first.
    """
    import httpx  # noqa: PLC0415 - slow import

    left, until = MOST_REDIRECTS if follows else 0, monotonic() + LONGEST_READ
    headers |= {"Accept-Encoding": "identity"}
    try:
        with httpx.Client(timeout=settings.CHANNEL_TIMEOUT, verify=tls()) as client:
            asks = client.build_request("GET", url, headers=headers)
            while True:
                with closing(client.send(asks, stream=True)) as answer:
                    if not (left and answer.next_request):
                        return _content_of(answer, most=most, until=until)
                    asks, left = answer.next_request, left - 1  # to another server without our login
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ChannelError(Trouble.UNREACHABLE) from error


def _content_of(answer: Any, *, most: int, until: float) -> bytes:
    """Never unpacked: a few bytes may be a thousand million."""
    _refuse_unless_ok(answer)
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise ChannelError(Trouble.DAMAGED, "packed")
    content = bytearray()
    for piece in answer.iter_raw():
        content += piece
        if len(content) > most:
            raise ChannelError(Trouble.TOO_LARGE)
        if monotonic() > until:  # of this file; others may come faster
            raise ChannelError(Trouble.UNREACHABLE, "slow", of_one=True)
    return bytes(content)


def _refuse_unless_ok(answer: Any) -> None:
    status = answer.status_code
    if status in {TOO_MANY, FOR_NOW}:
        raise ChannelError(Trouble.BUSY, str(status), retry_after=asked_to_wait(answer.headers))
    if status >= FAULT:
        raise ChannelError(Trouble.UNREACHABLE, str(status))
    if not answer.is_success:
        raise ChannelError(Trouble.LOGIN if status in LOGIN else Trouble.GONE, str(status))


def _answered(
    method: str, url: str, content: dict[str, Any] | None, headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    import httpx  # noqa: PLC0415 - slow import

    nothing_left = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
    try:
        answer = httpx.request(
            method, url, json=content, headers=headers, timeout=settings.CHANNEL_TIMEOUT, verify=tls()
        )
    except nothing_left as error:
        raise ChannelError(Trouble.UNREACHABLE) from error
    if answer.status_code >= FAULT and answer.status_code != FOR_NOW:
        raise UnclearError(answer.status_code)
    body = _object(answer)
    if answer.is_success and not body:
        raise UnclearError(answer.status_code)
    if answer.status_code in {TOO_MANY, FOR_NOW}:
        seconds = body.get("parameters", {}).get("retry_after") if "parameters" in body else None
        wait = asked_to_wait({"Retry-After": str(seconds)} if seconds else answer.headers)
        raise ChannelError(Trouble.BUSY, str(answer.status_code), retry_after=wait)
    return answer.status_code, body


@cache
def tls() -> ssl.SSLContext:
    """Whose certificates count, read once a process: reading them takes longer than a message."""
    import httpx  # noqa: PLC0415 - slow import

    return httpx.create_ssl_context()


class UnclearError(Exception):
    """An answer from which nobody can tell whether the message was taken."""


def _object(answer: Any) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
