"""What somebody undertakes about a gap, and what came of it: 28 days before it began and 28 days after (S1.15)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q

from clinic_journey.reports.map import MEDIAN, P90, Wording
from clinic_journey.reports.stages import Counts, Waits, after_waits, ended_steps, hours_of
from clinic_journey.reports.stages_models import Improvement
from clinic_journey.reports.stages_time import worked_time
from journeys.models import StepTemplate, TemplateStatus
from patients.models import Clinic
from patients.windows import starts_at

COMPARED = timedelta(days=28)


@dataclass(frozen=True)
class Span:
    """Four weeks of one step."""

    passed: int
    lost: int
    median: str
    p90: str

    @property
    def lost_percent(self) -> int | None:
        judged = self.passed + self.lost
        return round(100 * self.lost / judged) if judged else None


@dataclass(frozen=True)
class Effect:
    idea: Improvement
    step: str
    before: Span
    after: Span
    days: int  # of the 28 after it began, how many have passed

    @property
    def is_over(self) -> bool:
        return self.days >= COMPARED.days


def current_ideas(clinic: Clinic, key: str) -> list[Improvement]:
    ideas = Improvement.objects.filter(clinic=clinic, template_key=key, ended_on__isnull=True)
    return [*ideas.select_related("owner").order_by("begun_on", "pk")]


def ideas_in(clinic: Clinic, key: str, first: date, until: date) -> list[Improvement]:
    """What was under way on one of these days at least, the last not among them."""
    ideas = Improvement.objects.filter(
        Q(ended_on__isnull=True) | Q(ended_on__gte=first), clinic=clinic, template_key=key, begun_on__lt=until
    )
    return [*ideas.select_related("owner").order_by("begun_on", "pk")]


def span(clinic: Clinic, idea: Improvement, start: datetime, end: datetime, wording: Wording) -> Span:
    """From the events, for the two spans begin on the day the idea did and not with a week."""
    of_step = Q(template_step__key=idea.step_key, template_step__template__key=idea.template_key)
    wanted = (idea.template_key, idea.step_key)
    rows = [
        row
        for row in ended_steps(clinic, start, end, only=of_step)
        if (row["template_step__template__key"], row["template_step__key"]) == wanted
    ]
    time_worked = worked_time(wording.opening, [start, end, *(row["opened_at"] for row in rows)])
    waits: Waits = {}
    for row in rows:
        counts = waits.setdefault(time_worked.hours(row["opened_at"], row["at"]), Counts())
        counts.add(Counts(passed=int(not row["is_lost"]), lost=int(row["is_lost"])))
    lost = sum(each.lost for each in waits.values())
    median, p90 = (wording.wait(after_waits(waits, share)) for share in (MEDIAN, P90))
    return Span(len(rows) - lost, lost, median, p90)


def effect_of(idea: Improvement, clinic: Clinic, *, now: datetime) -> Effect:
    steps = StepTemplate.objects.filter(
        template__key=idea.template_key, template__status=TemplateStatus.ACTIVE
    )
    wording = Wording({step.key: step for step in steps}, hours_of(clinic))
    began = starts_at(clinic.time_zone, idea.begun_on, time.min)
    before = span(clinic, idea, began - COMPARED, began, wording)
    after = span(clinic, idea, began, min(began + COMPARED, now), wording)
    days = max(0, (min(now, began + COMPARED) - began).days)
    return Effect(idea, wording.name(idea.step_key), before, after, days)
