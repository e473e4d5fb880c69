"""WhatsApp's Cloud API as Meta documents it: /messages, its errors, its signed webhooks, and what people send.

https://developers.facebook.com/docs/whatsapp/cloud-api: reference/messages, reference/media, support/error-codes,
webhooks. A file's id is good for seven days, the address that it leads to for five minutes.
"""

import hashlib
import hmac
import json
from typing import Any

from tests.standins.server import Answer, Request, StandIn, Trick

PHONE_ID, TOKEN, APP_SECRET, VERIFY = "1065", "meta-token", "app-secret", "our-own-words"


def refuses(status: int, code: int, **headers: str) -> Trick:
    words = {"message": f"(#{code}) …", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Trick(answer=Answer(status, {"error": words}, named))


class Meta(StandIn):
    def hands_out(self, request: Request) -> bool:
        return request.method == "GET"

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"error": {"message": "…", "type": "OAuthException", "code": 190}})
        if request.method == "GET":
            return self.file(request)
        if request.path != f"/v23.0/{PHONE_ID}/messages":
            return Answer(404, {"error": {"message": "…", "type": "GraphMethodException", "code": 100}})
        asked = request.json
        content = asked.get(asked.get("type"))
        if asked.get("messaging_product") != "whatsapp" or not asked.get("to") or not content:
            return Answer(400, {"error": {"message": "…", "type": "OAuthException", "code": 100}})
        self.take(asked, to=asked["to"])
        made = {"id": f"wamid.{len(self.taken)}"}
        contact = {"input": asked["to"], "wa_id": asked["to"]}
        return Answer(200, {"messaging_product": "whatsapp", "contacts": [contact], "messages": [made]})

    def file(self, request: Request) -> Answer:
        if request.path == "/whatsapp_business/attachments/":
            content = self.files[request.query["mid"]]
            return Answer(200, content, {"Content-Type": "application/octet-stream"})
        media_id = request.path.removeprefix("/v23.0/")
        if media_id not in self.files:
            missing = {"message": "Unsupported get request. …", "code": 100, "error_subcode": 33}
            return Answer(400, {"error": {"type": "GraphMethodException", **missing}})
        return Answer(200, self.told_of(media_id))

    def told_of(self, media_id: str) -> dict[str, Any]:
        content = self.files[media_id]
        return {
            "messaging_product": "whatsapp",
            "url": f"{self.url}/whatsapp_business/attachments/?mid={media_id}&ext=1773043500&hash=A",
            "mime_type": "image/jpeg",
            "sha256": hashlib.sha256(content).hexdigest(),
            "file_size": len(content),
            "id": media_id,
        }


def event(**value: Any) -> bytes:
    """As Meta writes it: every letter that is not ASCII escaped."""
    metadata = {"display_phone_number": "97235550142", "phone_number_id": PHONE_ID}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    whole = {"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": [change]}]}
    return json.dumps(whole, separators=(",", ":")).encode()


def status(wamid: str, state: str, reference: str = "", **more: Any) -> dict[str, Any]:
    given = {"biz_opaque_callback_data": reference} if reference else {}
    told = {"id": wamid, "status": state, "timestamp": "1773043200", "recipient_id": "972502345678"}
    return {**told, **given, **more}


def text(wamid: str, body: str, who: str = "972502345678", at: int = 1773043200) -> dict[str, Any]:
    return {"from": who, "id": wamid, "timestamp": str(at), "type": "text", "text": {"body": body}}


def callback(body: bytes, secret: str = APP_SECRET) -> dict[str, Any]:
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "data": body,
        "content_type": "application/json",
        "headers": {"X-Hub-Signature-256": signature},
    }
