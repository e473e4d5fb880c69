"""Telegram over its Bot API, as core.telegram.org/bots/api has it.

A bot cannot write first: a patient links herself with a one-time token. There is no key by which a repeat would be
recognised, no list to look in and no receipt of delivery.
"""

import json
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest

from outreach.channels.base import Abilities, ChannelError, Message, Receipt, Trouble, WhenUnclear
from outreach.channels.http import posted
from outreach.channels.inbound import Receipted, Said

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
    """What somebody wrote or pressed in a talk with the bot alone; groups are none of our business."""
    update = json.loads(kept)
    pressed = update.get("callback_query")
    changed = update.get("my_chat_member")
    message = pressed.get("message", {}) if pressed else update.get("message") or changed or {}
    chat = message.get("chat", {})
    if chat.get("type") != "private":
        return None
    stopped = bool(changed) and changed.get("new_chat_member", {}).get("status") == "kicked"
    if changed and not stopped:
        return None
    text = pressed.get("data", "") if pressed else message.get("text") or message.get("caption") or ""
    if not text and not stopped:
        text = f"[{_kind_of(message)}]"
    said_at = message.get("date")
    when = datetime.fromtimestamp(said_at, UTC) if isinstance(said_at, int) and not pressed else at
    return Said(
        "telegram",
        "telegram",
        str(chat["id"]),
        text,
        at=min(when, at),
        name=chat.get("first_name", ""),
        stopped=stopped,
    )


def _kind_of(message: dict[str, object]) -> str:
    known = ("photo", "voice", "document", "video", "audio", "sticker", "location", "contact")
    return next((kind for kind in known if kind in message), "message")
