"""WhatsApp over Meta's Cloud API, as its documentation has it (developers.facebook.com, Cloud API).

Our own words only within 24 hours of the patient's; else a template that Meta approved. There is no key by which
a repeated message would be recognised, and no list to look in. An identity is an address of its own: an id of
theirs, which may hold no phone number at all.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpRequest

from outreach.channels.base import Abilities, ChannelError, Message, Receipt, Trouble, WhenUnclear
from outreach.channels.http import LOGIN, REFUSED, asked, fetched, posted
from outreach.channels.inbound import FILES, Brought, Enclosed, Receipted, Said, Stage

CODES = {
    0: Trouble.LOGIN,
    3: Trouble.LOGIN,
    4: Trouble.BUSY,
    10: Trouble.LOGIN,
    33: Trouble.LOGIN,  # our number is gone
    100: Trouble.UNFIT,
    190: Trouble.LOGIN,  # the token has expired
    368: Trouble.LOGIN,
    80007: Trouble.BUSY,
    130429: Trouble.BUSY,
    130472: Trouble.REFUSED,  # an experiment of theirs
    131008: Trouble.UNFIT,
    131009: Trouble.UNFIT,
    131021: Trouble.UNFIT,
    131026: Trouble.UNFIT,  # not on WhatsApp, or an old version
    131030: Trouble.UNFIT,  # our number is on trial and may write to a few only
    131031: Trouble.LOGIN,
    131042: Trouble.LOGIN,  # not paid
    131045: Trouble.LOGIN,
    131047: Trouble.UNFIT,  # more than 24 hours
    131048: Trouble.BUSY,
    131049: Trouble.REFUSED,  # they chose not to deliver it
    131050: Trouble.OPTED_OUT,
    131051: Trouble.UNFIT,
    131053: Trouble.BUSY,
    131056: Trouble.BUSY,
    132000: Trouble.UNFIT,  # the template has other places to fill
    132001: Trouble.UNFIT,  # no such template in this language
    132005: Trouble.UNFIT,
    132007: Trouble.UNFIT,
    132012: Trouble.UNFIT,
    132015: Trouble.UNFIT,  # the template is paused
    132016: Trouble.UNFIT,
    133010: Trouble.LOGIN,
    133016: Trouble.BUSY,
}
NO_SUCH_FILE = {100, 131052}
THEIR_SERVERS = (".fbsbx.com", ".fbcdn.net", ".facebook.com", ".whatsapp.net")
OF_ONE = {131056}  # too many to this one person
STAGES = {
    "sent": Stage.TAKEN,
    "delivered": Stage.DELIVERED,
    "read": Stage.DELIVERED,
    "played": Stage.DELIVERED,
    "failed": Stage.FAILED,
}


class WhatsAppTransport:
    abilities = Abilities(WhenUnclear.ASK_A_PERSON, only_approved_words=True, longest=4096)
    keys = ("WHATSAPP_PHONE_ID", "WHATSAPP_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN")
    secrets: tuple[str, ...] = ("WHATSAPP_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN")
    per_second = "WHATSAPP_PER_SECOND"

    def send(self, message: Message) -> Receipt:
        content = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to" if message.to.isdecimal() else "recipient": message.to,
            "biz_opaque_callback_data": message.reference,
            **_words(message),
        }
        url = f"{settings.WHATSAPP_API_URL}/{settings.WHATSAPP_PHONE_ID}/messages"
        status, answer = posted(url, content, Authorization=f"Bearer {settings.WHATSAPP_TOKEN}")
        if "error" in answer or status in REFUSED:
            code = _code_of(answer.get("error"))
            raise ChannelError(_trouble(status, code), str(code), of_one=code in OF_ONE)
        return Receipt(str(answer["messages"][0]["id"]))

    def fetch(self, reference: str, *, most: int) -> bytes:
        """Its address is asked for each time, as it is good for some minutes only; the id is for seven days."""
        login = f"Bearer {settings.WHATSAPP_TOKEN}"
        status, told = asked(f"{settings.WHATSAPP_API_URL}/{quote(reference, safe='')}", Authorization=login)
        if "error" in told or status in REFUSED:
            code = _code_of(told.get("error"))
            raise ChannelError(Trouble.GONE if code in NO_SUCH_FILE else _trouble(status, code), str(code))
        url = str(told.get("url", ""))
        if not _is_theirs(url):
            raise ChannelError(Trouble.REFUSED, "another address")
        if int(told.get("file_size") or 0) > most:
            raise ChannelError(Trouble.TOO_LARGE)
        content = fetched(url, most=most, Authorization=login)
        if str(told.get("sha256", "")) not in _digests(content):
            raise ChannelError(Trouble.DAMAGED)
        return content


def _is_theirs(url: str) -> bool:
    """Our token goes to Meta's own servers alone, or to the relay that speaks for them."""
    asked_at, api = urlsplit(url), urlsplit(settings.WHATSAPP_API_URL)
    if (asked_at.scheme, asked_at.netloc) == (api.scheme, api.netloc):
        return True
    return asked_at.scheme == "https" and f".{asked_at.hostname}".endswith(THEIR_SERVERS)


def _digests(content: bytes) -> set[str]:
    """SHA-256 as they write it: in their answers in hexadecimal, in their events in base64."""
    digest = hashlib.sha256(content)
    return {digest.hexdigest(), base64.b64encode(digest.digest()).decode()}


def _words(message: Message) -> dict[str, Any]:
    """Free text as an answer, else the approved template with its places filled in order."""
    if message.may_be_free:
        if len(message.body) > WhatsAppTransport.abilities.longest:
            raise ChannelError(Trouble.UNFIT, "too long")
        return {"type": "text", "text": {"preview_url": False, "body": message.body}}
    if not message.approved_as:
        raise ChannelError(Trouble.UNFIT, "no approved template")
    template: dict[str, Any] = {"name": message.approved_as, "language": {"code": message.language}}
    if message.values:
        filled = [{"type": "text", "text": " ".join(value.split())} for value in message.values]
        template["components"] = [{"type": "body", "parameters": filled}]
    return {"type": "template", "template": template}


def _code_of(error: Any) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else -1


def _trouble(status: int, code: int) -> Trouble:
    return CODES.get(code, Trouble.LOGIN if status in LOGIN or 200 <= code <= 299 else Trouble.REFUSED)  # noqa: PLR2004 - their range for permissions


def genuine(body: bytes, signature: str, secret: str) -> bool:
    """X-Hub-Signature-256: over the bytes as they came, since writing the JSON anew would change them."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def split(request: HttpRequest) -> list[tuple[str, str]]:
    """One request may hold many receipts and messages; each is kept apart, under an id that a repeat has too."""
    pieces = []
    for value in _changes(json.loads(request.body)):
        if value.get("metadata", {}).get("phone_number_id") not in {None, settings.WHATSAPP_PHONE_ID}:
            continue  # another number of the same account
        names = {
            each.get("wa_id") or each.get("user_id"): each.get("profile", {}).get("name", "")
            for each in value.get("contacts", [])
        }
        pieces += [(f"{each['id']}:{each['status']}", {"status": each}) for each in value.get("statuses", [])]
        for each in value.get("messages", []):
            who = each.get("from") or each.get("from_user_id")
            pieces.append((str(each["id"]), {"message": each, "name": names.get(who, "")}))
    return [(event_id[:200], json.dumps(piece)) for event_id, piece in pieces]


def _changes(data: Any) -> Iterator[dict[str, Any]]:
    for entry in data.get("entry", []):
        for change in entry.get("changes", []):
            if change.get("field") == "messages":
                yield change.get("value", {})


def read(kept: str, *, at: datetime) -> Receipted | Said | None:
    piece = json.loads(kept)
    if status := piece.get("status"):
        stage = STAGES.get(status["status"])
        code = _code_of((status.get("errors") or [{}])[0])
        reference = status.get("biz_opaque_callback_data", "")
        trouble = CODES.get(code, Trouble.NOT_DELIVERED)
        return Receipted(reference, status["id"], stage, trouble, str(code)) if stage else None
    return _said(piece["message"], piece.get("name", ""), at=at)


def _said(message: dict[str, Any], name: str, *, at: datetime) -> Said | None:
    who = message.get("from") or message.get("from_user_id") or ""
    said_at = message.get("timestamp", "")
    when = datetime.fromtimestamp(int(said_at), UTC) if said_at.isdecimal() else at
    is_changed = message.get("type") == "edit"
    if is_changed:  # she has changed what she wrote: the new words hold
        message = message["edit"]["message"]
    if message.get("type") == "reaction" and not message["reaction"].get("emoji"):
        return None  # a sign that was taken back
    brought, text = _content_of(message)
    return Said(
        "whatsapp",
        "whatsapp",
        who,
        text,
        at=min(when, at),
        name=name,
        answers=_answered(message, who),
        brought=brought,
        files=_files_of(message, brought),
        is_changed=is_changed,
        may_act=not brought,
    )


def _answered(message: dict[str, Any], who: str) -> str:
    """Which message of ours she answers, where she says so; one of her own may be quoted, too."""
    quoted = message.get("context") or {}
    return "" if quoted.get("from") == who else str(quoted.get("id", ""))


WORDS = {"text": "body", "button": "text"}
BROUGHT = {
    "image": Brought.PICTURE,
    "audio": Brought.VOICE,
    "video": Brought.VIDEO,
    "document": Brought.FILE,
    "sticker": Brought.STICKER,
    "location": Brought.PLACE,
    "contacts": Brought.CONTACT,
    "reaction": Brought.REACTION,
}
SAID_IN = ("caption", "filename", "emoji", "body")  # the words beside or in what is no text


def _content_of(message: dict[str, Any]) -> tuple[str, str]:
    """What is no text, and what can be written down of it or of her words."""
    kind = message.get("type", "")
    content = message.get(kind) or {}
    if kind in WORDS:
        return "", str(content.get(WORDS[kind], ""))
    if kind == "interactive" and ("button_reply" in content or "list_reply" in content):
        chosen = content.get("button_reply") or content.get("list_reply") or {}
        return "", str(chosen.get("title", ""))
    brought = BROUGHT.get(kind, Brought.OTHER)
    if kind == "contacts":
        return brought, ", ".join(_of_contact(each) for each in content)
    if kind == "location":
        named = [str(content[each]) for each in ("name", "address") if content.get(each)]
        return brought, ", ".join([*named, f"{content.get('latitude')}, {content.get('longitude')}"])
    words = [str(content[each]) for each in SAID_IN if content.get(each)] if isinstance(content, dict) else []
    return brought, " ".join(words)


def _files_of(message: dict[str, Any], brought: str) -> tuple[Enclosed, ...]:
    content = message.get(message.get("type", ""))
    if brought not in FILES or not isinstance(content, dict) or "id" not in content:
        return ()
    return (Enclosed(brought, str(content["id"]), str(content.get("filename", ""))),)


def _of_contact(contact: dict[str, Any]) -> str:
    numbers = [str(each.get("phone", "")) for each in contact.get("phones", [])]
    return " ".join([str(contact.get("name", {}).get("formatted_name", "")), *numbers]).strip()
