"""Offers of freed times as messages: what they name, when they are void, and the patient's answer.

An offer is told in time or not at all: where no window of hers opens before its end, she is passed over.
"""

from collections.abc import Iterable
from datetime import datetime

from appointments import waiting, waitlist
from appointments.openings import FREE, SOONER
from appointments.waiting_models import Offer, OfferStatus
from appointments.waves import NEAREST
from outreach.models import OutreachTask

ABOUT_AN_OFFER = frozenset({SOONER, FREE})


def offers_of(tasks: Iterable[OutreachTask]) -> dict[int, Offer]:
    """The offer that each task tells of, by step; asks nothing where no task does."""
    steps = [task.step_id for task in tasks if task.message_key in ABOUT_AN_OFFER]
    if not steps:
        return {}
    found = waiting.marked_taken(Offer.objects.filter(step__in=steps))
    return {offer.step_id: offer for offer in found}


def is_void(offer: Offer | None, *, now: datetime) -> bool:
    """Nothing is left to tell: answered, taken, or too near."""
    if offer is None or offer.status != OfferStatus.OPEN or getattr(offer, "is_taken", False):
        return True
    return offer.answer_by <= now or offer.start < now + NEAREST


def pass_over(task: OutreachTask, *, now: datetime) -> None:
    """She cannot be told in time; somebody else is asked, and she waits on in her place. Inside atomic().

    The tick ends the step: here the task is locked already, and a journey is never locked after a task.
    """
    offer = Offer.objects.filter(step=task.step_id).first()
    if offer:
        waitlist.end_offer(offer, OfferStatus.SKIPPED, now=now)
