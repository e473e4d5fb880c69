"""Each invariant of house.md 10 about journeys and steps, broken on purpose past all Python checks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from journeys.actions import complete_step
from journeys.models import (
    Journey,
    JourneyTemplate,
    Step,
    StepEdge,
    StepEvent,
    StepKind,
    StepStatus,
    StepTemplate,
)
from patients.actions import RefusedError
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def refused(write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (Journey, "status"),
        (Journey, "urgency"),
        (Step, "status"),
        (Step, "kind"),
        (Step, "owner_role"),
        (StepEvent, "kind"),
        (JourneyTemplate, "status"),
        (StepTemplate, "kind"),
        (StepTemplate, "owner_role"),
        (StepTemplate, "limit_unit"),
        (StepTemplate, "contact_when"),
        (StepEdge, "effect"),
    ],
)
def test_choices_are_checked_by_the_database(model: Any, field: str) -> None:
    call_command("load_catalogue")
    StepEvent.objects.create(step=builders.step(), kind="opened", at=NOW)
    refused(lambda: model.objects.update(**{field: "x"}))


@pytest.mark.parametrize(
    "change",
    [
        {"due_at": None},
        {"owner_role": ""},
        {"outcome": "told"},
        {"completed_at": NOW},
        {"status": StepStatus.COMPLETED},
        {"status": StepStatus.COMPLETED, "completed_at": NOW},
        {"status": StepStatus.COMPLETED, "outcome": "told"},
        {"stalled_at": NOW},
    ],
)
def test_an_active_step_cannot_lose_its_deadline_its_owner_or_its_meaning(change: dict[str, Any]) -> None:
    step = builders.step(due_at=NOW + timedelta(hours=1))
    refused(lambda: Step.objects.filter(pk=step.pk).update(**change))


def test_a_step_that_ended_or_waits_needs_no_deadline() -> None:
    step = builders.step()
    Step.objects.filter(pk=step.pk).update(status=StepStatus.PLANNED, due_at=None, owner_role="")
    Step.objects.filter(pk=step.pk).update(status=StepStatus.COMPLETED, completed_at=NOW, outcome="told")
    assert Step.objects.get().outcome == "told"


def test_a_step_that_one_outcome_ends_ends_with_no_other() -> None:
    step = builders.step(ends_with="address_checked")
    same = Step.objects.filter(pk=step.pk)
    with pytest.raises(RefusedError):
        complete_step(step, "booked", now=NOW)
    refused(lambda: same.update(status=StepStatus.COMPLETED, completed_at=NOW, outcome="booked"))
    complete_step(step, "address_checked", now=NOW)
    assert same.get().outcome == "address_checked"


def test_what_is_to_mend_is_one_open_step_of_a_clinic() -> None:
    step = builders.step(kind=StepKind.MEND, ends_with="works_sms")
    refused(lambda: builders.step(step.journey, kind=StepKind.MEND, ends_with="works_sms"))
    builders.step(step.journey, kind=StepKind.MEND, ends_with="read_sms")
    complete_step(step, "works_sms", now=NOW)
    builders.step(step.journey, kind=StepKind.MEND, ends_with="works_sms")


def test_a_template_step_runs_once_per_journey_and_round() -> None:
    call_command("load_catalogue")
    template_step = StepTemplate.objects.all()[0]
    journey = builders.journey()
    builders.step(journey, template_step=template_step)
    builders.step(journey, template_step=template_step, round=2)
    refused(lambda: builders.step(journey, template_step=template_step))


def test_a_chase_and_nothing_else_has_the_clinic_of_its_step() -> None:
    step = builders.step()
    refused(lambda: StepEvent.objects.create(step=step, kind="chased", at=NOW))
    refused(lambda: StepEvent.objects.create(step=step, kind="noted", at=NOW, clinic=step.clinic))


def test_a_journey_has_a_patient_unless_it_is_unidentified() -> None:
    journey = builders.journey()
    refused(lambda: Journey.objects.filter(pk=journey.pk).update(patient=None))
    Journey.objects.filter(pk=journey.pk).update(patient=None, status="unidentified")
    refused(lambda: Journey.objects.filter(pk=journey.pk).update(status="active"))


def test_a_journey_has_an_end_only_when_it_ended() -> None:
    journey = builders.journey()
    refused(lambda: Journey.objects.filter(pk=journey.pk).update(ended_at=NOW))
    refused(lambda: Journey.objects.filter(pk=journey.pk).update(status="completed"))


def test_one_version_of_a_template_is_active() -> None:
    call_command("load_catalogue")
    template = JourneyTemplate.objects.all()[0]
    refused(lambda: JourneyTemplate.objects.create(key=template.key, version=2, checksum="x"))
    refused(
        lambda: JourneyTemplate.objects.create(key=template.key, version=1, status="retired", checksum="x")
    )


def test_a_contact_has_a_message() -> None:
    call_command("load_catalogue")
    refused(lambda: StepTemplate.objects.update(contact_when="at_once", message_key=""))
