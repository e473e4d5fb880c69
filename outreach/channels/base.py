"""What every channel is given and gives back. No database row crosses this line, in either direction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol, runtime_checkable

from django.conf import settings
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
    # For channels on which only approved words may begin a talk: their name, and what fills their places.
    approved_as: str = ""
    values: tuple[str, ...] = ()
    may_be_free: bool = False  # the patient wrote here so lately that our own words may answer
    may_leave_voicemail: bool = False  # of a call: what the patient said about voice messages
    open_for: timedelta | None = (
        None  # how long it may still arrive: then her hours, ours or the law's are over
    )
    is_test: bool = False  # nothing is asked and nothing comes back: does it arrive?


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
    OPTED_OUT = "stopped", _("The patient has stopped our messages with the provider.")
    NOT_DELIVERED = "not_delivered", _("The message was taken, but did not arrive.")
    NO_ANSWER = "no_answer", _("Nobody answered the call.")
    # Of a file that came to us.
    GONE = "gone", _("The provider has no such file.")
    TOO_LARGE = "too_large", _("The file is too large.")
    DAMAGED = "damaged", _("The file arrived damaged.")
    WITHHELD = "withheld", _("The provider does not hand out the file.")
    UNEXPECTED = "unexpected", _("The reason is not known.")


# Our own side or the provider's is down for a moment: nobody was reached, nobody disturbed.
FOR_A_MOMENT = frozenset({Trouble.UNREACHABLE, Trouble.LOGIN, Trouble.BUSY})
FOR_GOOD = frozenset(Trouble) - FOR_A_MOMENT
OF_A_FILE = FOR_A_MOMENT | {Trouble.GONE, Trouble.TOO_LARGE, Trouble.DAMAGED, Trouble.WITHHELD}


class ChannelError(Exception):
    """The channel certainly did not take the message. `detail` is for staff and holds no body and no address.

    Any other exception out of `send` leaves it open whether the message arrived: a channel must raise
    ChannelError only where it knows. `retry_after`: how long the provider asks us to wait with everything;
    `of_one`: it is busy with this one address, which says nothing of the others.
    """

    def __init__(
        self,
        trouble: Trouble,
        detail: str = "",
        *,
        retry_after: timedelta | None = None,
        of_one: bool = False,
    ) -> None:
        super().__init__(f"{trouble.value} {detail}".strip())
        self.trouble = trouble
        self.permanent = trouble in FOR_GOOD
        self.address_is_bad = trouble == Trouble.NO_SUCH_ADDRESS
        self.retry_after = retry_after
        self.of_one = of_one


class WhenUnclear(Enum):
    """What can be done about a message of which nobody knows whether it was taken."""

    REPEAT = "repeat"  # the provider knows our reference: the same again reaches the patient once
    LOOK_UP = "look_up"  # it keeps a list in which we can find the message
    ASK_A_PERSON = "ask_a_person"  # neither: it is shown to a person and never repeated


@dataclass(frozen=True)
class Abilities:
    """What a channel can do. Declared once, so that nobody asks a channel by its name."""

    when_unclear: WhenUnclear
    two_way: bool = True  # an answer comes back on the same channel
    can_write_first: bool = True  # off: only to those who have written to us
    only_approved_words: bool = False  # to begin a talk; within an answer's time our own words may do
    longest: int = 0  # letters; 0: no limit that matters
    counts_parts: bool = False  # paid by parts, as SMS are
    tells_delivery: bool = True  # receipts come back


class Transport(Protocol):
    """What carries the messages of one or more channels."""

    @property
    def abilities(self) -> Abilities: ...

    secrets: tuple[str, ...]  # names of settings that may never be shown or logged

    def send(self, message: Message) -> Receipt: ...


@runtime_checkable
class WithKeys(Protocol):
    """A transport that needs an account. Every key is a setting of the same name, from the environment only."""

    keys: tuple[str, ...]
    per_second: str  # the setting that says how many messages a second this sender may send


@runtime_checkable
class LooksUp(Protocol):
    """A transport whose provider keeps a list of what it took."""

    def look_up(self, message: Message, *, since: datetime) -> Receipt | None: ...


@runtime_checkable
class Fetches(Protocol):
    """A transport whose provider hands out the files that came with somebody's words."""

    def fetch(self, reference: str, *, most: int) -> bytes:
        """The whole file, or ChannelError; one of more than `most` bytes is too large."""
        ...


def missing_keys(transport: Transport) -> list[str]:
    """The names of the keys that the environment does not give; with any of them missing the channel is off."""
    keys = transport.keys if isinstance(transport, WithKeys) else ()
    return [key for key in keys if not getattr(settings, key, "")]


def pace_of(transport: Transport) -> float:
    """How many messages a second; 0: as many as come."""
    return float(getattr(settings, transport.per_second)) if isinstance(transport, WithKeys) else 0
