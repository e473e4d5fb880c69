"""Where her case is, in her words: what is done, who has it now, what comes next and by when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _, gettext_lazy

from appointments.models import Appointment, Practitioner
from journeys.following import would_open
from journeys.models import OPEN_JOURNEYS, Journey, OwnerRole, Step, StepKind, StepStatus, named
from outreach.confidence import told_with
from outreach.queries import visits_of
from patients.models import Patient
from patients.queries import opening_hours

HIDDEN = (StepKind.AWAIT_PATIENT, StepKind.PROMISE, StepKind.IDENTIFY, StepKind.CALL, StepKind.THANK)
HERS = {
    StepKind.CONFIRM,
    StepKind.VISIT,
    StepKind.RECALL,
}  # her own word or visit; that it waits is no delay of ours
# How a step ends that goes as expected. What a doctor decides nobody expects for her.
EXPECTED = {StepKind.AWAIT_RESULT: "received", StepKind.BOOK: "booked"}
OTHERS_SHOWN = 5
ROLES = {
    OwnerRole.RECEPTIONIST: gettext_lazy("our reception"),
    OwnerRole.DOCTOR: gettext_lazy("the doctor"),
    OwnerRole.MANAGER: gettext_lazy("the head of the clinic"),
    OwnerRole.PARTNER: gettext_lazy("the institute"),
    OwnerRole.PATIENT: gettext_lazy("you"),
}


@dataclass(frozen=True)
class Stage:
    """One line of the way: done at a time, going on now, or due by a time; a visit is at its time, not by it."""

    name: str
    state: str  # is-done, is-now, is-late, is-ahead
    at: datetime | None
    is_visit: bool = False
    who: str = ""


@dataclass(frozen=True)
class Way:
    journey: Journey
    stages: list[Stage]

    @property
    def late(self) -> Stage | None:
        return next((stage for stage in self.stages if stage.state == "is-late"), None)


class Names:
    """Who has a step, as a patient knows them: the doctor by the name on the door, others by their own."""

    def __init__(self, clinic_id: int) -> None:
        doctors = Practitioner.objects.filter(clinic=clinic_id, user__isnull=False)
        self._doctors = dict(doctors.values_list("user_id", "name"))

    def of(self, step: Step) -> str:
        """A person where one has it, else the role; needs `owner` loaded.

        What is promised about a late step is with whoever has that step.
        """
        if step.owner is None and step.about:
            return self.of(step.about)
        if step.owner and step.owner_id:
            named_so = self._doctors.get(step.owner_id) or step.owner.get_full_name()
            if named_so:
                return str(named_so)
        return str(ROLES[OwnerRole(step.owner_role)]) if step.owner_role else ""


def ways_of(journeys: Sequence[Journey], names: Names, *, now: datetime) -> list[Way]:
    """In a number of queries that does not grow with the journeys."""
    steps = (
        Step.objects.filter(
            Q(template_step__isnull=False) | Q(kind=StepKind.BOOK, status=StepStatus.ACTIVE),
            journey__in=journeys,
            status__in=[StepStatus.ACTIVE, StepStatus.COMPLETED],
        )
        .exclude(kind__in=HIDDEN)
        .select_related("template_step", "owner")
    )
    visits = visits_of([journey.pk for journey in journeys])
    by_journey: dict[int, list[Step]] = {journey.pk: [] for journey in journeys}
    for step in steps:
        by_journey[step.journey_id].append(step)
    return [
        Way(journey, _stages(by_journey[journey.pk], visits.get(journey.pk), names, now=now))
        for journey in journeys
    ]


def others_of(patient: Patient, shown: Journey) -> list[Journey]:
    """Her other open journeys in the same clinic, the newest first."""
    found = Journey.objects.filter(patient=patient, clinic=shown.clinic_id, status__in=OPEN_JOURNEYS)
    with_a_way = found.filter(told_with(shown), template__isnull=False).exclude(pk=shown.pk)
    return list(with_a_way.select_related("template").order_by("-opened_at")[:OTHERS_SHOWN])


def _stages(steps: Iterable[Step], visit: Appointment | None, names: Names, *, now: datetime) -> list[Stage]:
    rows = list(steps)
    done = sorted((s for s in rows if s.completed_at), key=lambda s: (s.completed_at, s.pk))
    waiting = sorted((s for s in rows if not s.completed_at), key=lambda s: (s.due_at or now, s.pk))
    stages = [Stage(words_for(step), "is-done", step.completed_at) for step in done]
    for step in waiting:
        is_past = step.due_at is not None and step.due_at <= now
        if visit and visit.step_id == step.pk:
            who = visit.practitioner.name
            stages.append(Stage(words_for(step), "is-now", visit.start, is_visit=True, who=who))
            continue
        is_hers = step.kind in HERS or step.owner_role == OwnerRole.PATIENT
        state = "is-late" if is_past and not is_hers else "is-now"
        stages.append(Stage(words_for(step), state, None if is_past else step.due_at, who=names.of(step)))
    return stages


def ahead_of(journey: Journey, names: Names, *, now: datetime) -> list[Stage]:
    """What comes after the steps that are open now, where that is certain, and by when at the latest."""
    steps = list(
        journey.steps.filter(status=StepStatus.ACTIVE, kind__in=EXPECTED, template_step__isnull=False)
        .select_related("template_step", "journey__template", "journey__clinic", "journey__doctor")
        .order_by("due_at")[:1]
    )
    for step in steps:
        outcome = EXPECTED[StepKind(step.kind)]
        if step.template_step is None or outcome not in step.template_step.outcomes:
            continue
        then = max(step.due_at or now, now)
        opening = opening_hours(journey.clinic, now=then)
        opened = would_open(step, [outcome], opening=opening, now=then)[outcome]
        return [
            Stage(words_for(each), "is-ahead", each.due_at, who=names.of(each))
            for each in opened
            if each.kind not in HIDDEN and each.kind not in {StepKind.TELL, StepKind.VISIT}
        ]
    return []


def words_for(step: Step) -> str:
    return named(step.template_step.patient_names) if step.template_step else _("We are on it")
