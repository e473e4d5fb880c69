"""Several people and one message at the same moment: one answer leaves, and nobody is guessed twice."""

from functools import partial

import pytest
from django.db import connection
from django.test import Client

from journeys.models import Step, StepKind, StepStatus
from outreach.channels.inbound import Said
from outreach.models import Attempt, Reply
from outreach.replies import receive_reply
from patients.models import Clinic, ContactPoint, Patient, Role
from tests import builders
from tests.concurrency.test_booking_race import race, unexpected
from tests.conftest import NOW

pytestmark = [
    pytest.mark.concurrency,
    pytest.mark.django_db(transaction=True),
    pytest.mark.time_machine(NOW, tick=False),
]
PHONE = "+972502345678"


def a_writer() -> Patient:
    builders.messages_loaded()
    patient = builders.patient()
    wrote("When do you open?")
    return patient


def wrote(words: str) -> str:
    return receive_reply(Said("sms", "phone", PHONE, words, at=NOW), now=NOW)


def at_the_desk(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(builders.user(Role.RECEPTIONIST, at=clinic))
    return client


def answer(client: Client, patient: Patient, key: str) -> int:
    said = {"words": "At eight.", "request_key": key, "seen": "0"}
    return client.post(f"/inbox/{patient.public_id}/answer/", said).status_code


def test_of_many_who_answer_at_once_one_does() -> None:
    patient = a_writer()
    desk = [at_the_desk(patient.clinic) for _n in range(6)]
    found = race(*(partial(answer, client, patient, f"key {n}") for n, client in enumerate(desk)))
    assert not unexpected(found)
    assert sorted(found) == [302, *([409] * 5)]
    assert Attempt.objects.count() == 1
    assert Step.objects.get(kind=StepKind.CALL).outcome == "answered"


def test_one_press_sent_many_times_at_once_is_one_answer() -> None:
    patient = a_writer()
    client = at_the_desk(patient.clinic)
    found = race(*(partial(answer, client, patient, "one key") for _n in range(6)))
    assert set(found) == {302}
    assert Attempt.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time")
def test_words_that_come_at_once_from_an_unknown_number_are_one_matter() -> None:
    builders.clinic()
    found = race(*(partial(wrote, f"Hello {n}") for n in range(6)))
    assert set(found) == {"unknown_writer"}
    assert ContactPoint.objects.count() == 1
    assert Step.objects.filter(status=StepStatus.ACTIVE).count() == 1
    assert Reply.objects.count() == 6
