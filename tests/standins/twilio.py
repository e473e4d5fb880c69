"""Twilio, as its documentation has it: Messages.json and Calls.json, error bodies, lists, and signed callbacks.

https://www.twilio.com/docs/messaging/api/message-resource, /docs/messaging/api/media-resource,
/docs/voice/api/call-resource, /docs/voice/twiml,
/docs/voice/answering-machine-detection, /docs/usage/security (X-Twilio-Signature), /docs/usage/twilios-response
(errors: code, message, more_info, status).
"""

import base64
import hashlib
import hmac
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

from django.test import Client

from tests.conftest import NOW
from tests.standins.server import Answer, Request, StandIn, Trick

SID, TOKEN = "AC" + "0" * 32, "twilio-token"
MEDIA, STORE = f"/2010-04-01/Accounts/{SID}/Messages/MM1/Media/", "/store/"


def error(status: int, code: int, **headers: str) -> Answer:
    words = {
        "code": code,
        "message": "…",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return Answer(status, words, {name.replace("_", "-"): value for name, value in headers.items()})


def refuses(status: int, code: int, **headers: str) -> Trick:
    return Trick(answer=error(status, code, **headers))


class Twilio(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[dict[str, Any]] = []

    def hands_out(self, request: Request) -> bool:
        return request.path.startswith((MEDIA, STORE))

    def answer(self, request: Request) -> Answer:
        if request.path.startswith(STORE):
            return Answer(200, self.files[request.path.removeprefix(STORE)], {"Content-Type": "image/jpeg"})
        expected = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return error(401, 20003)
        if request.path.startswith(MEDIA):
            return self.file(request)
        if request.path == f"/2010-04-01/Accounts/{SID}/Calls.json":
            return self.call(request)
        if request.path != f"/2010-04-01/Accounts/{SID}/Messages.json":
            return error(404, 20404)
        return self.message(request)

    def message(self, request: Request) -> Answer:
        if request.method == "GET":
            found = [each for each in self.taken if each["to"] == request.query.get("To")]
            return Answer(200, {"messages": found[::-1], "next_page_uri": None, "page_size": 50})
        form = request.form
        if not form.get("To") or not (form.get("From") or form.get("MessagingServiceSid")):
            return error(400, 21604)
        if not form.get("Body"):
            return error(400, 21602)
        made = {
            "sid": f"SM{len(self.taken):032x}",
            "account_sid": SID,
            "to": form["To"],
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "body": form["Body"],
            "status": "queued",
            "error_code": None,
            "error_message": None,
            "num_segments": "1",
            "direction": "outbound-api",
            "date_created": format_datetime(NOW),
            "date_sent": None,
            "date_updated": format_datetime(NOW),
            "price": None,
            "uri": "",
            "status_callback": form.get("StatusCallback"),
        }
        self.take(made, to=form["To"])
        return Answer(201, made)

    def file(self, request: Request) -> Answer:
        """On to the store, on a server of its own, which needs no login; its address is good for four hours."""
        name = request.path.removeprefix(MEDIA)
        if name not in self.files:
            return error(404, 20404)
        return Answer(307, b"", {"Location": f"{self.url.replace('127.0.0.1', 'localhost')}{STORE}{name}"})

    def call(self, request: Request) -> Answer:
        if request.method == "GET":
            found = [each for each in self.calls if each["to"] == request.query.get("To")]
            return Answer(200, {"calls": found[::-1], "next_page_uri": None, "page_size": 50})
        form = request.form
        if not form.get("To") or not form.get("From"):
            return error(400, 21201 if not form.get("To") else 21213)
        if not form.get("Url") and not form.get("Twiml"):
            return error(400, 21205)
        made = {
            "sid": f"CA{len(self.calls):032x}",
            "account_sid": SID,
            "to": form["To"],
            "from": form["From"],
            "status": "queued",
            "answered_by": None,
            "direction": "outbound-api",
            "date_created": format_datetime(NOW),
            "date_updated": None,
            "start_time": None,
            "end_time": None,
            "duration": None,
            "uri": "",
        }
        self.take({**made, "asked": form}, to=form["To"], of=self.calls)
        return Answer(201, made)


class Line:
    """One call as it goes on: Twilio asks our addresses what to say, presses keys, and says how it ended."""

    def __init__(self, call: dict[str, Any]) -> None:
        self.call, self.heard, self.action, self.answered_by = call, "", "", ""

    def about(self, **more: str) -> dict[str, str]:
        """Every request of a call carries these."""
        return {
            "CallSid": self.call["sid"],
            "AccountSid": SID,
            "From": self.call["from"],
            "To": self.call["to"],
            "Direction": "outbound-api",
            "ApiVersion": "2010-04-01",
            **({"AnsweredBy": self.answered_by} if self.answered_by else {}),
            **more,
        }

    def pick_up(self, answered_by: str) -> None:
        """With machine detection, Twilio asks once it knows, or gives up knowing, who answered."""
        self.answered_by = answered_by
        self.hear(post(self.call["asked"]["Url"], self.about(CallStatus="in-progress")))

    def press(self, digit: str) -> None:
        self.hear(post(self.action, self.about(CallStatus="in-progress", Digits=digit, msg="Gather End")))

    def hear(self, answer: Any) -> None:
        assert answer.status_code == 200, answer.status_code
        assert answer["Content-Type"].startswith("text/xml")
        twiml = ET.fromstring(answer.content)  # noqa: S314 - our own
        assert twiml.tag == "Response"
        gather = twiml.find("Gather")
        self.action = gather.get("action", "") if gather is not None else ""
        said = list(twiml.iter("Say"))
        self.heard = said[0].text or "" if said else ""
        self.spoken_as = (said[0].get("language"), said[0].get("voice")) if said else None

    def ends(self, status: str = "completed", **more: str) -> int:
        told = {"CallStatus": status, "CallDuration": "21", **more}
        code: int = post(self.call["asked"]["StatusCallback"], self.about(**told)).status_code
        return code


def post(url: str, fields: dict[str, str], token: str = TOKEN) -> Any:
    """As Twilio posts to an address of ours."""
    parts = urlsplit(url)
    return Client().post(f"{parts.path}?{parts.query}", **callback(url, fields, token))


def signed(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    """As documented: the address, then every field's name and value in the order of the names."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def callback(url: str, fields: dict[str, str], token: str = TOKEN) -> dict[str, Any]:
    """What Django's test client posts in Twilio's place."""
    return {
        "data": urlencode(fields),
        "content_type": "application/x-www-form-urlencoded",
        "headers": {"X-Twilio-Signature": signed(url, fields, token)},
    }
