"""SMS through Twilio's own client."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from outreach.channels import twilio
from outreach.channels.base import Abilities, ChannelError, Message, Receipt, Trouble, WhenUnclear

LOOKED_AT = 20  # of the messages to one number, the newest
VALID_FOR = timedelta(hours=4)  # after that a message is stale; the network drops it and says so
SHORTEST = timedelta(seconds=5)  # which the provider asks for at least
SERVICE = re.compile("MG[0-9a-fA-F]{32}")  # the id of a messaging service
NUMBER = re.compile(r"\+?\d+")


class SmsTransport:
    """One number, one name or one messaging service as the sender; a name cannot be answered."""

    keys = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM")
    secrets: tuple[str, ...] = ("TWILIO_AUTH_TOKEN",)
    per_second = "SMS_PER_SECOND"

    @property
    def abilities(self) -> Abilities:
        return Abilities(WhenUnclear.LOOK_UP, two_way=not _is_name(), longest=1600, counts_parts=True)

    def send(self, message: Message) -> Receipt:
        if len(message.body) > self.abilities.longest:
            raise ChannelError(Trouble.UNFIT, "too long")
        sender = settings.TWILIO_FROM
        valid_for = VALID_FOR if message.open_for is None else min(message.open_for, VALID_FOR)
        values: dict[str, Any] = {
            "to": message.to,
            "body": message.body,
            "status_callback": twilio.callback(message.reference),
            "validity_period": int(max(valid_for, SHORTEST).total_seconds()),
            ("messaging_service_sid" if SERVICE.fullmatch(sender) else "from_"): sender,
        }
        made = twilio.attempted(lambda api: api.messages.create(**values))
        return Receipt(made.sid)

    def look_up(self, message: Message, *, since: datetime) -> Receipt | None:
        """The message with these words to this number since then. None says nothing: it may only not be listed yet."""
        listed = twilio.attempted(lambda api: api.messages.list(to=message.to, limit=LOOKED_AT))
        for found in listed:
            if found.body == message.body and twilio.is_made_since(found, since):
                return Receipt(found.sid)
        return None

    def fetch(self, reference: str, *, most: int) -> bytes:
        return twilio.media(reference, most=most)


def _is_name() -> bool:
    sender = settings.TWILIO_FROM
    return bool(sender) and not SERVICE.fullmatch(sender) and not NUMBER.fullmatch(sender)
