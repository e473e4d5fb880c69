"""A provider's stand-in on loopback: a real HTTP server that keeps the truth, and can be told to misbehave.

What it answers is written from the provider's public documentation; our channels talk to it with the client
libraries that they use in production. `taken` is what the provider would really send to a phone; with a `ledger`
each stands there too, one line a contact, on disk before the caller hears of it.
"""

import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DROPS, PAUSE = 600, 0.05


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: int
    content: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trick:
    """What goes wrong with one request. The message is taken or not, whatever the caller hears of it."""

    answer: Answer | None = None  # said instead of the usual answer; nothing is taken
    takes: bool = False  # it is taken all the same
    hangs_up: bool = False  # the connection ends without an answer
    is_slow: bool = False  # no answer before the caller has given up
    drips: bool = False  # the content of the answer comes drop by drop, and very many of them


class StandIn:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.taken: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}  # what somebody sent, by the name under which it is handed out
        self.tricks: deque[Trick] = deque()
        self.played: list[tuple[Trick, str]] = []  # with what was to be sent
        self.url = ""
        self.closing = threading.Event()
        self.ledger: Path | None = None
        self.tells: Callable[[dict[str, Any]], None] | None = (
            None  # before the caller hears that it was taken
        )

    def trick_for(self, what: str) -> Trick:
        trick = self.tricks.popleft() if self.tricks else Trick(takes=True)
        self.played.append((trick, what))
        return trick

    def take(self, what: dict[str, Any], *, to: str, of: list[dict[str, Any]] | None = None) -> None:
        (self.taken if of is None else of).append(what)
        if self.ledger:
            with self.ledger.open("a") as file:
                file.write(f"{to}\n")
                file.flush()
                os.fsync(file.fileno())
        if self.tells:
            self.tells(what)

    def hands_out(self, request: Request) -> bool:
        """Whether a file is asked for; then, as when something is sent, a trick is played."""
        return False

    def answer(self, request: Request) -> Answer:
        """As the provider answers when nothing goes wrong; takes the message."""
        raise NotImplementedError


@contextmanager
def served(stand_in: StandIn) -> Iterator[StandIn]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(stand_in))
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_of(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            stand_in.requests.append(request)
            is_played = request.method == "POST" or stand_in.hands_out(request)
            trick = stand_in.trick_for(request.body.decode()) if is_played else Trick(takes=True)
            answer = stand_in.answer(request) if trick.takes else None
            answer = trick.answer or answer
            if trick.is_slow:
                stand_in.closing.wait(10)
            if trick.hangs_up or trick.is_slow or answer is None:
                self.close_connection = True
                return
            self.write(answer, drips=trick.drips)

        def write(self, answer: Answer, *, drips: bool) -> None:
            content = (
                answer.content if isinstance(answer.content, bytes) else json.dumps(answer.content).encode()
            )
            self.send_response(answer.status)
            for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
                self.send_header(name, value)
            if drips:
                _drip(self, stand_in.closing)
                return
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_any  # noqa: N815 - the server's own names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has
            """The tests say what went wrong."""

    return Handler


def _drip(handler: BaseHTTPRequestHandler, closing: threading.Event) -> None:
    """More than anybody waits for, each drop well within the time limit of one read; its end has no length."""
    handler.close_connection = True
    handler.end_headers()
    with suppress(OSError):  # the caller has ended it
        for _drop in range(DROPS):
            handler.wfile.write(b"drop")
            if closing.wait(PAUSE):
                return
