"""What would happen next, told before it happens: by the same planning that then does it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.channels import PHONE
from outreach.channels.phone import CallOutcome
from outreach.followup import HandOver, answer_due, ask_again_at, awaits_answer
from outreach.models import Attempt, AttemptStatus
from outreach.next_contact import next_contact
from outreach.planning import Past
from outreach.queries import hours_for
from outreach.reach import Reach
from patients.models import Patient
from patients.queries import ClinicClock, clock_of
from patients.windows import intersect, open_intervals

WEEK = timedelta(days=8)


@dataclass(frozen=True)
class Next:
    """The next contact, or why a person gets it instead."""

    channel: str = ""
    at: datetime | None = None
    reason: HandOver | None = None


def if_no_answer(contact: Attempt, reach: Reach, *, now: datetime, clock: ClinicClock) -> Next | None:
    """What planning would do if this contact were made and nobody answered; None where it would be the last.

    The contact is planned, or is one that could be made; `reach` is of its task. A call that may be
    made at once is taken as made now.
    """
    task, at = contact.task, max(contact.send_at, now)
    outcome, again_at = CallOutcome.NO_ANSWER.value, at
    if contact.channel != PHONE:
        if not awaits_answer(task.step):
            return None
        outcome = AttemptStatus.SENT.value
        again_at = ask_again_at(task, answer_due(clock.hours(task.clinic_id), now=at), now=at)
    silent = Past(contact.channel, contact.contact_point_id, at, outcome)
    answer = next_contact(task, reach, not_before=again_at, besides=[silent])
    if isinstance(answer, HandOver):
        return Next(reason=answer)
    return Next(channel=answer.channel, at=answer.send_at)


@dataclass(frozen=True)
class Window:
    """Whether a contact on one channel suits the patient, the clinic and the law at this moment."""

    is_open: bool
    until: datetime | None = None  # open: when it closes
    opens_at: datetime | None = None  # closed: when it opens next, if it does within a week


def window_of(patient: Patient, channel: str, *, now: datetime, clock: ClinicClock | None = None) -> Window:
    """Needs the patient's clinic, card and windows loaded, or reads them; so the clinic's hours."""
    hours = hours_for(patient, channel, clock or clock_of(patient.clinic, now=now))
    first, *others = [open_intervals(each, now, now + WEEK) for each in hours]
    for each in others:
        first = intersect(first, each)
    if not first:
        return Window(is_open=False)
    if first[0].start <= now < first[0].end:
        return Window(is_open=True, until=first[0].end)
    return Window(is_open=False, opens_at=first[0].start)
