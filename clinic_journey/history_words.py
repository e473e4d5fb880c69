"""What happened to a step, in the reader's words: the history keeps codes and instants."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from appointments.waiting_models import OfferStatus
from clinic_journey.outcomes import OUTCOME_WORDS
from journeys.models import EventKind, OwnerRole, StepEvent
from outreach.models import Reply
from outreach.said import as_read
from referrals.models import Decision

ENDED_AS = {
    **{value: words for value, words in OfferStatus.choices if value != OfferStatus.DECLINED},
    **dict(Decision.choices),
    **OUTCOME_WORDS,
    "revoked": gettext_lazy("Taken back"),
    "identified": gettext_lazy("Found whose it is"),
    "rejected": gettext_lazy("Not ours"),
    "replanned": gettext_lazy("Planned another way"),
    "no_other_number": gettext_lazy("No other number"),
    "not_this_time": gettext_lazy("Not at this time"),
    "not_needed": gettext_lazy("Not needed"),
}
ANSWERS = {
    "confirm": gettext_lazy("The time suits"),
    "another_time": gettext_lazy("Wants another time"),
    "cannot_come": gettext_lazy("Cannot come"),
    "stop": gettext_lazy("Asked us to stop"),
    "not_me": gettext_lazy("This is not me"),
    "worried": gettext_lazy("Is worried"),
    "going_well": gettext_lazy("It is going well"),
    "going_so_so": gettext_lazy("It is going so-so"),
    "going_badly": gettext_lazy("It is not going well"),
    "complaint": gettext_lazy("Complains"),
    "thanks": gettext_lazy("Says thank you"),
}
MOVED_TO = {EventKind.DEADLINE_MOVED, EventKind.SNOOZED}


def detail_words(event: StepEvent) -> str:
    """The detail of an event; what a person wrote stays as it is."""
    if event.kind in {EventKind.COMPLETED, EventKind.CANCELLED}:
        return str(ENDED_AS.get(event.detail, event.detail))
    if event.kind in {EventKind.ESCALATED, EventKind.REASSIGNED} and event.detail in OwnerRole.values:
        return str(OwnerRole(event.detail).label)
    if event.kind == EventKind.NOTED:
        return str(ANSWERS.get(event.detail, event.detail))
    if event.kind in MOVED_TO:
        return _when(event.detail)
    return "" if event.kind == EventKind.CONTACTED else event.detail


def said_by_patient(reply: Reply) -> str:
    """The patient's own words; where a button was pressed, what it says."""
    return as_read(reply.body) or str(ANSWERS.get(reply.meaning, ""))


def _when(text: str) -> str:
    try:
        return date_format(localtime(datetime.fromisoformat(text)), "D j E, H:i")
    except ValueError:
        return text
