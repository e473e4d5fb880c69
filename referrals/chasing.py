"""Asking the institute: for a result that is late, and for one that cannot be read. Both leave a date behind."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from journeys.actions import AdHoc, add_step, hold_step, lock_journey, move_deadline, record_events
from journeys.clinic_time import soon
from journeys.deadlines import Limit, Unit
from journeys.models import OPEN_JOURNEYS, EventKind, Step, StepKind, StepStatus
from patients.actions import RefusedError, StaleStateError
from referrals.models import Referral, ReferralStatus, Result
from referrals.results import waiting_step

LOOK_AGAIN = tuple(Limit(days, Unit.WORKING_DAYS) for days in (1, 2, 3))
SENT_AGAIN_WITHIN = Limit(2, Unit.WORKING_DAYS)
PATIENT_HEARS_WITHIN = Limit(3, Unit.WORKING_DAYS)  # a day for the doctor after it has come again


@transaction.atomic
def chase(referral: Referral, *, look_again_at: datetime, now: datetime, by: User, words: str = "") -> None:
    """We have asked the institute; what it said is kept, and the wait rings again when we want to look."""
    if look_again_at <= now:
        raise RefusedError(_("Choose a time that is still to come."))
    lock_journey(referral.journey_id)
    waiting = waiting_step(referral)
    if waiting is None or waiting.status != StepStatus.ACTIVE:
        raise StaleStateError(_("The result came, or somebody took the referral back meanwhile."))
    record_events([waiting], EventKind.CONTACTED, now=now, by=by, detail=words.strip() or referral.performer)
    move_deadline(waiting, look_again_at, now=now, by=by, kind=EventKind.SNOOZED)


@transaction.atomic
def ask_again(result: Result, *, now: datetime, by: User) -> Step:
    """It cannot be read: the review rests until it has come again, reception asks, the patient gets a date."""
    referral = Referral.objects.select_related("patient").get(pk=result.referral_id)
    journey = lock_journey(referral.journey_id)
    review = Step.objects.filter(results=result).select_related("template_step").first()
    if review is None or review.status != StepStatus.ACTIVE or journey.status not in OPEN_JOURNEYS:
        raise StaleStateError(_("This was decided meanwhile."))
    hold_step(review, now=now, by=by, reason=_("cannot be read; asked for again"))

    def asks() -> str:
        whom = {"institute": referral.performer, "service": referral.service}
        return _("Cannot be read. Ask %(institute)s to send it again: %(service)s") % whom

    due_at = soon(journey.clinic, SENT_AGAIN_WITHIN, now=now)
    waiting = add_step(journey, AdHoc(StepKind.AWAIT_RESULT, asks, due_at), now=now, by=by)
    Referral.objects.filter(pk=referral.pk, status=ReferralStatus.COMPLETED).update(
        status=ReferralStatus.ACTIVE, step=waiting, expected_at=due_at
    )
    promise = AdHoc(
        StepKind.PROMISE,
        lambda: _("an answer about the images"),
        soon(journey.clinic, PATIENT_HEARS_WITHIN, now=now),
        message_key="asked_again",
        about=review,
    )
    add_step(journey, promise, now=now, by=by)
    return waiting
