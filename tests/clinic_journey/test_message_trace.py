"""Why did this patient get no message? From her record in one click, and the same through the API."""

from typing import Any

import pytest
from django.test import Client

from outreach.actions import plan_attempts
from outreach.because import Because
from outreach.dispatch import dispatch
from patients.actions import withdraw_consent
from patients.models import Clinic, Patient
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    return builders.clinic()


@pytest.fixture
def client(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(builders.user(at=clinic))
    return client


@pytest.fixture
def stopped(clinic: Clinic) -> Patient:
    """A message was planned; before it left she asked us to stop on her number."""
    task = builders.task(builders.step(builders.journey(builders.patient(clinic))))
    plan_attempts(now=NOW)
    patient = task.patient
    withdraw_consent(patient, patient.contacts.get().contact_point, "sms", now=NOW, words="STOP")
    dispatch(now=NOW)
    return patient


def test_one_click_from_the_record_says_which_rule_stopped_it(client: Client, stopped: Patient) -> None:
    record = client.get(f"/patients/{stopped.public_id}/").content.decode()
    assert f'href="/patients/{stopped.public_id}/why/"' in record
    assert "the patient does not want this channel at this address" in record
    page = client.get(f"/patients/{stopped.public_id}/why/").content.decode()
    assert 'Not sent: SMS <bdi dir="ltr">050-234-5678</bdi>' in page
    assert "The patient does not want this channel at this address" in page
    assert "Its next time is being worked out." in page


def test_the_page_answers_for_a_step_that_was_never_to_be_written_about(
    client: Client, clinic: Clinic
) -> None:
    step = builders.step(builders.journey(builders.patient(clinic)))
    page = client.get(f"/patients/{step.journey.patient.public_id}/why/").content.decode()  # type: ignore[union-attr]
    assert "No message belongs to this step" in page


def test_the_page_says_that_nothing_has_begun(client: Client, clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    page = client.get(f"/patients/{patient.public_id}/why/").content.decode()
    assert "No step has begun for this patient" in page


def test_the_api_gives_codes_and_words(clinic: Clinic, stopped: Patient) -> None:
    api: Any = builders.api(builders.user(at=clinic))
    answer = api.get(f"/api/v1/message-traces/{stopped.public_id}/")
    assert answer.status_code == 200
    (step,) = answer.json()["steps"]
    assert (step["standing"], step["because"]) == (
        "planning",
        "the patient does not want this channel at this address",
    )
    planned, refused = step["lines"]
    assert (planned["kind"], planned["channel"], planned["until"]) == (
        "planned",
        "sms",
        "2026-03-09T08:00:00Z",
    )
    assert (refused["kind"], refused["codes"]) == ("stopped", [Because.CONSENT])


def test_it_is_read_only_and_another_clinics_patient_does_not_exist(stopped: Patient) -> None:
    stranger: Any = builders.api(builders.user(at=builders.clinic()))
    address = f"/api/v1/message-traces/{stopped.public_id}/"
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, {}, format="json").status_code == 405
    assert stranger.get("/api/v1/message-traces/").status_code == 404
