"""Each invariant of house.md 10 about contacts, broken on purpose past all Python checks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from outreach.models import Attempt, AttemptStatus, MessageTemplate, OutreachTask
from outreach.provider_models import Sender
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
LEASED: dict[str, Any] = {"lease": uuid4(), "lease_until": NOW + timedelta(minutes=1)}


def refused(write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (OutreachTask, "status"),
        (OutreachTask, "purpose"),
        (Attempt, "status"),
        (Attempt, "channel"),
        (MessageTemplate, "language"),
        (MessageTemplate, "channel"),
        (MessageTemplate, "purpose"),
        (MessageTemplate, "variant"),
    ],
)
def test_choices_are_checked_by_the_database(model: Any, field: str) -> None:
    builders.attempt()
    MessageTemplate.objects.create(key="x", language="en", body="x")
    refused(lambda: model.objects.update(**{field: "x"}))


def test_a_sender_that_rests_says_until_when() -> None:
    Sender.objects.create(channel="sms", paused_until=NOW, paused_since=NOW, down_since=NOW)
    for field in ("paused_since", "down_since"):
        others = {"paused_since": None, "down_since": None, field: NOW}
        refused(lambda others=others: Sender.objects.update(paused_until=None, **others))  # type: ignore[misc]


def test_a_step_has_one_open_task() -> None:
    task = builders.task()
    refused(lambda: builders.task(task.step))
    OutreachTask.objects.update(status="done", ended_at=NOW)
    builders.task(task.step)


def test_a_task_has_an_end_iff_it_ended() -> None:
    builders.task()
    refused(lambda: OutreachTask.objects.update(status="done"))
    refused(lambda: OutreachTask.objects.update(ended_at=NOW))


def test_a_task_has_one_unfinished_attempt() -> None:
    attempt = builders.attempt()
    refused(lambda: builders.attempt(attempt.task))
    refused(lambda: builders.attempt(attempt.task, status="sending", **LEASED))
    Attempt.objects.update(status="failed")
    builders.attempt(attempt.task)


def test_one_contact_is_under_way_per_patient_and_per_address() -> None:
    first = builders.attempt(status="sending", **LEASED)
    same_patient = builders.task(builders.step(first.task.step.journey), plan_from=None)
    other_point = builders.patient(first.clinic, phone="054-765-4321").contacts.get().contact_point
    refused(lambda: builders.attempt(same_patient, status="sending", contact_point=other_point, **LEASED))
    family = builders.patient(first.clinic, given_name="Noa")
    same_address = builders.task(builders.step(builders.journey(family)), plan_from=None)
    refused(lambda: builders.attempt(same_address, status="sending", **LEASED))


@pytest.mark.parametrize("status", [AttemptStatus.SENT, AttemptStatus.DELIVERED])
def test_what_was_sent_says_when(status: AttemptStatus) -> None:
    builders.attempt()
    refused(lambda: Attempt.objects.update(status=status))


def test_under_way_means_leased_and_nothing_else_is() -> None:
    builders.attempt()
    refused(lambda: Attempt.objects.update(status="sending"))
    refused(lambda: Attempt.objects.update(**LEASED))
    refused(lambda: Attempt.objects.update(status="sending", lease=LEASED["lease"]))


def test_one_text_per_message_channel_language_and_form() -> None:
    MessageTemplate.objects.create(key="x", language="en", body="x")
    MessageTemplate.objects.create(key="x", language="en", channel="sms", body="x")
    MessageTemplate.objects.create(key="x", language="en", variant="f", body="x")
    refused(lambda: MessageTemplate.objects.create(key="x", language="en", body="y"))
    refused(lambda: MessageTemplate.objects.create(key="x", language="en", variant="f", body="y"))


def test_one_text_of_its_own_per_clinic() -> None:
    clinic = builders.clinic()
    MessageTemplate.objects.create(key="x", language="en", body="x")
    for each in (clinic, builders.clinic()):
        MessageTemplate.objects.create(key="x", language="en", body="x", clinic=each)
    refused(lambda: MessageTemplate.objects.create(key="x", language="en", body="y", clinic=clinic))
