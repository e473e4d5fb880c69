"""Against which step a chasing call is counted: the one with which we kept the patient waiting (S1.10)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

PATIENT = "patient"
# What the patient does; that it has not happened yet is no defect of ours.
PATIENTS_OWN = frozenset({"await_patient", "visit"})
ONCE_TOLD = frozenset({"confirm", "book", "recall"})  # after our message the patient has the next word
# What a calling patient waits for, the nearest to her first: our word, news, a decision, a date, a result.
WAITED_FOR = ("promise", "call", "tell", "complaint", "confirm", "review", "refer", "book", "await_result")


@dataclass(frozen=True)
class OpenStep:
    """An open step as far as fault is concerned; `told`: the patient has heard from us about it."""

    key: int
    kind: str
    owner: str  # a role
    due_at: datetime
    told: bool = False

    @property
    def is_ours(self) -> bool:
        if self.owner == PATIENT or self.kind in PATIENTS_OWN:
            return False
        return not (self.told and self.kind in ONCE_TOLD)


def step_at_fault(steps: Iterable[OpenStep], *, now: datetime) -> OpenStep | None:
    """The most overdue step that is ours, else the one the patient waits for; never the patient's own."""
    ours = [step for step in steps if step.is_ours]
    overdue = [step for step in ours if step.due_at <= now]
    if overdue:
        return min(overdue, key=lambda step: (step.due_at, step.key))
    waited = [step for step in ours if step.kind in WAITED_FOR]
    return min(waited, key=lambda step: (WAITED_FOR.index(step.kind), step.due_at, step.key), default=None)
