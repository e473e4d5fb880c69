"""Whether one more contact by hand is more than the clinic sets itself, or than the law allows: told before it happens.

The clinic's own limit asks why, and the contact is counted; the law's is no person's to pass over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _, gettext_lazy

from journeys.claims import alone_with
from journeys.models import EventKind, StepKind
from outreach.because import Because
from outreach.channels.phone import CallOutcome
from outreach.models import OutreachTask
from outreach.planning import SOON, Past, Rules, full_days
from outreach.reach import Reach, counted_by_law
from patients.actions import RefusedError, StaleStateError
from patients.country import profile_of
from patients.models import Patient

NO_MORE_BY_LAW = gettext_lazy("The rules of the country allow no more contacts with the patient on that day.")


@dataclass(frozen=True)
class Enough:
    """Which limit is reached on that day."""

    rule: Because
    is_law: bool

    def refuse_unless(self, because: str) -> None:
        if self.is_law:
            raise RefusedError(NO_MORE_BY_LAW)
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
    return Enough(full[day], is_law=_is_beyond_the_law(task.patient, past, at))


def refuse_beyond_the_law(patient: Patient, *, now: datetime) -> None:
    """For a call that no step asks for, so no limit of the clinic's own is set for it (docs/decisions/018)."""
    if not profile_of(patient.clinic.country).caps_are_law:
        return
    alone_by_hand(patient)
    if _is_beyond_the_law(patient, counted_by_law(patient, now=now), now):
        raise RefusedError(NO_MORE_BY_LAW)


def _is_beyond_the_law(patient: Patient, past: Sequence[Past], at: datetime) -> bool:
    profile = profile_of(patient.clinic.country)
    most = Rules(patient.zone, daily_cap=profile.contacts_a_day, weekly_cap=profile.contacts_a_week)
    day = at.astimezone(ZoneInfo(patient.zone)).date()
    return profile.caps_are_law and day in full_days(past, most, since=at - SOON)


def _is_asked_for(task: OutreachTask) -> bool:
    """By her own words: an answer to them, or a call at the time that she named, in writing or by word of mouth.

    What somebody of us has promised was said to her in a talk; the machine's own promises, as an apology, begin with
    a message of ours, and she asked for none.
    """
    step = task.step
    if step.kind == StepKind.PROMISE:
        said_to_her = step.events.filter(kind=EventKind.PROMISED, by__isnull=False, step__message_key="")
        return said_to_her.exists() or step.replies.filter(meaning=CallOutcome.CALL_AT).exists()
    return step.kind == StepKind.CALL and step.asked_in.exists()
