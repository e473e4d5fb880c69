"""E-mail through a real SMTP server on loopback: what arrives, and what each refusal means."""

import email
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import LazySettings

from outreach.channels import ChannelError, Message, Trouble
from outreach.channels.email import EmailTransport

MESSAGE = Message(
    reference="7f9c2c1e-0000-4000-8000-000000000001",
    to="dana@example.com",
    sender="מרפאת אלון",
    reply_to="desk@alon.example",
    language="he",
    subject="הכול הגיע",
    body="שלום דנה, כאן מרפאת אלון. הכול הגיע.",
)


class Postman:
    """Keeps what arrives, or refuses as told."""

    def __init__(self) -> None:
        self.arrived: list[EmailMessage] = []
        self.on_recipient = "250 OK"
        self.on_data = "250 OK"

    async def handle_RCPT(  # noqa: N802 - the server's own name and signature
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if self.on_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.on_recipient

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.on_data.startswith("250"):
            self.arrived.append(email.message_from_bytes(envelope.content, policy=default))
        return self.on_data


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def postman(settings: LazySettings) -> Iterator[Postman]:
    handler = Postman()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEFAULT_FROM_EMAIL = "clinic@alon.example"
    yield handler
    controller.stop()


def test_a_mail_arrives_whole_with_our_reference_and_a_way_to_answer(postman: Postman) -> None:
    receipt = EmailTransport().send(MESSAGE)
    (mail,) = postman.arrived
    assert (mail["Subject"], mail["To"], mail["Reply-To"]) == (MESSAGE.subject, MESSAGE.to, MESSAGE.reply_to)
    assert mail["From"].addresses[0].display_name == MESSAGE.sender
    assert mail.get_content().strip() == MESSAGE.body
    assert mail["Message-ID"] == receipt.provider_reference == f"<{MESSAGE.reference}@alon.example>"


@pytest.mark.parametrize(
    ("on_recipient", "on_data", "trouble", "bad"),
    [
        ("550 no such user", "250 OK", Trouble.NO_SUCH_ADDRESS, True),
        ("451 try later", "250 OK", Trouble.BUSY, False),
        ("250 OK", "452 full", Trouble.BUSY, False),
        ("250 OK", "554 looks like spam", Trouble.REFUSED, False),
    ],
)
def test_a_refusal_is_named_and_nothing_arrives(
    postman: Postman, on_recipient: str, on_data: str, trouble: Trouble, bad: bool
) -> None:
    postman.on_recipient, postman.on_data = on_recipient, on_data
    with pytest.raises(ChannelError) as caught:
        EmailTransport().send(MESSAGE)
    assert (caught.value.trouble, caught.value.address_is_bad, postman.arrived) == (trouble, bad, [])


@pytest.mark.parametrize(("said", "of_one"), [("450 busy", True), ("452 full", True), ("451 later", False)])
def test_one_mailbox_that_hesitates_says_nothing_of_the_server(
    postman: Postman, said: str, of_one: bool
) -> None:
    postman.on_recipient = said
    with pytest.raises(ChannelError) as caught:
        EmailTransport().send(MESSAGE)
    assert caught.value.of_one == of_one


def test_a_server_that_is_not_there_has_certainly_sent_nothing(
    postman: Postman, settings: LazySettings
) -> None:
    settings.EMAIL_PORT = 1
    with pytest.raises(ChannelError) as caught:
        EmailTransport().send(MESSAGE)
    assert caught.value.trouble == Trouble.UNREACHABLE


def test_a_header_cannot_be_smuggled_in(postman: Postman) -> None:
    EmailTransport().send(Message(**{**vars(MESSAGE), "subject": "Hello\nBcc: all@example.com"}))
    assert postman.arrived[0]["Bcc"] is None
