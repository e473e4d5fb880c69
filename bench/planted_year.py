"""A year of one clinic, planned patient by patient in whole working hours, so that every number of a report is known.

What is planted: a doctor who takes ten times as long, patients who leave while a doctor decides, others who cannot
be reached after they did not come, and visits that are booked twice.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

TEMPLATE = "imaging_treatment"
DOCTORS, SLOW = 5, 4  # of five doctors the last one takes long
LANGUAGES, CHANNELS = ("he", "ru", "ar", "en"), ("phone", "sms", "whatsapp")
OF = 40  # of forty patients: two leave while the doctor decides, four do not come, four come the second time
LIMITS = {"await_result": 55, "visit_institute": 33, "inform_arrival": 2, "review": 10, "tell_decision": 11}
LIMITS |= {"visit": 250, "book": 11}


class Planned(NamedTuple):
    """One step: it opens and ends after so many working hours of the clinic; `fate` passed, lost or cut off."""

    patient: int
    key: str
    round: int
    source: str
    start: int
    end: int
    outcome: str
    fate: str
    tries: int
    chased: int


def begun(patient: int, patients: int, hours: int) -> int:
    return patient * hours // patients


def doctor_of(patient: int) -> int:
    return patient % DOCTORS


def decision_takes(patient: int) -> int:
    return 30 + patient % 10 if doctor_of(patient) == SLOW else 3 + patient % 4


def steps_of(n: int, at: int) -> Iterator[Planned]:
    kind = n % OF
    arrives = at + 20 + n % 7
    yield Planned(n, "visit_institute", 1, "", at, at + 10 + n % 3, "been_there", "passed", 0, 0)
    yield Planned(n, "await_result", 1, "", at, arrives, "received", "passed", 0, 0)
    yield Planned(n, "inform_arrival", 1, "await_result", arrives, arrives + 1, "told", "passed", 1, 0)
    if kind in (0, 1):
        yield Planned(n, "review", 1, "await_result", arrives, arrives + 12, "", "lost", 0, 1)
        return
    decided = arrives + decision_takes(n)
    chased = int(n % 10 == SLOW)
    yield Planned(n, "review", 1, "await_result", arrives, decided, "treat", "passed", 0, chased)
    told = decided + 2 + n % 3
    yield Planned(n, "tell_decision", 1, "review", decided, told, "confirmed", "passed", 1 + n % 3, 0)
    comes = decided + 40 + n % 11
    if kind in (2, 3, 4, 5):
        yield Planned(n, "visit", 1, "review", decided, comes, "no_show", "passed", 1, 0)
        yield Planned(n, "book", 1, "visit", comes, comes + 20 + n % 4, "could_not_reach", "lost", 4, 0)
    elif kind in (6, 7, 8, 9):
        yield Planned(n, "visit", 1, "review", decided, comes, "cancelled", "passed", 1, 0)
        yield Planned(n, "book", 1, "visit", comes, comes + 5, "booked", "passed", 2, 0)
        yield Planned(n, "visit", 2, "book", comes + 5, comes + 49, "attended", "passed", 1, 0)
    else:
        yield Planned(n, "visit", 1, "review", decided, comes, "attended", "passed", 1, 0)


def year(patients: int, hours: int) -> list[Planned]:
    """All that has opened within the first `hours` working hours."""
    planned = (step for n in range(patients) for step in steps_of(n, begun(n, patients, hours)))
    return [step for step in planned if step.start <= hours]


class Found(NamedTuple):
    passed: int
    lost: int
    open: int
    median: int | None
    p90: int | None
    tries: int
    chases: int


def expected(steps: list[Planned], hours: int) -> dict[tuple[str, str], Found]:
    """What a report over all of it must say for each edge."""
    found = {}
    for edge in {(step.source, step.key) for step in steps}:
        here = [step for step in steps if (step.source, step.key) == edge]
        over = [step for step in here if step.end < hours]
        waits = Counter(step.end - step.start for step in over if step.fate == "passed")
        found[edge] = Found(
            waits.total(), len(over) - waits.total(), len(here) - len(over), quantile(waits, 0.5),
            quantile(waits, 0.9), sum(step.tries for step in over), sum(step.chased for step in over),
        )  # fmt: skip
    return found


def quantile(waits: Counter[int], share: float) -> int | None:
    listed = sorted(waits.elements())
    return next((wait for n, wait in enumerate(listed, 1) if n >= share * len(listed) - 1e-9), None)
