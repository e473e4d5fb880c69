"""Silent patients by what WE always did alike, and how many: as it is now, since a silence has no history."""

from collections import Counter
from dataclasses import dataclass

from clinic_journey.silent import CAUSE_WORDS, NO_CAUSE
from outreach.silence import Cause
from outreach.silent import silences_in, silent_tasks
from patients.access import Here

MOST = 60  # the longest silent are looked at; more of them say nothing new


@dataclass(frozen=True)
class Silent:
    causes: list[tuple[str, int]]
    is_all: bool

    @property
    def people(self) -> int:
        return sum(number for _words, number in self.causes)


def silent_by_cause(here: Here) -> Silent:
    """Of the longest silent, in the order in which causes are looked for."""
    tasks = silent_tasks(here.user).filter(clinic=here.clinic)[: MOST + 1]
    found = silences_in(tasks, now=here.now)
    counts = Counter(each.cause for each in found[:MOST] if each.is_silent)
    order: list[Cause | None] = [*Cause, None]
    named = [(str(CAUSE_WORDS[cause] if cause else NO_CAUSE), counts[cause]) for cause in order]
    return Silent([each for each in named if each[1]], len(found) <= MOST)
