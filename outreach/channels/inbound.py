"""What comes back from a provider, whichever it is: a receipt for a message of ours, or somebody's own words."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from outreach.channels.base import Trouble


class Stage(IntEnum):
    """How far a message has come; a receipt that says less than is known changes nothing."""

    TAKEN = 1
    DELAYED = 2
    FAILED = 3
    DELIVERED = 4


DELAYED = "delayed"  # the outcome of what has left and is still being tried; it is no failure


@dataclass(frozen=True)
class Receipted:
    """About one message of ours: by our own reference, or by the provider's where it does not give ours back."""

    reference: str
    provider_reference: str
    stage: Stage
    trouble: Trouble = Trouble.NOT_DELIVERED  # why, where it failed
    code: str = ""


class Brought(TextChoices):
    """What came beside the words or in their place; what of it is a file is fetched."""

    PICTURE = "picture", _("a picture")
    VOICE = "voice", _("a voice message")
    VIDEO = "video", _("a video")
    FILE = "file", _("a file")
    STICKER = "sticker", _("a sticker")
    PLACE = "place", _("a place")
    CONTACT = "contact", _("somebody's contact details")
    REACTION = "reaction", _("a reaction to our message")
    OTHER = "other", _("something that cannot be shown here")


FILES = frozenset({Brought.PICTURE, Brought.VOICE, Brought.VIDEO, Brought.FILE})


@dataclass(frozen=True)
class Enclosed:
    """One file that came with the words; by `reference` its provider hands it out."""

    kind: str  # one of FILES
    reference: str
    name: str = ""  # as whoever sent it called it


@dataclass(frozen=True)
class Said:
    """Somebody wrote to us. `value` is the address as we store it, `kind` which kind of address that is."""

    channel: str
    kind: str
    value: str
    text: str
    at: datetime
    name: str = ""  # as the messenger shows it; never used to guess who it is
    to: str = ""  # our own number that was written to, where the provider says it
    reference: str = ""  # which message of ours it answers, where the provider gives our own id back
    answers: str = ""  # the provider's own id of that message, where it gives only this
    may_act: bool = True  # False where anybody may have written it there, or a person has to look
    brought: str = ""  # a Brought
    files: tuple[Enclosed, ...] = ()
    is_changed: bool = False  # she wrote it before and has changed it since
    asks_to_stop: bool = False  # the provider took these words for STOP, by a list of its own
    stopped: bool = False  # not words but the provider's own switch: blocked, unsubscribed


Inbound = Receipted | Said
