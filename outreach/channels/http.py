"""One request to a provider over httpx, with what certainly did not reach it told apart."""

import ssl
from functools import cache
from typing import Any

from django.conf import settings

from outreach.channels.base import ChannelError, Trouble
from outreach.channels.waiting import asked_to_wait

TOO_MANY, FOR_NOW, FAULT = 429, 503, 500
REFUSED = range(400, 500)


def posted(url: str, content: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and answer; ChannelError where nothing was taken. Anything else that comes out is unclear.

    A refusal may come without a word that can be read, from whatever stands before the provider: its answer is
    then empty, and its status says all.

    The address may hold a key (Telegram's does), so it is in no message of ours.
    """
    import httpx  # noqa: PLC0415 - slow import

    nothing_left = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
    try:
        answer = httpx.post(
            url, json=content, headers=headers, timeout=settings.CHANNEL_TIMEOUT, verify=tls()
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
