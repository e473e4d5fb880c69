"""Send one message over one channel, past every plan: does the account work, and does it arrive?"""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from outreach.channels import PHONE, TRANSPORTS, ChannelError, Message, by_machine, missing_keys
from patients.actions import RefusedError, normal_phone
from patients.models import Channel

WORDS = "This is a test of Clinic Journey. If you can read it, the channel works."
LANGUAGE = "en"


class Command(BaseCommand):
    help = "Send a test message: send_test sms +972502345678. The gate does not hold it back, as you name the address."

    def add_arguments(self, parser: ArgumentParser) -> None:
        machines = [channel for channel in Channel.values if channel != PHONE]
        parser.add_argument("channel", choices=machines)
        parser.add_argument("address", help="A phone number, an e-mail address, or a Telegram chat's number.")
        parser.add_argument(
            "--template", default="", help="WhatsApp: an approved template without places, to begin a talk."
        )
        parser.add_argument("--language", default=LANGUAGE, help="The language of the template, e.g. en_US.")

    def handle(self, *_args: Any, **options: Any) -> None:
        channel = options["channel"]
        transport = by_machine().get(channel)
        if transport is None:
            raise CommandError(why_off(channel))
        message = message_of(options)
        try:
            receipt = transport.send(message)
        except ChannelError as error:
            raise CommandError(f"Not sent. {error.trouble.label} ({error})") from error
        except Exception as error:
            unclear = f"No clear answer ({type(error).__name__}): it may have been sent."
            raise CommandError(f"{unclear} Look at the phone before you try again.") from error
        self.stdout.write(f"Taken by {settings.CHANNEL_TRANSPORTS[channel]}: {receipt.provider_reference}")


def why_off(channel: str) -> str:
    name = settings.CHANNEL_TRANSPORTS.get(channel, "off")
    missing = missing_keys(TRANSPORTS[name]) if name in TRANSPORTS else []
    because = f"{', '.join(missing)} is not set" if missing else "no provider is set"
    return f"{channel} is off: {because}. See docs/operations.md."


def message_of(options: dict[str, Any]) -> Message:
    return Message(
        reference=str(uuid.uuid4()),
        to=_address(options["channel"], options["address"]),
        sender="Clinic Journey",
        reply_to="",
        language=options["language"],
        subject="Clinic Journey",
        body=WORDS,
        approved_as=options["template"],
        may_be_free=not options["template"],
        is_test=True,
    )


def _address(channel: str, text: str) -> str:
    if channel not in {Channel.SMS, Channel.WHATSAPP, Channel.VOICE}:
        return text.strip()
    try:
        number = normal_phone(text)
    except RefusedError as refusal:
        raise CommandError(str(refusal)) from refusal
    return number.lstrip("+") if channel == Channel.WHATSAPP else number
