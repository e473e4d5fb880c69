"""Which transport carries which channel. To add one: copy console.py, enter it here, name it in the settings."""

from django.conf import settings

from outreach.channels.base import (
    FOR_A_MOMENT,
    OF_A_FILE,
    Abilities,
    ChannelError,
    Fetches,
    LooksUp,
    Message,
    Receipt,
    Transport,
    Trouble,
    WhenUnclear,
    missing_keys,
    pace_of,
)
from outreach.channels.console import ConsoleTransport
from outreach.channels.email import AnymailTransport, EmailTransport
from outreach.channels.sms import SmsTransport
from outreach.channels.telegram import TelegramTransport
from outreach.channels.voice import VoiceTransport
from outreach.channels.whatsapp import WhatsAppTransport

__all__ = [
    "BY_VOICE",
    "FOR_A_MOMENT",
    "OF_A_FILE",
    "PHONE",
    "TRANSPORTS",
    "Abilities",
    "ChannelError",
    "Fetches",
    "LooksUp",
    "Message",
    "Receipt",
    "Transport",
    "Trouble",
    "WhenUnclear",
    "by_machine",
    "in_use",
    "leaves_this_machine",
    "leaving",
    "missing_keys",
    "pace_of",
]

PHONE = "phone"  # the transport of people: attempts wait in the desk's call list, see phone.py
BY_VOICE = frozenset(
    {PHONE, "voice"}
)  # somebody hears it: the hours of calls hold, and a number that is not called

TRANSPORTS: dict[str, Transport] = {
    "console": ConsoleTransport(),
    "email": EmailTransport(),
    "anymail": AnymailTransport(),
    "twilio": SmsTransport(),
    "whatsapp": WhatsAppTransport(),
    "telegram": TelegramTransport(),
    "voice": VoiceTransport(),
}


def in_use() -> set[str]:
    """The channels on which a contact may be planned; one that is "off" or lacks a key is not among them."""
    by_people = {channel for channel, transport in settings.CHANNEL_TRANSPORTS.items() if transport == PHONE}
    return by_people | set(by_machine())


def by_machine() -> dict[str, Transport]:
    """The channels that the machine serves itself, each with its transport."""
    named = {
        channel: TRANSPORTS[transport]
        for channel, transport in settings.CHANNEL_TRANSPORTS.items()
        if transport in TRANSPORTS
    }
    return {channel: transport for channel, transport in named.items() if not missing_keys(transport)}


def leaving() -> set[str]:
    """The channels on which messages of the machine reach somebody; none in the demo."""
    return {channel for channel in by_machine() if leaves_this_machine(channel)}


def leaves_this_machine(channel: str) -> bool:
    """Whether a message on this channel reaches anybody: what the console shows does not."""
    return settings.CHANNEL_TRANSPORTS.get(channel) != "console"
