"""In Today: what follows from a decision in doubt offers neither a call nor a message, and says why."""

from datetime import timedelta

import pytest

from journeys.models import Step, StepKind, StepStatus
from tests import builders
from tests.clinic_journey.test_today import a_call, desk
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def test_no_call_and_no_message_is_offered_while_the_doctor_looks_again() -> None:
    builders.messages_loaded()
    clinic = builders.clinic()
    step = a_call(clinic)
    Step.objects.filter(pk=step.pk).update(kind=StepKind.TELL)
    client = desk(clinic)
    path = f"/today/?item={step.public_id}"
    assert "I am calling" in client.get(path).content.decode()
    builders.step(
        step.journey,
        kind=StepKind.REVIEW,
        status=StepStatus.COMPLETED,
        completed_at=NOW - timedelta(hours=1),
        outcome="treat",
    )
    builders.step(step.journey, kind=StepKind.REVIEW, opened_at=NOW + timedelta(seconds=1))
    page = client.get(path).content.decode()
    assert "Nothing is told until then." in page
    assert "I am calling" not in page
    assert "Send the message" not in page
