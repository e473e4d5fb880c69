"""What each decision would set going, shown before it is pressed: by the rules that do it (surfaces.md 4.3)."""

from copy import copy
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language

from appointments.models import Appointment, AppointmentStatus
from journeys.actions import would_open
from journeys.models import OwnerRole, Step, StepKind
from outreach.message_preview import Preview, Said
from patients.windows import Hours
from referrals.actions import keeps_visit, outcome_of
from referrals.models import Decision, Result


@dataclass(frozen=True)
class Ahead:
    """One decision: its digit, what becomes of the visit, what the patient reads, what reception gets."""

    decision: Decision
    digit: int
    visit: Appointment | None
    keeps: bool
    said: Said | None
    for_reception: list[Step]

    @property
    def is_free_to_choose(self) -> bool:
        """Another time may be chosen here and now."""
        return self.decision == Decision.TREAT_OTHER


def decisions_ahead(
    result: Result, visit: Appointment | None, *, opening: Hours, now: datetime
) -> list[Ahead]:
    """The same digit for the same decision, with and without a held visit; without one, nothing is kept."""
    review = result.review
    if review is None:
        return []
    open_to = [choice for choice in Decision if choice != Decision.TREAT or visit]
    opened = would_open(review, {outcome_of(choice) for choice in open_to}, opening=opening, now=now)
    every = [step for steps in opened.values() for step in steps]
    preview = Preview(result.referral.patient, every, reader=(get_language() or "en")[:2], now=now)
    digits = {choice: digit for digit, choice in enumerate(Decision, start=1)}
    found = []
    for choice in open_to:
        steps = opened[outcome_of(choice)]
        keeps = keeps_visit(choice)
        found.append(
            Ahead(
                choice,
                digits[choice],
                visit,
                keeps,
                preview.of(steps, _booked(visit) if keeps and visit else None),
                [
                    step
                    for step in steps
                    if step.owner_role == OwnerRole.RECEPTIONIST and step.kind != StepKind.VISIT
                ],
            )
        )
    return found


def _booked(visit: Appointment) -> Appointment:
    """The held visit as it is once the doctor has said yes."""
    booked = copy(visit)
    booked.status, booked.hold_until = AppointmentStatus.BOOKED, None
    return booked
