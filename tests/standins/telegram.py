"""Telegram's Bot API as core.telegram.org/bots/api documents it: sendMessage, getFile, their errors, and updates."""

import json
from typing import Any

from tests.standins.server import Answer, Request, StandIn, Trick

BOT, NAME, SECRET = "123456:bot-token", "alon_bot", "hook-secret"


def refuses(code: int, words: str, **parameters: int) -> Trick:
    more = {"parameters": parameters} if parameters else {}
    return Trick(answer=Answer(code, {"ok": False, "error_code": code, "description": words, **more}))


LARGEST = 20 * 1024 * 1024  # of a file that a bot may have


class Telegram(StandIn):
    def hands_out(self, request: Request) -> bool:
        return request.path.startswith("/file/")

    def answer(self, request: Request) -> Answer:
        if request.path.startswith(f"/file/bot{BOT}/photos/"):
            return Answer(200, self.files[request.path.rpartition("/")[2]], {"Content-Type": "image/jpeg"})
        if request.path == f"/bot{BOT}/getFile":
            return self.file(request.json["file_id"])
        if request.path != f"/bot{BOT}/sendMessage":
            return Answer(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        asked = request.json
        if not asked.get("text"):
            words = "Bad Request: message text is empty"
            return Answer(400, {"ok": False, "error_code": 400, "description": words})
        self.take(asked, to=str(asked["chat_id"]))
        chat = {"id": asked["chat_id"], "type": "private"}
        made = {"message_id": len(self.taken), "date": 1773043200, "chat": chat, "text": asked["text"]}
        return Answer(200, {"ok": True, "result": made})

    def file(self, file_id: str) -> Answer:
        content = self.files.get(file_id)
        if content is None or len(content) > LARGEST:
            words = "Bad Request: wrong file_id or the file is temporarily unavailable"
            words = words if content is None else "Bad Request: file is too big"
            return Answer(400, {"ok": False, "error_code": 400, "description": words})
        named = {"file_id": file_id, "file_unique_id": "U", "file_size": len(content)}
        return Answer(200, {"ok": True, "result": {**named, "file_path": f"photos/{file_id}"}})


def update(number: int, **what: Any) -> dict[str, Any]:
    return {
        "data": json.dumps({"update_id": number, **what}),
        "content_type": "application/json",
        "headers": {"X-Telegram-Bot-Api-Secret-Token": SECRET},
    }


def message(text: str, chat: int = 777, at: int = 1773043200) -> dict[str, Any]:
    who = {"id": chat, "first_name": "Dana"}
    return {"message_id": 5, "date": at, "from": who, "chat": {**who, "type": "private"}, "text": text}


def blocked(chat: int = 777) -> dict[str, Any]:
    member = {"user": {"id": 123456}, "status": "kicked", "until_date": 0}
    return {
        "chat": {"id": chat, "type": "private"},
        "date": 1773043200,
        "old_chat_member": {"user": {"id": 123456}, "status": "member"},
        "new_chat_member": member,
    }
