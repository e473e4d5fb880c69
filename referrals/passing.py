"""Passing a review to a colleague: one owner at every moment, never both and never nobody (surfaces.md 4.3).

The owner keeps it until the colleague accepts; the deadline is the review's own and does not move. Whoever
answers first, or decides first, has it: all take the journey's lock, then a conditional update.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from journeys.actions import lock_journey, reassign_step, record_events
from journeys.models import EventKind, Step, StepKind, StepStatus
from patients.actions import RefusedError, StaleStateError
from patients.models import Role
from patients.queries import works_as
from referrals.models import PassAnswer, ReviewPass


@transaction.atomic
def pass_on(review: Step, *, to: User, now: datetime, by: User, because: str = "") -> ReviewPass:
    """Ask a colleague to decide instead."""
    lock_journey(review.journey_id)
    current = Step.objects.filter(pk=review.pk, kind=StepKind.REVIEW, status=StepStatus.ACTIVE).first()
    if current is None:
        raise StaleStateError(_("This was decided meanwhile."))
    if to.pk in {by.pk, current.owner_id}:
        raise RefusedError(_("Choose a colleague who does not have it already."))
    if not works_as(to, current.clinic, Role.DOCTOR):
        raise RefusedError(_("Choose a doctor of this clinic."))
    try:
        with transaction.atomic():
            asked = ReviewPass.objects.create(
                review=current, by=by, to=to, because=because.strip()[:200], made_at=now
            )
    except IntegrityError as clash:
        raise StaleStateError(
            _("It has been passed to a colleague already, who has not answered yet.")
        ) from clash
    words = _("passed to %(name)s, who has not accepted yet") % {"name": to.get_full_name()}
    record_events([current], EventKind.NOTED, now=now, by=by, detail=words)
    return asked


@transaction.atomic
def accept(asked: ReviewPass, *, now: datetime, by: User) -> None:
    """From now on it is mine; who has the manager's eye on it keeps it there."""
    review = _answer(asked, PassAnswer.ACCEPTED, now=now, by=by)
    reassign_step(review, role=review.owner_role, owner=by, now=now, by=by)


@transaction.atomic
def give_back(asked: ReviewPass, *, now: datetime, by: User) -> None:
    """Not mine after all: the owner never changed, and hears of it."""
    review = _answer(asked, PassAnswer.GIVEN_BACK, now=now, by=by)
    record_events([review], EventKind.NOTED, now=now, by=by, detail=str(PassAnswer.GIVEN_BACK.label))


def _answer(asked: ReviewPass, answer: PassAnswer, *, now: datetime, by: User) -> Step:
    if by.pk != asked.to_id:
        raise RefusedError(_("Only the colleague it was passed to can answer."))
    lock_journey(asked.review.journey_id)
    moved = ReviewPass.objects.filter(pk=asked.pk, answer="").update(answer=answer, answered_at=now)
    if not moved:
        raise StaleStateError(_("This was answered or decided meanwhile."))
    return Step.objects.select_related("template_step").get(pk=asked.review_id)


def end_pass(review: Step, *, now: datetime) -> None:
    """Decided: nobody has to answer any more. Under the journey's lock."""
    ReviewPass.objects.filter(review=review, answer="").update(answer=PassAnswer.ENDED, answered_at=now)
