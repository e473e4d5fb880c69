"""Whether one more contact by hand is more than the clinic sets itself, or than the law allows: told before it happens.

The clinic's own limit asks why, and the contact is counted; the law's is no person's to pass over.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from journeys.claims import alone_with
from journeys.models import StepKind
from outreach.because import Because
from outreach.channels.phone import CallOutcome
from outreach.models import OutreachTask
from outreach.planning import SOON, full_days
from outreach.reach import Reach
from patients.actions import RefusedError, StaleStateError
from patients.country import profile_of
from patients.models import Patient


@dataclass(frozen=True)
class Enough:
    """Which limit is reached on that day."""

    rule: Because
    is_law: bool

    def refuse_unless(self, because: str) -> None:
        if self.is_law:
            raise RefusedError(
                _("The rules of the country allow no more contacts with the patient on that day.")
            )
        if not because:
            raise RefusedError(
                _("The clinic's own limit of contacts is reached for that day. Say why one more is needed.")
            )


def alone_by_hand(patient: Patient) -> None:
    """While the machine, or somebody else, plans for her, what they plan is not counted yet. Inside atomic()."""
    if not alone_with({patient.pk}):
        raise StaleStateError(
            _("Another contact with this patient is being planned at this moment. Try again in a moment.")
        )


def enough_on(at: datetime, task: OutreachTask, reach: Reach) -> Enough | None:
    """As planning counts it. Whoever has written to us waits for our word, which fills no day."""
    past, rules = reach.past(task), reach.rules(task)
    full = full_days(past, rules, since=at - SOON)
    day = at.astimezone(ZoneInfo(rules.zone)).date()
    if day not in full or _is_asked_for(task):
        return None
    profile = profile_of(task.patient.clinic.country)
    most = replace(rules, daily_cap=profile.contacts_a_day, weekly_cap=profile.contacts_a_week)
    is_law = profile.caps_are_law and day in full_days(past, most, since=at - SOON)
    return Enough(full[day], is_law)


def _is_asked_for(task: OutreachTask) -> bool:
    """By her own words: an answer to them, or a call at the time that she named."""
    step = task.step
    if step.kind == StepKind.PROMISE:
        return step.replies.filter(meaning=CallOutcome.CALL_AT).exists()
    return step.kind == StepKind.CALL and step.asked_in.exists()
