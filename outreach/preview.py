"""What would happen next, told before it happens: by the same planning that then does it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.channels import PHONE
from outreach.channels.phone import CallOutcome
from outreach.followup import HandOver
from outreach.models import Attempt
from outreach.planning import GiveUp, Past, next_attempt
from outreach.queries import hours_for
from outreach.reach import Reach
from patients.models import Patient
from patients.queries import clock_of
from patients.windows import intersect, open_intervals

WEEK = timedelta(days=8)


@dataclass(frozen=True)
class Next:
    """The next contact, or why a person gets it instead."""

    channel: str = ""
    at: datetime | None = None
    reason: HandOver | None = None


def if_no_answer(attempt: Attempt, *, now: datetime) -> Next:
    """What planning would do if this call were made now and nobody answered."""
    reach = Reach([attempt.task_id], now=now)
    task = reach.tasks[0]
    silent = Past(PHONE, attempt.contact_point_id, now, CallOutcome.NO_ANSWER.value)
    answer = next_attempt(
        list(reach.options(task)),
        [*reach.past(task), silent],
        rules=reach.rules(task),
        not_before=now,
        deadline=task.deadline_at,
    )
    if isinstance(answer, GiveUp):
        return Next(reason=HandOver(answer.reason.value))
    return Next(channel=answer.channel, at=answer.send_at)


@dataclass(frozen=True)
class Window:
    """Whether a contact on one channel suits the patient, the clinic and the law at this moment."""

    is_open: bool
    until: datetime | None = None  # open: when it closes
    opens_at: datetime | None = None  # closed: when it opens next, if it does within a week


def window_of(patient: Patient, channel: str, *, now: datetime) -> Window:
    """Needs the patient's clinic, card and windows loaded, or reads them."""
    hours = hours_for(patient, channel, clock_of(patient.clinic, now=now))
    first, *others = [open_intervals(each, now, now + WEEK) for each in hours]
    for each in others:
        first = intersect(first, each)
    if not first:
        return Window(is_open=False)
    if first[0].start <= now < first[0].end:
        return Window(is_open=True, until=first[0].end)
    return Window(is_open=False, opens_at=first[0].start)
