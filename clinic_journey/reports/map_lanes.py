"""The journey as the patient lives it: what she does and sees at each step, how long she waits then, how she feels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from clinic_journey.reports.map import Line, Wording
from clinic_journey.reports.stages import Counts, Waits, after_waits
from clinic_journey.reports.stages_models import Improvement
from journeys.models import OwnerRole, Step, StepKind, StepTemplate, named
from outreach.matters import FEELINGS, WELL
from outreach.models import Reply
from patients.models import Clinic

DOES: dict[str, str | Promise] = {
    StepKind.VISIT: gettext_lazy("comes"),
    StepKind.BOOK: gettext_lazy("chooses a time"),
    StepKind.RECALL: gettext_lazy("chooses a time"),
    StepKind.CONFIRM: gettext_lazy("answers us"),
    StepKind.TELL: gettext_lazy("hears from us"),
    StepKind.CALL: gettext_lazy("hears from us"),
    StepKind.THANK: gettext_lazy("hears from us"),
    StepKind.AWAIT_PATIENT: gettext_lazy("does her part"),
}
WAITS_FOR_US, WAITS_FOR_INSTITUTE = gettext_lazy("waits for us"), gettext_lazy("waits for the institute")


@dataclass(frozen=True)
class Feeling:
    """Only real answers: one tap on her own page. No answers, no data."""

    well: int
    answers: int

    @property
    def percent(self) -> int:
        return round(100 * self.well / self.answers)


@dataclass(frozen=True)
class Lane:
    key: str
    words: str
    does: str
    sees: str
    is_told: bool
    median: str
    p90: str
    lost_percent: int | None
    chases: int
    feeling: Feeling | None
    ideas: list[Improvement]


def feelings_of(clinic: Clinic, key: str, since: datetime, until: datetime) -> dict[str, Feeling]:
    """By the step that had opened last in the journey when she answered."""
    then = Step.objects.filter(
        journey=OuterRef("step__journey"), template_step__template__key=key, opened_at__lte=OuterRef("at")
    ).order_by("-opened_at", "-pk")
    rows = (
        Reply.objects.filter(clinic=clinic, at__gte=since, at__lt=until, meaning__in=FEELINGS)
        .annotate(stage=Subquery(then.values("template_step__key")[:1]))
        .order_by()
        .values_list("stage", "meaning")
        .annotate(n=Count("pk"))
    )
    found: dict[str, Feeling] = {}
    for stage, meaning, n in rows:
        before = found.get(stage, Feeling(0, 0))
        found[stage] = Feeling(before.well + n * (meaning == WELL), before.answers + n)
    return found


def lanes(
    lines: Iterable[Line],
    wording: Wording,
    feelings: Mapping[str, Feeling],
    ideas: Iterable[Improvement],
) -> list[Lane]:
    by_step: dict[str, list[Line]] = {}
    for line in lines:
        by_step.setdefault(line.target, []).append(line)
    kept = [*ideas]
    return [
        _lane(step, by_step[step.key], wording, feelings.get(step.key), kept)
        for step in wording.steps.values()
        if step.key in by_step
    ]


def _lane(
    step: StepTemplate, lines: list[Line], wording: Wording, feeling: Feeling | None, ideas: list[Improvement]
) -> Lane:
    waits: Waits = {}
    for line in lines:
        for hours, counts in line.waits.items():
            waits.setdefault(hours, Counts()).add(counts)
    judged, lost = sum(line.judged for line in lines), sum(line.lost for line in lines)
    return Lane(
        step.key, step.name, does(step), named(step.patient_names), bool(step.message_key),
        wording.wait(after_waits(waits, 0.5)), wording.wait(after_waits(waits, 0.9)),
        round(100 * lost / judged) if judged else None, sum(line.chases for line in lines), feeling,
        [idea for idea in ideas if idea.step_key == step.key],
    )  # fmt: skip


def does(step: StepTemplate) -> str:
    if step.owner_role == OwnerRole.PARTNER:
        return str(WAITS_FOR_INSTITUTE)
    return str(DOES.get(step.kind, WAITS_FOR_US))
