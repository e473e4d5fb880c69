"""How long a provider asks us to wait, and whether it heard us at all."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(hours=6)  # a header that asks for more is a fault; by then a person has seen it


def asked_to_wait(headers: Mapping[str, str]) -> timedelta | None:
    """From Retry-After, in seconds or as a date (which is counted from the answer's own Date)."""
    text = str(headers.get("Retry-After", "")).strip()
    if not text:
        return None
    if text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST)
    then, since = _instant(text), _instant(str(headers.get("Date", "")))
    if then is None or since is None:
        return None
    return min(max(then - since, timedelta(0)), LONGEST)


def _instant(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def never_connected(error: BaseException) -> bool:
    """Of an error of `requests`: whether the connection itself failed, so that nothing can have left over it."""
    from requests.exceptions import ConnectTimeout  # noqa: PLC0415 - slow import
    from urllib3.exceptions import NewConnectionError, SSLError  # noqa: PLC0415 - slow import

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError | SSLError)
