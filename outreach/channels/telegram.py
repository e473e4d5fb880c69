"""Telegram over its Bot API, as core.telegram.org/bots/api has it.

A bot cannot write first: a patient links herself with a one-time token. There is no key by which a repeat would be
recognised, no list to look in and no receipt of delivery.
"""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest

from outreach.channels.base import Abilities, ChannelError, Message, Receipt, Trouble, WhenUnclear
from outreach.channels.http import asked, fetched, posted
from outreach.channels.inbound import FILES, Brought, Enclosed, Receipted, Said

FORBIDDEN, BAD_REQUEST, LOGIN = 403, 400, {401, 404}


class TelegramTransport:
    abilities = Abilities(WhenUnclear.ASK_A_PERSON, can_write_first=False, longest=4096, tells_delivery=False)
    keys = ("TELEGRAM_BOT_TOKEN", "TELEGRAM_BOT_NAME", "TELEGRAM_WEBHOOK_SECRET")
    secrets: tuple[str, ...] = ("TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET")
    per_second = "TELEGRAM_PER_SECOND"

    def send(self, message: Message) -> Receipt:
        if len(message.body) > self.abilities.longest:
            raise ChannelError(Trouble.UNFIT, "too long")
        content = {
            "chat_id": int(message.to),
            "text": message.body,
            "link_preview_options": {"is_disabled": True},  # their servers would open the patient's link
        }
        url = f"{settings.TELEGRAM_API_URL}/bot{settings.TELEGRAM_BOT_TOKEN}/sendMessage"
        status, answer = posted(url, content)
        if not answer.get("ok"):
            words = str(answer.get("description", ""))
            raise ChannelError(_trouble(status, words), str(answer.get("error_code", status)))
        return Receipt(str(answer["result"]["message_id"]))

    def fetch(self, reference: str, *, most: int) -> bytes:
        """Of at most 20 MB: they hand out no larger ones. The path is asked for each time; it is good for an hour."""
        token = settings.TELEGRAM_BOT_TOKEN
        status, answer = asked(f"{settings.TELEGRAM_API_URL}/bot{token}/getFile", {"file_id": reference})
        if not answer.get("ok"):
            words = str(answer.get("description", ""))
            raise ChannelError(_trouble_of_a_file(status, words), str(answer.get("error_code", status)))
        path = quote(str(answer["result"].get("file_path", "")))
        return fetched(f"{settings.TELEGRAM_API_URL}/file/bot{token}/{path}", most=most)


def _trouble_of_a_file(status: int, words: str) -> Trouble:
    if status == BAD_REQUEST:
        return Trouble.TOO_LARGE if "too big" in words else Trouble.GONE
    return Trouble.LOGIN if status in LOGIN else Trouble.REFUSED


def _trouble(status: int, words: str) -> Trouble:
    """Telegram tells these apart in words only; the words are its documented ones."""
    if status == FORBIDDEN:
        stopped = "blocked by the user" in words or "deactivated" in words or "kicked" in words
        return Trouble.OPTED_OUT if stopped else Trouble.UNFIT
    if status == BAD_REQUEST and "chat not found" in words:
        return Trouble.NO_SUCH_ADDRESS
    return Trouble.LOGIN if status in LOGIN else Trouble.UNFIT


def split(request: HttpRequest) -> list[tuple[str, str]]:
    update = json.loads(request.body)
    return [(str(update["update_id"]), json.dumps(update))]


def read(kept: str, *, at: datetime) -> Receipted | Said | None:
    """What somebody wrote, changed or pressed in a talk with the bot alone; groups are none of our business."""
    update = json.loads(kept)
    pressed = update.get("callback_query")
    membership = update.get("my_chat_member")
    written = update.get("message") or update.get("edited_message")
    message = (pressed.get("message") if pressed else written or membership) or {}
    chat = message.get("chat", {})
    if chat.get("type") != "private":
        return None
    stopped = bool(membership) and membership.get("new_chat_member", {}).get("status") == "kicked"
    if membership and not stopped:
        return None
    brought, told = _brought(message) if written else ("", "")
    text = pressed.get("data", "") if pressed else message.get("text") or message.get("caption") or told
    said_at = message.get("edit_date") or message.get("date")
    when = datetime.fromtimestamp(said_at, UTC) if isinstance(said_at, int) and not pressed else at
    return Said(
        "telegram",
        "telegram",
        str(chat["id"]),
        text,
        at=min(when, at),
        name=chat.get("first_name", ""),
        stopped=stopped,
        answers=_answered(message),
        brought=brought,
        files=_files_of(message, brought),
        is_changed="edited_message" in update,
        may_act=not brought,
    )


def _answered(message: dict[str, Any]) -> str:
    """Which message of the bot's she answers, where she says so."""
    quoted = message.get("reply_to_message") or {}
    return str(quoted.get("message_id", "")) if quoted.get("from", {}).get("is_bot") else ""


BROUGHT = {
    "photo": Brought.PICTURE,
    "animation": Brought.PICTURE,
    "voice": Brought.VOICE,
    "audio": Brought.VOICE,
    "video": Brought.VIDEO,
    "video_note": Brought.VIDEO,
    "document": Brought.FILE,
    "sticker": Brought.STICKER,
    "location": Brought.PLACE,
    "contact": Brought.CONTACT,
}


def _brought(message: dict[str, Any]) -> tuple[str, str]:
    """What is no text, and what of it can be written down: a number to call, a place, a sticker's sign."""
    if "text" in message:
        return "", ""
    kind, content = _content_of(message)
    if kind == "contact":
        names = ("first_name", "last_name", "phone_number")
        return Brought.CONTACT, " ".join(str(content[name]) for name in names if content.get(name))
    if kind == "location":
        return Brought.PLACE, f"{content.get('latitude')}, {content.get('longitude')}"
    return BROUGHT.get(kind, Brought.OTHER), str(content.get("emoji", "")) if kind == "sticker" else ""


def _content_of(message: dict[str, Any]) -> tuple[str, Any]:
    kind = next((kind for kind in BROUGHT if kind in message), "")
    return kind, message.get(kind) or {}


def _files_of(message: dict[str, Any], brought: str) -> tuple[Enclosed, ...]:
    """Of a picture they name several sizes, the largest last."""
    _kind, content = _content_of(message)
    file = content[-1] if isinstance(content, list) else content
    if brought not in FILES or "file_id" not in file:
        return ()
    return (Enclosed(brought, str(file["file_id"]), str(file.get("file_name", ""))),)
