"""The answer to an offer, from the patient's page or through the desk on the phone."""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import translation
from django.utils.translation import gettext_lazy

from appointments import waitlist
from appointments.visits import spoken
from appointments.waiting_models import Offer
from journeys.models import Step, StepKind, StepStatus
from outreach.actions import cancel_for_step
from outreach.calls import record_outcome
from outreach.channels import PHONE
from outreach.channels.phone import CallOutcome
from outreach.followup import end_step
from outreach.models import Attempt, AttemptStatus, Reply
from patients.actions import StaleStateError

YES, NO, NO_MORE = "offer_yes", "offer_no", "offer_no_more"
# What staff read of it, in the clinic's language.
ANSWERS = {
    YES: gettext_lazy("yes to %(time)s"),
    NO: gettext_lazy("no to %(time)s"),
    NO_MORE: gettext_lazy("no to %(time)s, and nothing sooner for this visit"),
}


def answer_offer(offer: Offer, said: str, *, now: datetime, channel: str, by: User | None = None) -> None:
    """Record what was said, then let it act. The words are committed first: a yes too late is never lost."""
    Reply.objects.create(
        clinic_id=offer.entry.clinic_id,
        patient_id=offer.entry.patient_id,
        channel=channel,
        at=now,
        body=_words(offer, said),
        meaning=said,
        step_id=offer.step_id,
    )
    try:
        if said == YES:
            waitlist.accept(offer, now=now, by=by)
            _end_question(offer, now=now, by=by)
        else:
            waitlist.decline(offer, now=now, by=by, no_more=said == NO_MORE)
    finally:
        if by:
            _end_call(offer, now=now, by=by)


def _words(offer: Offer, said: str) -> str:
    doctor = offer.opening.practitioner
    with translation.override(doctor.clinic.language):
        return str(ANSWERS[said]) % {"time": spoken(offer.start, doctor)}


def _end_question(offer: Offer, *, now: datetime, by: User | None) -> None:
    """Who says yes to a time has confirmed it: what still asks her to confirm the visit has its answer."""
    asks = Step.objects.filter(
        journey=offer.entry.journey_id, kind=StepKind.CONFIRM, status=StepStatus.ACTIVE
    ).select_related("template_step")
    for step in asks:
        cancel_for_step(step, now=now, outcome=CallOutcome.CONFIRMED)
        end_step(step, CallOutcome.CONFIRMED, now=now, by=by)


def _end_call(offer: Offer, *, now: datetime, by: User) -> None:
    """The call in which it was said has reached the patient; it is over."""
    calling = Attempt.objects.filter(
        task__step=offer.step_id, channel=PHONE, status=AttemptStatus.SENDING, claimed_by=by
    ).first()
    if calling is None:
        return
    try:
        record_outcome(calling, CallOutcome.SPOKEN, now=now, by=by)
    except StaleStateError:  # its three minutes were over; nothing is lost by that
        return
