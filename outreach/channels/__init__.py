"""Which transport carries which channel. To add one: copy console.py, enter it here, name it in the settings."""

from django.conf import settings

from outreach.channels.base import FOR_A_MOMENT, ChannelError, Message, Receipt, Transport, Trouble
from outreach.channels.console import ConsoleTransport
from outreach.channels.email import EmailTransport

__all__ = [
    "FOR_A_MOMENT",
    "PHONE",
    "TRANSPORTS",
    "ChannelError",
    "Message",
    "Receipt",
    "Transport",
    "Trouble",
    "by_machine",
    "in_use",
]

PHONE = "phone"  # the transport of people: attempts wait in the desk's call list, see phone.py

TRANSPORTS: dict[str, Transport] = {"console": ConsoleTransport(), "email": EmailTransport()}


def in_use() -> set[str]:
    """The channels on which a contact may be planned; one that is "off" is not among them."""
    known = {*TRANSPORTS, PHONE}
    return {channel for channel, transport in settings.CHANNEL_TRANSPORTS.items() if transport in known}


def by_machine() -> dict[str, Transport]:
    """The channels that the machine serves itself, each with its transport."""
    return {
        channel: TRANSPORTS[transport]
        for channel, transport in settings.CHANNEL_TRANSPORTS.items()
        if transport in TRANSPORTS
    }
