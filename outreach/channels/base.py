"""What every channel is given and gives back. No database row crosses this line, in either direction."""

from dataclasses import dataclass
from typing import Protocol

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Message:
    """One message, ready to leave. `reference` is ours: the provider keeps it and names it in its receipts."""

    reference: str
    to: str
    sender: str
    reply_to: str
    language: str
    subject: str
    body: str


@dataclass(frozen=True)
class Receipt:
    """The channel has taken the message over."""

    provider_reference: str = ""


class Trouble(TextChoices):
    """Why a channel did not take a message, in words for staff. Each channel maps its provider's codes to these."""

    UNREACHABLE = "unreachable", _("The provider does not answer.")
    LOGIN = "login", _("The provider does not accept our login.")
    BUSY = "busy", _("The provider is busy.")
    REFUSED = "refused", _("The provider refuses the message.")
    NO_SUCH_ADDRESS = "no_such_address", _("The provider knows no such address.")
    UNFIT = "unfit", _("The address or the text cannot go out on this channel.")


FOR_GOOD = frozenset({Trouble.REFUSED, Trouble.NO_SUCH_ADDRESS, Trouble.UNFIT})
FOR_A_MOMENT = frozenset(Trouble) - FOR_GOOD  # our own side is down: nobody was reached, nobody disturbed


class ChannelError(Exception):
    """The channel certainly did not take the message. `detail` is for staff and holds no body and no address.

    Any other exception out of `send` leaves it open whether the message arrived: a channel must raise
    ChannelError only where it knows.
    """

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(f"{trouble.value} {detail}".strip())
        self.trouble = trouble
        self.permanent = trouble in FOR_GOOD
        self.address_is_bad = trouble == Trouble.NO_SUCH_ADDRESS


class Transport(Protocol):
    """What carries the messages of one or more channels."""

    honours_reference: bool  # a message repeated with the same reference reaches the patient once
    secrets: tuple[str, ...]  # names of settings that may never be shown or logged

    def send(self, message: Message) -> Receipt: ...
