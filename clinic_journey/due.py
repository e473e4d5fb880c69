"""What a row of Today is made of, read as values: of hundreds of rows a name and a sentence each are shown."""

from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, NullIf

from appointments.models import Appointment, AppointmentStatus
from clinic_journey import desk
from journeys.models import Step, StepKind, named
from outreach.models import Attempt, OutreachTask
from outreach.queries import WENT_OUT
from patients.access import Here

COLUMNS = (
    "pk",
    "public_id",
    "kind",
    "title",
    "names",
    "template_step__names",
    "opened_at",
    "due_at",
    "journey_id",
    "journey__patient_id",
    "journey__patient__given_name",
    "journey__patient__family_name",
    "about__kind",
    "about__title",
    "about__names",
    "about__template_step__names",
)
KNOWN = ("is_told", "last_visit_at", "aside", "served_by")
CALL = ("pk", "send_at", "expires_at")


class Due(NamedTuple):
    """A step of the list. The names are the reader's words for it and for the step it is about."""

    pk: int
    public_id: UUID
    kind: str
    title: str
    name: str
    has_template: bool
    opened_at: datetime | None
    due_at: datetime | None
    journey_id: int
    patient_id: int | None
    patient_name: str
    about_kind: str
    about_name: str
    is_told: bool = False  # the patient has heard from us that the visit is to be confirmed
    last_visit_at: datetime | None = None  # of somebody who is to be invited again
    aside: str | None = None  # how the asker has put it off
    served_by: str | None = None  # the first name of somebody else who is with this patient
    attempt_id: int | None = None  # the planned call, if there is one, and its window
    send_at: datetime | None = None
    expires_at: datetime | None = None

    @classmethod
    def of(cls, step: Step) -> Self:
        """One step that is loaded already, with its template, patient and `about`."""
        patient, about = step.journey.patient, step.about
        return cls(
            step.pk,
            step.public_id,
            step.kind,
            step.title,
            step.name,
            step.template_step_id is not None,
            step.opened_at,
            step.due_at,
            step.journey_id,
            step.journey.patient_id,
            patient.full_name if patient else "",
            about.kind if about else "",
            about.name if about else "",
        )


def due_steps(steps: QuerySet[Step], here: Here, *, limit: int) -> list[Due]:
    rows = steps.annotate(**_known("", here)).values_list(*COLUMNS, *KNOWN)
    return [due_of(row) for row in rows[:limit]]


def due_calls(calls: QuerySet[Attempt], here: Here, *, limit: int) -> list[Due]:
    """Planned calls, each with the step it is about."""
    at = "task__step__"
    columns = (f"{at}{name}" for name in COLUMNS)
    rows = calls.annotate(**_known(at, here)).values_list(*columns, *KNOWN, *CALL)
    return [due_of(row) for row in rows[:limit]]


def due_of(row: tuple[Any, ...]) -> Due:
    pk, public_id, kind, title, names, template, opened_at, due_at, journey, patient, given, family, *rest = (
        row
    )
    about_kind, about_title, about_names, about_template, *known = rest
    return Due(
        pk,
        public_id,
        kind,
        title,
        _name(template, names, title, kind),
        template is not None,
        opened_at,
        due_at,
        journey,
        patient,
        f"{given} {family}".strip() if patient else "",
        about_kind or "",
        _name(about_template, about_names, about_title, about_kind) if about_kind else "",
        *known,
    )


def _name(template: dict[str, str] | None, names: dict[str, str], title: str, kind: str) -> str:
    """As Step.name says it."""
    return named(template) if template is not None else named(names) or title or str(StepKind(kind).label)


def _known(at: str, here: Here) -> dict[str, Any]:
    """What is known around a step beside its own columns; `at` leads from the row to its step."""
    step, patient = OuterRef(f"{at}pk"), OuterRef(f"{at}journey__patient")
    told = OutreachTask.objects.filter(step=step, attempts__status__in=WENT_OUT)
    seen = Appointment.objects.filter(patient=patient, status=AppointmentStatus.FULFILLED).order_by("-start")
    name = Coalesce(NullIf("user__first_name", Value("")), F("user__username"))
    other = desk.served_by_others(here).filter(patient=patient).values_list(name)
    aside = desk.aside_of(here).filter(step=step).values("kind")
    to_confirm, to_invite = Q(**{f"{at}kind": StepKind.CONFIRM}), Q(**{f"{at}kind": StepKind.RECALL})
    return {
        "is_told": ExpressionWrapper(to_confirm & Exists(told), output_field=BooleanField()),
        "last_visit_at": Case(When(to_invite, then=Subquery(seen.values("start")[:1]))),
        "aside": Subquery(aside[:1]),
        "served_by": Subquery(other[:1]),
    }
