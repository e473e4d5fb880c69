"""What became of the messages of all trials, by channel and by what went wrong: the summary of a night."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from journeys.models import Step, StepKind, StepStatus
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from patients.models import Channel

IN_ALL = "in all"
SENT, PERSON, WAITING, LOST, TWICE = "sent", "person", "waiting", "lost", "twice"
HEADS = {
    "trials": "trials",
    "messages": "messages",
    SENT: "sent",
    PERSON: "shown to a person",
    WAITING: "planned",
    LOST: "lost",
    TWICE: "contacted twice",
}
WIDEST = 10  # a figure of a night: hundreds of thousands
Rows = list[tuple[str, str, dict[str, int]]]


class Figures:
    """Of one trial."""

    def __init__(self) -> None:
        self.rows: Rows = []
        self.last: Callable[[], None] = lambda: None

    def watch(self, *args: Any, **kwargs: Any) -> None:
        """Look when the trial has ended, however it ends."""
        self.last = partial(self.look, *args, **kwargs)

    def look(
        self,
        ledger: Path,
        channel: str,
        met: str | Callable[[Attempt], Iterable[str]],
        *,
        honours: bool = False,
    ) -> None:
        """What the database says of each message against the ledger: a line a contact, our reference or the address.

        `met` is what went wrong, or tells it of a message. A provider that `honours` our reference knows a repetition.
        """
        taken = Counter(ledger.read_text().split())
        rows: dict[str, Counter[str]] = defaultdict(Counter)
        persons = set(_with_a_person())
        for task in OutreachTask.objects.prefetch_related("attempts__contact_point"):
            attempts = sorted(task.attempts.all(), key=lambda each: each.pk)
            keys = {str(each.reference) for each in attempts}
            keys |= {each.contact_point.value for each in attempts}
            contacts = [min(taken[key], 1) if honours else taken[key] for key in keys]
            faults = {met} if isinstance(met, str) else {name for each in attempts for name in met(each)}
            for fault in {*faults, IN_ALL}:
                rows[fault]["messages"] += 1
                rows[fault][became(task, attempts, sum(contacts), has_a_person=task.step_id in persons)] += 1
                rows[fault][TWICE] += sum(contacts) > 1
        self.rows = [(channel, fault, {"trials": 1, **row}) for fault, row in rows.items()]


def _with_a_person() -> Iterable[int | None]:
    return Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE).values_list("about", flat=True)


def became(task: OutreachTask, attempts: list[Attempt], contacts: int, *, has_a_person: bool) -> str:
    """Sent is what the provider has and we know of; a person has what nobody knows, and what cannot be sent now."""
    statuses = {each.status for each in attempts}
    if statuses & {AttemptStatus.SENT, AttemptStatus.DELIVERED}:
        return SENT if contacts else LOST
    if has_a_person or any(
        each.channel == Channel.PHONE and each.status == AttemptStatus.PLANNED for each in attempts
    ):
        return PERSON
    is_planned = task.plan_from or AttemptStatus.PLANNED in statuses
    return WAITING if task.status == TaskStatus.OPEN and is_planned and not contacts else LOST


def table(rows: Iterable[tuple[str, str, dict[str, int]]]) -> Iterator[str]:
    """A line for each channel and fault, one for each channel, and one for all."""
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for channel, fault, row in rows:
        sums[channel, fault].update(row)
        if fault == IN_ALL:
            sums["", IN_ALL].update(row)
    widths = {key: max(len(head) + 3, WIDEST) for key, head in HEADS.items()}
    yield f"{'channel':24}{'what went wrong':34}" + "".join(
        f"{head:>{widths[key]}}" for key, head in HEADS.items()
    )
    for channel, fault in sorted(sums, key=lambda key: (not key[0], key[0], key[1] == IN_ALL, key[1])):
        row = sums[channel, fault]
        yield f"{channel:24}{fault:34}" + "".join(f"{row[key]:>{width},}" for key, width in widths.items())
