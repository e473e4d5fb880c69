"""The channel that needs no account: the message stays on this machine, on the demo's page of phones."""

import logging

from outreach.channels.base import Message, Receipt

logger = logging.getLogger(__name__)


class ConsoleTransport:
    """Shows messages instead of sending them. What it shows is the attempt's own row, so a repeat is harmless."""

    honours_reference = True
    secrets: tuple[str, ...] = ()

    def send(self, message: Message) -> Receipt:
        logger.info("Message %s is shown on this machine (%s).", message.reference, message.language)
        return Receipt(f"console-{message.reference}")
