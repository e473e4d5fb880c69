"""The page of one patient leads on: to what is open, to what was written, and through what has happened."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from appointments.actions import confirm
from journeys.actions import complete_step
from patients.models import Clinic, Patient
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def rina(clinic: Clinic) -> User:
    return builders.user(at=clinic, last_name="Azulay")


@pytest.fixture
def desk(rina: User) -> Client:
    client = Client()
    client.force_login(rina)
    return client


def page_of(desk: Client, patient: Patient, history: str = "") -> str:
    return desk.get(f"/patients/{patient.public_id}/", {"history": history}).content.decode()


def test_what_is_open_leads_to_its_row_in_today_and_w_to_the_messages(clinic: Clinic, desk: Client) -> None:
    patient = builders.patient(clinic)
    step = builders.step(builders.journey(patient))
    page = page_of(desk, patient)
    address = f"/today/?item={step.public_id}"
    assert f'<a href="{address}">{step.name}</a>' in page
    assert "Why now" in desk.get(address).content.decode()
    assert f'href="/inbox/{patient.public_id}/" data-key="KeyW"' in page


def test_the_history_is_of_everything_of_contacts_or_of_visits(
    clinic: Clinic, rina: User, desk: Client
) -> None:
    patient = builders.patient(clinic)
    step = builders.step(builders.journey(patient), title="Bring the form")
    builders.attempt(builders.task(builders.step(step.journey), plan_from=None))
    complete_step(step, "done", now=NOW, by=rina)
    visit = builders.appointment(patient, start=NOW + timedelta(days=1))
    confirm(visit, now=NOW, by=rina)
    words = {
        "step": "Bring the form: completed",
        "contact": "SMS: Planned",
        "visit": "Visit of 10 March, 10:00: Confirmed by the patient",
    }
    shown = {
        kind: {name for name, said in words.items() if said in page_of(desk, patient, kind)}
        for kind in ("", "contacts", "visits", "nonsense")
    }
    assert shown == {
        "": {"step", "contact", "visit"},
        "contacts": {"contact"},
        "visits": {"visit"},
        "nonsense": {"step", "contact", "visit"},
    }


def test_h_goes_round_what_the_history_shows(clinic: Clinic, desk: Client) -> None:
    patient = builders.patient(clinic)
    path, led = f"/patients/{patient.public_id}/", []
    address = path
    for _turn in range(3):
        found = re.search(r'href="([^"]+)" data-key="KeyH"', desk.get(address).content.decode())
        assert found
        address = found[1]
        led.append(address.removeprefix(path))
    assert led == ["?history=contacts#history", "?history=visits#history", "#history"]
