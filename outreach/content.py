"""What a clinic's messages may name: what its country allows, less what the clinic keeps to itself; never more."""

import re

from outreach.models import MessageTemplate
from patients.country import profile_of
from patients.models import Channel, Clinic

VISIT_UNSAID = "visit_unsaid"  # stands for a message about a visit whose day may not be named
VISIT_TIME = frozenset({"date"})
_NAME = re.compile(r"^\{name\}[,،!]?\s+|[,،]?\s*\{name\}")


def withheld(clinic: Clinic, channel: str) -> frozenset[str]:
    """The placeholders that nothing written or read out by a machine may fill. People say what they have to."""
    if channel == Channel.PHONE:
        return frozenset()
    allowed = profile_of(clinic.country).may_name
    named = {
        "name": "first_name" in allowed and clinic.names_first_name,
        "date": "visit_time" in allowed and clinic.names_visit_time,
        "who": "colleague" in allowed and clinic.names_colleague,
    }
    return frozenset(name for name, is_named in named.items() if not is_named)


def may_name_visits(clinic: Clinic) -> bool:
    """Whether the day of a visit may be said. If not, no machine calls: to what is not said no key is an answer."""
    return not withheld(clinic, Channel.VOICE) & VISIT_TIME


def without_name(text: str) -> str:
    """The greeting without a name, and a capital letter where the text began with it."""
    found = _NAME.sub("", text)
    return found[:1].upper() + found[1:] if text.startswith("{name}") else found


def worded_without(row: MessageTemplate, hidden: frozenset[str]) -> MessageTemplate:
    """The same row with its texts as they may leave; the words that a provider approved are no longer these."""
    if "name" not in hidden or "{name}" not in row.body + row.subject:
        return row
    return MessageTemplate(
        key=row.key,
        language=row.language,
        purpose=row.purpose,
        subject=without_name(row.subject),
        body=without_name(row.body),
    )
