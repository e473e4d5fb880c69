"""Twilio, as its documentation has it: Messages.json, its error body, its list, and its signed callbacks.

https://www.twilio.com/docs/messaging/api/message-resource, /docs/usage/security (X-Twilio-Signature),
/docs/usage/twilios-response (errors: code, message, more_info, status).
"""

import base64
import hashlib
import hmac
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from tests.conftest import NOW
from tests.standins.server import Answer, Request, StandIn, Trick

SID, TOKEN = "AC" + "0" * 32, "twilio-token"


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
    def answer(self, request: Request) -> Answer:
        expected = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return error(401, 20003)
        if request.path != f"/2010-04-01/Accounts/{SID}/Messages.json":
            return error(404, 20404)
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
        self.taken.append(made)
        return Answer(201, made)


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
