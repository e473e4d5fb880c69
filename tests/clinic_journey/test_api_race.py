"""REST: the same creation asked for by many at the same moment, each with a connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from appointments.models import Appointment
from patients.models import ClientRequest
from tests import builders
from tests.conftest import NOW

pytestmark = [
    pytest.mark.concurrency,
    pytest.mark.django_db(transaction=True),
    pytest.mark.time_machine(NOW, tick=False),
]
RACERS = 8


def test_one_key_makes_one_visit_and_everybody_is_shown_it() -> None:
    clinic = builders.clinic()
    doctor = builders.practitioner(clinic)
    builders.open_time(doctor, NOW + timedelta(days=1))
    body = {
        "patient": str(builders.patient(clinic).public_id),
        "practitioner": doctor.pk,
        "start": "2026-03-10T10:00:00+02:00",
        "minutes": 30,
    }
    client = builders.api(builders.user(at=clinic))
    start = Barrier(RACERS)

    def ask(_nth: int) -> tuple[int, dict[str, Any]]:
        try:
            start.wait(timeout=60)
            answer = client.post("/api/v1/appointments/", body, format="json", HTTP_IDEMPOTENCY_KEY="k1")
            return answer.status_code, answer.json()
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as racers:
        answers = list(racers.map(ask, range(RACERS)))
    assert sorted(status for status, _shown in answers) == [200] * (RACERS - 1) + [201]
    assert {shown["id"] for _status, shown in answers} == {str(Appointment.objects.get().public_id)}


def test_a_key_stands_once_in_a_clinic() -> None:
    clinic = builders.clinic()
    given = {"clinic": clinic, "key": "k1", "made_at": NOW}
    ClientRequest.objects.create(**given, digest="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        ClientRequest.objects.create(**given, digest="b")
    ClientRequest.objects.create(**{**given, "clinic": builders.clinic()}, digest="a")
