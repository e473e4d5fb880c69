"""A doctor with hours, a patient and a receptionist at the desk, at NOW."""

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from appointments.actions import fill_slots
from appointments.models import Practitioner
from patients.models import Patient
from tests import builders
from tests.conftest import NOW


@pytest.fixture
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def doctor() -> Practitioner:
    made = builders.practitioner()
    room = builders.location(made.clinic)
    for weekday in (6, 0, 1, 2, 3):
        builders.schedule(made, weekday=weekday, location=room)
    fill_slots(NOW, days=9)
    return made


@pytest.fixture
def patient(doctor: Practitioner) -> Patient:
    return builders.patient(doctor.clinic)


@pytest.fixture
def desk(doctor: Practitioner) -> Client:
    client = Client()
    client.force_login(builders.user(at=doctor.clinic, last_name="Azulay"))
    return client
