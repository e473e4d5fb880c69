"""What planning decides about a task: the next contact, or that a person gets it. Asked by the tick and by previews."""

from collections.abc import Sequence
from datetime import datetime

from outreach.followup import HandOver
from outreach.models import OutreachTask
from outreach.offers import ABOUT_AN_OFFER
from outreach.planning import GiveUp, Past, Plan, next_attempt
from outreach.reach import Reach


def next_contact(
    task: OutreachTask, reach: Reach, *, not_before: datetime, besides: Sequence[Past] = ()
) -> Plan | HandOver:
    """`besides`: contacts that have not been made yet, taken as made."""
    answer = next_attempt(
        list(reach.options(task)),
        [*reach.past(task), *besides],
        rules=reach.rules(task),
        not_before=not_before,
        deadline=task.deadline_at,
    )
    if isinstance(answer, GiveUp):
        return HandOver(answer.reason.value)
    if answer.send_at >= task.deadline_at and task.message_key in ABOUT_AN_OFFER:
        return HandOver.NO_OPEN_TIME
    return answer
