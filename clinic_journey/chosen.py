"""The row somebody has opened: its step, the contact planned about it, and why it stands in Today."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from clinic_journey.desk_queue import Queue, queue_of
from clinic_journey.due import Due
from clinic_journey.heard import Heard, heard_from
from clinic_journey.why import NOTHING_KNOWN, facts_of
from clinic_journey.worklist import Row, row_of
from journeys.models import Step
from journeys.queries import steps_visible_to
from outreach.models import Attempt
from outreach.queries import UNFINISHED, attempts_visible_to
from patients.access import Here
from patients.models import Channel, Patient


@dataclass(frozen=True)
class Chosen:
    step: Step
    planned: Attempt | None  # the next contact about it, on whatever channel
    reasons: list[str]
    is_parked: bool
    is_listed: bool  # it stands in Today now
    replies: list[Heard]

    @property
    def patient(self) -> Patient | None:
        return self.step.journey.patient

    @property
    def heard(self) -> int:
        """The newest that the row shows of what the patient said."""
        return max((reply.pk for reply in self.replies), default=0)

    @property
    def attempt(self) -> Attempt | None:
        """The planned call, if that is the next contact."""
        return self.planned if self.planned and self.planned.channel == Channel.PHONE else None


def step_named(wanted: str | UUID, here: Here) -> Step | None:
    """A step of the asker's clinic, with all that its panel shows; nonsense names none."""
    try:
        public_id = wanted if isinstance(wanted, UUID) else UUID(wanted)
    except ValueError:
        return None
    more = ("journey__patient__clinic", "journey__patient__card", "journey__template", "about__template_step")
    steps = steps_visible_to(here.user).select_related("template_step", "owner", "clinic", *more)
    return steps.filter(clinic=here.clinic, public_id=public_id).first()


def chosen_of(step: Step, here: Here, queue: Queue | None = None) -> Chosen:
    """`queue`: the list as it was read already; else the patient's own rows are read."""
    listed = queue or queue_of(here, patient_id=step.journey.patient_id or 0)
    row = _row_of(step, listed.everything)
    return Chosen(
        step,
        _planned(step, here),
        (row or _alone(step, here)).reasons,
        is_parked=row in listed.parked,
        is_listed=row is not None,
        replies=heard_from(step.journey.patient_id, here),
    )


def _row_of(step: Step, rows: Iterable[Row]) -> Row | None:
    """Its own row, or the one of its patient that it is merged into."""
    return next((row for row in rows if step.pk in {each.due.pk for each in [row, *row.others]}), None)


def _alone(step: Step, here: Here) -> Row:
    """A step that is not on the list says why it is open by itself."""
    due = Due.of(step)
    return row_of(due, facts_of([due]).get(step.journey_id, NOTHING_KNOWN), here)


def _planned(step: Step, here: Here) -> Attempt | None:
    """The contact that is planned or under way, sharing the step and the patient that are loaded already."""
    attempts = (
        attempts_visible_to(here.user)
        .select_related(None)
        .select_related("contact_point", "claimed_by", "task")
    )
    planned = attempts.filter(task__step=step, status__in=UNFINISHED).first()
    if planned and step.journey.patient:
        planned.task.step, planned.task.patient, planned.patient = (
            step,
            step.journey.patient,
            step.journey.patient,
        )
    return planned
