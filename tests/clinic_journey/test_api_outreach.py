"""REST: why patients are contacted, each attempt with its reasons, and how a call ended."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.models import Step, StepKind
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from patients.models import Channel, Clinic, Role
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

TASKS = "/api/v1/outreach-tasks/"


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def client(clinic: Clinic) -> Any:
    return builders.api(builders.user(Role.RECEPTIONIST, at=clinic, first_name="Rina"))


@pytest.fixture
def task(clinic: Clinic) -> OutreachTask:
    return builders.task(builders.step(builders.journey(builders.patient(clinic))), plan_from=None)


def call(task: OutreachTask, **fields: Any) -> Attempt:
    return builders.attempt(task, channel=Channel.PHONE, **fields)


def test_a_task_is_shown_with_its_attempts_and_their_reasons(
    client: Any, clinic: Clinic, task: OutreachTask
) -> None:
    builders.attempt(
        task,
        status=AttemptStatus.DELIVERED,
        send_at=NOW - timedelta(hours=1),
        sent_at=NOW - timedelta(hours=1),
        why="asked",
        body="Please call us.",
    )
    call(task, why="next_channel untried")
    shown = client.get(f"{TASKS}{task.public_id}/").json()
    attempts = shown.pop("attempts")
    assert shown == {
        "id": str(task.public_id),
        "clinic": clinic.slug,
        "patient": str(task.patient.public_id),
        "journey": str(task.step.journey.public_id),
        "step": str(task.step.public_id),
        "message_key": "next_step",
        "purpose": "service",
        "status": "open",
        "opened_at": iso(NOW),
        "plan_from": None,
        "deadline_at": iso(NOW + timedelta(days=1)),
        "max_attempts": 4,
        "ended_at": None,
        "outcome": "",
    }
    assert [(each["channel"], each["status"], each["why"], each["why_words"]) for each in attempts] == [
        ("sms", "delivered", ["asked"], "the channel the patient asked for"),
        (
            "phone",
            "planned",
            ["next_channel", "untried"],
            "another channel has its turn, a time not tried before",
        ),
    ]
    assert [(each["address"], each["body"], each["claimed_by"]) for each in attempts] == [
        ("+972502345678", "Please call us.", None),
        ("+972502345678", "", None),
    ]
    assert client.get(TASKS).json()["results"] == [shown]


def test_a_due_call_ends_with_its_outcome(client: Any, task: OutreachTask) -> None:
    due = call(task)
    answer = client.post(f"{TASKS}{task.public_id}/outcome/", {"outcome": "no_answer"}, format="json")
    assert answer.status_code == 200
    (shown,) = answer.json()["attempts"]
    assert (shown["id"], shown["status"], shown["outcome"], shown["outcome_words"], shown["claimed_by"]) == (
        str(due.reference),
        "failed",
        "no_answer",
        "No answer",
        "Rina",
    )
    assert (answer.json()["status"], answer.json()["plan_from"]) == ("open", iso(NOW))


def test_a_patient_who_declines_is_quoted(client: Any, task: OutreachTask) -> None:
    call(task)
    outcome = f"{TASKS}{task.public_id}/outcome/"
    for wrong, field in (
        ({"outcome": "declined"}, "note"),
        ({"outcome": "call_at"}, "call_again_at"),
        ({"outcome": "call_at", "call_again_at": "2026-03-09T17:00:00"}, "call_again_at"),
        ({"outcome": "shrug"}, "outcome"),
        ({}, "outcome"),
    ):
        answer = client.post(outcome, wrong, format="json")
        assert (answer.status_code, list(answer.json())) == (400, [field])
    said = {"outcome": "declined", "note": "I go elsewhere now."}
    assert client.post(outcome, said, format="json").json()["outcome"] == "declined"
    again = client.post(outcome, said, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "stale_state")
    assert Attempt.objects.get().error == "I go elsewhere now."


def test_a_call_at_another_time_is_a_promise(client: Any, task: OutreachTask) -> None:
    call(task)
    at = NOW + timedelta(hours=7)
    said = {"outcome": "call_at", "call_again_at": iso(at)}
    assert client.post(f"{TASKS}{task.public_id}/outcome/", said, format="json").status_code == 200
    assert Step.objects.get(kind=StepKind.PROMISE).due_at == at


def test_a_refused_outcome_leaves_the_call_as_it_was(client: Any, task: OutreachTask) -> None:
    due = call(task)
    said = {"outcome": "call_at", "call_again_at": iso(NOW - timedelta(hours=1))}
    answer = client.post(f"{TASKS}{task.public_id}/outcome/", said, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "refused")
    due.refresh_from_db()
    assert (due.status, due.claimed_by) == (AttemptStatus.PLANNED, None)


def test_a_call_outside_the_plan_says_why(client: Any, task: OutreachTask) -> None:
    planned = call(task, send_at=NOW + timedelta(hours=3))
    outcome = f"{TASKS}{task.public_id}/outcome/"
    assert client.post(outcome, {"outcome": "spoken"}, format="json").status_code == 422
    said = {"outcome": "spoken", "because": "she called us"}
    answer = client.post(outcome, said, format="json")
    assert (answer.status_code, answer.json()["status"]) == (200, "done")
    assert [
        (each["why_words"], each["status"]) for each in answer.json()["attempts"] if not each["outcome"]
    ] == []
    assert ("she called us", "delivered") in [
        (each["why_words"], each["status"]) for each in answer.json()["attempts"]
    ]
    planned.refresh_from_db()
    assert planned.status == AttemptStatus.CANCELLED


def test_a_call_that_somebody_else_makes_is_theirs(client: Any, clinic: Clinic, task: OutreachTask) -> None:
    other = builders.user(at=clinic, first_name="Yael")
    lease = {"lease": task.public_id, "lease_until": NOW + timedelta(minutes=3)}
    call(task, status=AttemptStatus.SENDING, claimed_by=other, **lease)
    said = {"outcome": "no_answer", "because": "I rang too"}
    answer = client.post(f"{TASKS}{task.public_id}/outcome/", said, format="json")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Yael is reaching this patient right now."
    mine = builders.api(other).post(f"{TASKS}{task.public_id}/outcome/", said, format="json")
    assert mine.status_code == 200


def test_a_task_that_is_over_takes_no_outcome(client: Any, task: OutreachTask) -> None:
    OutreachTask.objects.update(status=TaskStatus.DONE, ended_at=NOW)
    said = {"outcome": "spoken", "because": "she called us"}
    answer = client.post(f"{TASKS}{task.public_id}/outcome/", said, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_state")
    assert not Attempt.objects.exists()
