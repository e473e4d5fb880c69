"""What each decision would set going, shown before it is pressed: by the rules that do it (surfaces.md 4.3)."""

from copy import copy
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language

from appointments.actions import confirm_by
from appointments.models import Appointment, AppointmentStatus
from journeys.following import would_open
from journeys.models import OwnerRole, Step, StepKind
from outreach.message_preview import Preview, Said
from patients.windows import Hours
from referrals.actions import keeps_visit, outcome_of
from referrals.models import Decision, Result


@dataclass(frozen=True)
class Choice:
    """One decision: its digit, and what becomes of the visit."""

    decision: Decision
    digit: int
    visit: Appointment | None
    keeps: bool

    @property
    def is_free_to_choose(self) -> bool:
        """Another time may be chosen here and now."""
        return self.decision == Decision.TREAT_OTHER


@dataclass(frozen=True)
class Ahead(Choice):
    """With what the patient reads and what reception gets."""

    said: Said | None
    for_reception: list[Step]


def choices_of(visit: Appointment | None) -> list[Choice]:
    """The same digit for the same decision, with and without a held visit; without one, nothing is kept."""
    return [
        Choice(decision, digit, visit, keeps_visit(decision))
        for digit, decision in enumerate(Decision, start=1)
        if decision != Decision.TREAT or visit
    ]


def decisions_ahead(
    result: Result, visit: Appointment | None, *, opening: Hours, now: datetime
) -> list[Ahead]:
    review = result.review
    if review is None:
        return []
    open_to = choices_of(visit)
    outcomes = {outcome_of(choice.decision) for choice in open_to}
    opened = would_open(review, outcomes, opening=opening, now=now)
    if visit:
        for step in opened.get(outcome_of(Decision.TREAT), []):
            step.due_at = confirm_by(step, visit, now=now) if step.kind == StepKind.CONFIRM else step.due_at
    every = [step for steps in opened.values() for step in steps]
    preview = Preview(result.referral.patient, every, reader=(get_language() or "en")[:2], now=now)
    found = []
    for choice in open_to:
        steps = opened[outcome_of(choice.decision)]
        said = preview.of(steps, _booked(visit) if choice.keeps and visit else None)
        for_reception = [
            step
            for step in steps
            if step.owner_role == OwnerRole.RECEPTIONIST and step.kind != StepKind.VISIT
        ]
        found.append(Ahead(choice.decision, choice.digit, visit, choice.keeps, said, for_reception))
    return found


def _booked(visit: Appointment) -> Appointment:
    """The held visit as it is once the doctor has said yes."""
    booked = copy(visit)
    booked.status, booked.hold_until = AppointmentStatus.BOOKED, None
    return booked
