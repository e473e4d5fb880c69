"""A document becomes a result: the waiting ends, and a doctor has it today."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from appointments.actions import repoint
from journeys.actions import AdHoc, add_step, complete_step, lock_journey, open_steps, resume_step
from journeys.clinic_time import soon
from journeys.deadlines import Limit, Unit
from journeys.models import Journey, JourneyStatus, OwnerRole, Step, StepKind, StepStatus, StepTemplate
from patients.actions import StaleStateError
from referrals.models import (
    DocumentStatus,
    IncomingDocument,
    Referral,
    ReferralStatus,
    Result,
    ResultStatus,
    Source,
)
from referrals.queries import takes_results

RECEIVED = "received"  # the outcome of a wait for a result
SAME_DAY = Limit(1, Unit.SAME_DAY)
ENCLOSED = Q(status=DocumentStatus.LETTER, source=Source.MESSAGE)  # a file that came with a patient's words
NOBODYS_YET = Q(status__in=[DocumentStatus.RECEIVED, DocumentStatus.UNMATCHED]) | ENCLOSED


@transaction.atomic
def attach(
    document: IncomingDocument, referral: Referral, *, matched_by: str, now: datetime, by: User | None = None
) -> Result:
    """Make a document the next version of a referral's result.

    The first ends the wait, which opens the doctor's review and tells the patient that it has arrived. One
    more before the decision joins that review; one after it is a correction and opens the review anew.
    """
    journey = lock_journey(referral.journey_id)  # one file at a time, so versions and rounds cannot collide
    if by is None and not takes_results(referral):
        raise StaleStateError(_("The referral was taken back meanwhile."))
    moved = IncomingDocument.objects.filter(NOBODYS_YET, pk=document.pk).update(
        status=DocumentStatus.MATCHED,
        clinic=referral.clinic_id,
        referral=referral,
        matched_by=matched_by,
        match_from=None,
        ended_at=now,
        ended_by=by,
    )
    if not moved:
        raise StaleStateError(_("Somebody has dealt with this document meanwhile."))
    version = referral.results.count() + 1
    review = _review_for(referral, journey, now=now, by=by)
    Referral.objects.filter(
        pk=referral.pk, status__in=[ReferralStatus.ACTIVE, ReferralStatus.ON_HOLD]
    ).update(status=ReferralStatus.COMPLETED)
    return Result.objects.create(
        referral=referral,
        document=document,
        source_id=document.source_id,
        version=version,
        status=ResultStatus.FINAL if version == 1 else ResultStatus.AMENDED,
        received_at=document.received_at,
        review=review,
    )


def _review_for(referral: Referral, journey: Journey, *, now: datetime, by: User | None) -> Step:
    """End the wait if it goes on, and give the review that takes this result."""
    waiting = waiting_step(referral)
    if waiting and waiting.status == StepStatus.ON_HOLD:
        resume_step(waiting, due_at=now, now=now, by=by)
        waiting.status = StepStatus.ACTIVE
    if waiting and waiting.status == StepStatus.ACTIVE:
        complete_step(waiting, RECEIVED, now=now, by=by)
        journey.refresh_from_db()
        review = _open_review(journey, now=now, by=by) or _review_again(journey, now=now, by=by)
        repoint(waiting, review, now=now)
        return review
    return _open_review(journey, now=now, by=by) or _review_again(journey, now=now, by=by)


def waiting_step(referral: Referral) -> Step | None:
    """The step that waits for this referral's result, as it is now."""
    return Step.objects.select_related("template_step").filter(referrals=referral).first()


def _open_review(journey: Journey, *, now: datetime, by: User | None) -> Step | None:
    """The review that goes on; one that rested, as what came could not be read, begins its day anew."""
    reviews = journey.steps.filter(kind=StepKind.REVIEW).order_by("opened_at")
    resting = reviews.filter(status=StepStatus.ON_HOLD).last()
    if resting is not None:
        resume_step(resting, due_at=soon(journey.clinic, SAME_DAY, now=now), now=now, by=by)
    return reviews.filter(status=StepStatus.ACTIVE).last()


def _review_again(journey: Journey, *, now: datetime, by: User | None) -> Step:
    """Open the next round of the review; an ended journey goes on, for a correction must not rest unseen."""
    Journey.objects.filter(pk=journey.pk, ended_at__isnull=False).update(
        status=JourneyStatus.ACTIVE, ended_at=None
    )
    journey.refresh_from_db()
    template = StepTemplate.objects.filter(template=journey.template_id, kind=StepKind.REVIEW).first()
    if template is not None:
        (review,) = open_steps(journey, [template.key], now=now, by=by)
        return review
    due = soon(journey.clinic, SAME_DAY, now=now)
    return add_step(
        journey,
        AdHoc(StepKind.REVIEW, lambda: _("Look at the result"), due, OwnerRole.DOCTOR, journey.doctor),
        now=now,
        by=by,
    )
