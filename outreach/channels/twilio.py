"""Twilio's own client, its codes as ours, and its callbacks, as its documentation has them.

https://www.twilio.com/docs/api/errors and /docs/messaging/api/message-resource. Creating has no idempotency key;
the list of messages can be searched, so an unclear SMS is looked up and never simply repeated.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, QueryDict

from outreach.channels.base import ChannelError, Trouble
from outreach.channels.http import fetched
from outreach.channels.inbound import Brought, Enclosed, Receipted, Said, Stage
from outreach.channels.waiting import asked_to_wait, never_connected

Made = TypeVar("Made")
TOO_MANY, FOR_NOW, LOGIN = 429, 503, {401, 403}
REFUSED = range(400, 500)
API_URL = "https://api.twilio.com"
MOST_FILES = 10  # of one MMS
CODES = {
    # refused at once
    20003: Trouble.LOGIN,
    20005: Trouble.LOGIN,  # account suspended
    20429: Trouble.BUSY,
    21211: Trouble.NO_SUCH_ADDRESS,
    21217: Trouble.NO_SUCH_ADDRESS,
    13223: Trouble.NO_SUCH_ADDRESS,  # of a call: no number at all
    13224: Trouble.NO_SUCH_ADDRESS,
    13227: Trouble.UNFIT,  # calls to this country are not switched on
    21210: Trouble.LOGIN,  # the number that calls is not this account's
    21212: Trouble.LOGIN,
    21215: Trouble.UNFIT,
    21216: Trouble.UNFIT,  # on their list of numbers that are not called
    21265: Trouble.UNFIT,  # to a short code
    21408: Trouble.UNFIT,  # this country is not switched on
    21421: Trouble.NO_SUCH_ADDRESS,
    21603: Trouble.LOGIN,  # no sender given
    21606: Trouble.LOGIN,  # the sender is not this account's
    21610: Trouble.OPTED_OUT,
    21611: Trouble.BUSY,  # the sender's queue is full
    21612: Trouble.UNFIT,  # no way from this sender to this number
    21614: Trouble.UNFIT,  # a landline: it may still be called
    21617: Trouble.UNFIT,  # too long
    21659: Trouble.LOGIN,  # the sender is no number of theirs
    # told later, in a receipt
    30003: Trouble.NOT_DELIVERED,
    30004: Trouble.REFUSED,  # blocked
    30005: Trouble.NO_SUCH_ADDRESS,
    30006: Trouble.UNFIT,  # landline or no way to this network
    30007: Trouble.REFUSED,  # filtered by the network
    30008: Trouble.NOT_DELIVERED,
    30034: Trouble.LOGIN,  # the sender is not registered
    30036: Trouble.NOT_DELIVERED,  # too late: it was valid for some hours only
    30410: Trouble.NOT_DELIVERED,
}
STAGES = {
    "accepted": Stage.TAKEN,
    "scheduled": Stage.TAKEN,
    "queued": Stage.TAKEN,
    "sending": Stage.TAKEN,
    "sent": Stage.TAKEN,
    "delivered": Stage.DELIVERED,
    "read": Stage.DELIVERED,
    "undelivered": Stage.FAILED,
    "failed": Stage.FAILED,
    "canceled": Stage.FAILED,
}


def client() -> Any:
    """Twilio's client, with its base address from the environment where that names another one."""
    from twilio.http.http_client import TwilioHttpClient  # noqa: PLC0415 - slow import
    from twilio.rest import Client  # noqa: PLC0415 - slow import

    class Elsewhere(TwilioHttpClient):  # type: ignore[misc]  # the package has no types
        """Each request on a connection of its own: one kept open may be dead, and then nobody knows."""

        last: Any = None

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            base = urlsplit(settings.TWILIO_API_URL)
            if base.netloc:
                url = urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc).geturl()
            self.last = super().request(method, url, *args, **kwargs)
            return self.last

    http = Elsewhere(pool_connections=False, timeout=settings.CHANNEL_TIMEOUT)
    return Client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=http)


def attempted(make: Callable[[Any], Made]) -> Made:
    """One creation, with what certainly did not happen as ChannelError; whatever else comes out is unclear."""
    from requests.exceptions import ConnectionError as NoConnection  # noqa: PLC0415 - slow import
    from twilio.base.exceptions import TwilioException  # noqa: PLC0415 - slow import

    api = client()
    try:
        return make(api)
    except NoConnection as error:
        if never_connected(error):
            raise ChannelError(Trouble.UNREACHABLE) from error
        raise
    except TwilioException as error:
        status, code = getattr(error, "status", 0), int(getattr(error, "code", 0) or 0)
        if status not in REFUSED and status != FOR_NOW:
            raise  # 500, 502, 504: it may have been taken all the same
        headers = getattr(api.http_client.last, "headers", None) or {}
        raise ChannelError(trouble_of(status, code), str(code), retry_after=asked_to_wait(headers)) from error


def trouble_of(status: int, code: int) -> Trouble:
    if code in CODES:
        return CODES[code]
    if status in {TOO_MANY, FOR_NOW}:
        return Trouble.BUSY
    return Trouble.LOGIN if status in LOGIN else Trouble.REFUSED


def is_made_since(found: Any, since: datetime) -> bool:
    """Of a message or call in their list, which names whole seconds."""
    return bool(found.date_created) and found.date_created >= since.replace(microsecond=0)


def callback(reference: str) -> str:
    """Where its receipts go; our reference stands in the address, so one may come before we know its id."""
    return f"{settings.PUBLIC_URL}/hooks/twilio/?{urlencode({'ref': reference})}"


def fields(body: bytes) -> QueryDict:
    """The form as it came; its signature goes over these."""
    return QueryDict(body.decode(errors="replace"))


def split(request: HttpRequest) -> list[tuple[str, str]]:
    """The pieces of one verified request: (an id that is the same when it is repeated, what to keep)."""
    form = fields(request.body).dict()
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    status = form.get("MessageStatus") or form.get("SmsStatus") or ""
    if not sid:
        return []
    return [(f"{sid}:{status}", urlencode({**form, "ref": request.GET.get("ref", "")}))]


def read(kept: str, *, at: datetime) -> Receipted | Said | None:
    form = dict(parse_qsl(kept, keep_blank_values=True))
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    if form.get("MessageStatus") in STAGES:
        code = form.get("ErrorCode") or "0"
        trouble = CODES.get(int(code) if code.isdecimal() else 0, Trouble.NOT_DELIVERED)
        return Receipted(form.get("ref", ""), sid, STAGES[form["MessageStatus"]], trouble, code)
    if "Body" in form and form.get("From"):
        brought = _brought(form)
        return Said(
            "sms",
            "phone",
            form["From"],
            form["Body"],
            at=at,
            to=form.get("To", ""),
            brought=brought,
            files=_files_of(form),
            may_act=not brought,
            asks_to_stop=form.get("OptOutType") == "STOP",
        )
    return None


KINDS = {"image": Brought.PICTURE, "audio": Brought.VOICE, "video": Brought.VIDEO}


def _brought(form: dict[str, str], number: int = 0) -> str:
    """Of an MMS, by the type of its first file, or of another one."""
    if form.get("NumMedia", "0") in {"", "0"}:
        return ""
    kind = form.get(f"MediaContentType{number}", "").partition("/")[0]
    return KINDS.get(kind, Brought.FILE)


def _files_of(form: dict[str, str]) -> tuple[Enclosed, ...]:
    """By their paths: the server is the one that we use for everything."""
    paths = [_path_of(form.get(f"MediaUrl{number}", "")) for number in range(MOST_FILES)]
    return tuple(Enclosed(_brought(form, number), path) for number, path in enumerate(paths) if path)


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # no address at all; the words beside it are heard
        return ""


def media(path: str, *, most: int) -> bytes:
    """A file of an MMS. Their own client reads answers as text, so it cannot; the address sends us on to a store."""
    login = base64.b64encode(f"{settings.TWILIO_ACCOUNT_SID}:{settings.TWILIO_AUTH_TOKEN}".encode()).decode()
    url = f"{(settings.TWILIO_API_URL or API_URL).rstrip('/')}/{path.lstrip('/')}"
    return fetched(url, most=most, follows=True, Authorization=f"Basic {login}")
