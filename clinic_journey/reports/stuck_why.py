"""Why patients left on the way, and why others asked us to wait: what each said, and how often each cause was."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from clinic_journey.history_words import ENDED_AS
from clinic_journey.reports.map_open import of_value
from clinic_journey.reports.stuck_asked import Asked
from journeys.models import LostBecause, Step
from outreach.by_hand import NotNowReason
from outreach.channels.phone import CallOutcome
from outreach.models import Reply

Causes = list[tuple[str, int]]  # in words, the most frequent first
DECLINED = "declined"
MEANINGS = {f"{CallOutcome.NOT_NOW}_{reason}": reason for reason in NotNowReason}


def cause_of(lost_because: str, outcome: str) -> str:
    """Of a journey given up, or of the step that nobody came for."""
    return str(LostBecause(lost_because).label if lost_because else ENDED_AS.get(outcome, outcome))


def words_of(step: Step) -> str:
    """What the patient said then, as she said it. Needs `journey` loaded."""
    return step.journey.lost_words or (step.note if step.outcome == DECLINED else "")


def left_because(lost: QuerySet[Step]) -> Causes:
    rows = lost.order_by().values_list("journey__lost_because", "outcome").annotate(n=Count("pk"))
    return _together((cause_of(because, outcome), n) for because, outcome, n in rows)


def asked_to_wait(asked: Asked) -> Causes:
    """The patients' reasons for "not now" in the period, about a step of this journey or a call about one."""
    template_step: dict[str, str] = {"template__key": asked.key}
    if asked.gap:
        template_step["key"] = asked.gap[1]
    mine = Q(**{f"template_step__{name}": value for name, value in template_step.items()})
    about = Q(**{f"about__template_step__{name}": value for name, value in template_step.items()})
    steps = Step.objects.filter(mine | about, of_value(asked.told), clinic=asked.here.clinic)
    said = Reply.objects.filter(
        clinic=asked.here.clinic, at__gte=asked.begins, meaning__in=MEANINGS, step__in=steps
    )
    rows = said.order_by().values_list("meaning").annotate(n=Count("pk"))
    return _together((str(MEANINGS[meaning].label), n) for meaning, n in rows)


def _together(rows: Iterable[tuple[str, int]]) -> Causes:
    found: Counter[str] = Counter()
    for words, n in rows:
        found[words] += n
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))
