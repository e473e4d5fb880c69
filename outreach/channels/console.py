"""The channel that needs no account: the message stays on this machine, on the demo's page of phones."""

import logging

from outreach.channels.base import Abilities, Message, Receipt, WhenUnclear

logger = logging.getLogger(__name__)


class ConsoleTransport:
    """Shows messages instead of sending them. What it shows is the attempt's own row, so a repeat is harmless."""

    abilities = Abilities(WhenUnclear.REPEAT, two_way=False, tells_delivery=False)
    secrets: tuple[str, ...] = ()

    def send(self, message: Message) -> Receipt:
        logger.info("Message %s is shown on this machine (%s).", message.reference, message.language)
        return Receipt(f"console-{message.reference}")
