"""Mailgun, as its documentation has it: POST /v3/DOMAIN/messages, its errors, and signed webhooks.

https://documentation.mailgun.com: messages, webhooks (signature: HMAC-SHA256 of timestamp and token).
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from tests.standins.server import Answer, Request, StandIn, Trick

KEY, DOMAIN, SIGNING_KEY, BASIC = "key-0", "alon.example", "signing-key", "ours:secret"


def refuses(status: int, **headers: str) -> Trick:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Trick(answer=Answer(status, {"message": "…"}, named))


class Mailgun(StandIn):
    def answer(self, request: Request) -> Answer:
        expected = "Basic " + base64.b64encode(f"api:{KEY}".encode()).decode()
        if request.headers.get("authorization") != expected:
            return Answer(401, b"Forbidden")
        if request.path != f"/v3/{DOMAIN}/messages":
            return Answer(404, {"message": "Domain not found"})
        self.take(request.form, to=request.form["to"])
        return Answer(200, {"id": f"<{len(self.taken)}@{DOMAIN}>", "message": "Queued. Thank you."})


def event(kind: str, message_id: str, once: str = "t1", **more: Any) -> dict[str, Any]:
    signature = hmac.new(SIGNING_KEY.encode(), f"1773043200{once}".encode(), hashlib.sha256).hexdigest()
    about = {
        "event": kind,
        "timestamp": 1773043200.0,
        "recipient": "dana@example.com",
        "message": {"headers": {"message-id": message_id}},
        "user-variables": {},
    }
    whole = {
        "signature": {"timestamp": "1773043200", "token": once, "signature": signature},
        "event-data": {**about, **more},
    }
    return {
        "data": json.dumps(whole),
        "content_type": "application/json",
        "headers": {"Authorization": "Basic " + base64.b64encode(BASIC.encode()).decode()},
    }
