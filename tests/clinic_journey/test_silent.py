"""Silent patients on the screen: grouped by what we did, replanned with one press, closed only for a reason."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic_journey import silent as screen
from journeys.models import Journey, JourneyStatus, JourneyTemplate, Step, StepKind, StepTemplate
from outreach.models import Attempt, AttemptStatus, OutreachTask
from patients.models import Channel, Clinic, ContactPoint, Patient
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MORNINGS = (datetime(2026, 3, 5, 8, tzinfo=UTC), datetime(2026, 3, 8, 8, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(builders.user(at=clinic))
    return client


def silent(clinic: Clinic, n: int = 0, *, patient: Patient | None = None, **fields: Any) -> OutreachTask:
    who = patient or builders.patient(clinic, phone=f"050-234-{5600 + n}", given_name=f"Dana{n}")
    step = builders.step(builders.journey(who), due_at=NOW + DAY * (n + 1), **fields)
    task = builders.task(step, plan_from=None)
    for at in MORNINGS:
        builders.attempt(
            task, channel=Channel.PHONE, status=AttemptStatus.FAILED, outcome="no_answer", send_at=at
        )
    return task


def test_a_planned_contact_whose_time_is_past_is_overdue(clinic: Clinic, desk: Client) -> None:
    task = silent(clinic)
    planned = builders.attempt(task, channel=Channel.PHONE, send_at=NOW + DAY)
    assert "planned: Call, Tue 10.3 10:00" in desk.get("/silent/").content.decode()
    Attempt.objects.filter(pk=planned.pk).update(send_at=NOW - DAY)
    page = desk.get("/silent/").content.decode()
    assert '<span class="pill pill-late">overdue: Call, Sun 8.3 10:00</span>' in page
    assert "planned:" not in page


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_list_costs_the_same_however_long(clinic: Clinic, desk: Client, rows: int) -> None:
    for n in range(rows):
        silent(clinic, n)
    with CaptureQueriesContext(connection) as seen:
        page = desk.get("/silent/").content.decode()
    assert len(seen) == 12
    assert page.count("Levi</bdi>") == min(rows, screen.PAGE)
    assert "Always the same channel" in page


def test_the_list_is_paged_by_key(clinic: Clinic, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "PAGE", 2)
    tasks = [silent(clinic, n) for n in range(3)]
    first = desk.get("/silent/").content.decode()
    assert ["Dana0" in first, "Dana1" in first, "Dana2" in first] == [True, True, False]
    assert f"?after={tasks[1].public_id}" in first
    second = desk.get(f"/silent/?after={tasks[1].public_id}").content.decode()
    assert ["Dana0" in second, "Dana1" in second, "Dana2" in second] == [False, False, True]
    assert desk.get("/silent/?after=nonsense").status_code == 200
    OutreachTask.objects.filter(pk=tasks[1].pk).update(status="cancelled", ended_at=NOW)  # meanwhile
    third = desk.get(f"/silent/?after={tasks[1].public_id}").content.decode()
    assert ["Dana0" in third, "Dana1" in third, "Dana2" in third] == [False, False, True]


def test_the_grid_proposes_what_one_press_plans(clinic: Clinic, desk: Client) -> None:
    task = silent(clinic)
    page = desk.get(f"/silent/{task.public_id}/").content.decode()
    assert "2 tries" in page
    assert "Always the same part of the day" in page
    assert page.count("is-next") == 1
    assert desk.post(f"/silent/{task.public_id}/replan/").status_code == 302
    planned = Attempt.objects.get(status=AttemptStatus.PLANNED)
    assert planned.channel != Channel.PHONE
    assert "Planned:" in desk.get(f"/silent/{task.public_id}/").content.decode()


def test_the_desk_is_asked_for_another_number(clinic: Clinic, desk: Client) -> None:
    task = silent(clinic)
    task.attempts.update(outcome="wrong_number")
    ContactPoint.objects.update(status="bad")
    page = desk.get(f"/silent/{task.public_id}/").content.decode()
    assert "Ask the desk for another number" in page
    desk.post(f"/silent/{task.public_id}/number/")
    assert Step.objects.get(kind=StepKind.CALL).title == "Find another number for Dana0 Levi"
    desk.post(f"/silent/{task.public_id}/number/", {"found": "none"})
    assert Step.objects.get(kind=StepKind.CALL).outcome == "no_other_number"


def test_a_guess_is_refused_and_words_close(clinic: Clinic, desk: Client) -> None:
    task = silent(clinic)
    refused = desk.post(f"/silent/{task.public_id}/close/", {"words": " "})
    assert (refused.status_code, "A guess is not a reason" in refused.content.decode()) == (409, True)
    assert Journey.objects.get().status == JourneyStatus.ACTIVE
    assert desk.post(f"/silent/{task.public_id}/close/", {"words": "too far for me"}).status_code == 302
    assert Journey.objects.get().lost_words == "too far for me"
    assert "Levi" not in desk.get("/silent/").content.decode()


def test_today_does_not_take_could_not_be_reached_for_an_answer(clinic: Clinic, desk: Client) -> None:
    task = silent(clinic)
    task.attempts.filter(send_at=MORNINGS[0]).delete()
    template = _with_outcomes(task.step)
    desk.post(f"/today/{task.step.public_id}/finish/", {"outcome": "could_not_reach", "note": "surely busy"})
    assert Step.objects.get(template_step=template).outcome == ""


def _with_outcomes(step: Step) -> StepTemplate:
    """A template step that may end so."""
    template = JourneyTemplate.objects.create(key="x", names={"en": "X"}, checksum="x")
    made = template.steps.create(
        key="book",
        names={"en": "Book"},
        kind=StepKind.BOOK,
        outcomes=["booked", "could_not_reach"],
        owner_role="receptionist",
        limit_amount=1,
        limit_unit="days",
    )
    Step.objects.filter(pk=step.pk).update(template_step=made)
    return made


def test_the_patients_page_leads_to_the_grid(clinic: Clinic, desk: Client) -> None:
    task = silent(clinic)
    page = desk.get(f"/patients/{task.patient.public_id}/").content.decode()
    assert f"/silent/{task.public_id}/" in page


def test_another_clinics_silence_is_not_found(clinic: Clinic, desk: Client) -> None:
    task = silent(builders.clinic())
    assert desk.get(f"/silent/{task.public_id}/").status_code == 404
    for what in ("replan", "number", "close"):
        assert desk.post(f"/silent/{task.public_id}/{what}/", {"words": "x"}).status_code == 404
    assert "Levi" not in desk.get("/silent/").content.decode()
