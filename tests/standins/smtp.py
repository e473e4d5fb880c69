"""A mail server on loopback that speaks real SMTP (aiosmtpd, RFC 5321), keeps the truth, and can misbehave."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller

from tests.standins.server import StandIn


class Mails(StandIn):
    """One trick a mail: its `answer.status` is the reply to DATA, 550 that to the recipient."""

    host, port = "127.0.0.1", 0

    async def handle_RCPT(  # noqa: N802 - the server's own name and signature
        self, server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        self.trick = self.trick_for(address)
        if self.trick.answer and self.trick.answer.status == 550:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        trick = self.trick
        if trick.takes:
            self.take({"to": envelope.rcpt_tos[0]}, to=envelope.rcpt_tos[0])
        if trick.is_slow:
            await asyncio.sleep(1)
        if trick.hangs_up or trick.is_slow:
            server.transport.close()
        return f"{trick.answer.status} as told" if trick.answer else "250 OK"


@contextmanager
def mail_served(stand_in: Mails) -> Iterator[Mails]:
    with socket.socket() as probe:
        probe.bind((stand_in.host, 0))
        stand_in.port = probe.getsockname()[1]
    controller = Controller(stand_in, hostname=stand_in.host, port=stand_in.port)
    controller.start()
    try:
        yield stand_in
    finally:
        controller.stop()
