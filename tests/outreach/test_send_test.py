"""`send_test`: one message past every plan, and words that say what is wrong."""

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from tests.standins import meta, twilio as twilio_api
from tests.standins.meta import Meta
from tests.standins.server import Trick
from tests.standins.telegram import Telegram
from tests.standins.twilio import Twilio


def run(*words: str) -> str:
    said = StringIO()
    call_command("send_test", *words, stdout=said)
    return said.getvalue()


def test_it_goes_to_the_named_number_though_the_gate_is_shut(twilio: Twilio) -> None:
    assert run("sms", "050-234-5678").startswith("Taken by twilio: SM")
    assert twilio.taken[0]["to"] == "+972502345678"


def test_whatsapp_begins_with_a_template(whatsapp: Meta) -> None:
    run("whatsapp", "050-234-5678", "--template", "hello_world", "--language", "en_US")
    assert whatsapp.taken[0]["template"] == {"name": "hello_world", "language": {"code": "en_US"}}


def test_telegram_goes_to_a_chat(bot: Telegram) -> None:
    run("telegram", "777")
    assert bot.taken[0]["chat_id"] == 777


def test_a_call_is_made_and_asks_nothing(calls: Twilio) -> None:
    assert run("voice", "050-234-5678").startswith("Taken by voice: CA")
    (made,) = calls.calls
    assert made["to"] == "+972502345678"
    assert "<Say" in made["asked"]["Twiml"]
    assert "Url" not in made["asked"]


@pytest.mark.parametrize(
    ("trick", "words"),
    [
        (twilio_api.refuses(401, 20003), "does not accept our login. (login 20003)"),
        (Trick(hangs_up=True), "it may have been sent"),
    ],
)
def test_what_goes_wrong_is_said(twilio: Twilio, trick: Trick, words: str) -> None:
    twilio.tricks.append(trick)
    with pytest.raises(CommandError) as caught:
        run("sms", "050-234-5678")
    assert words in str(caught.value)


def test_a_channel_that_is_off_says_why(twilio: Twilio, settings: LazySettings) -> None:
    settings.TWILIO_AUTH_TOKEN = ""
    with pytest.raises(CommandError, match="sms is off: TWILIO_AUTH_TOKEN is not set"):
        run("sms", "050-234-5678")
    with pytest.raises(CommandError, match="email is off: no provider is set"):
        run("email", "a@b.example")


def test_a_number_that_is_none_is_refused(whatsapp: Meta) -> None:
    with pytest.raises(CommandError, match="not a phone number"):
        run("whatsapp", "12")
    assert meta.PHONE_ID
    assert whatsapp.requests == []
