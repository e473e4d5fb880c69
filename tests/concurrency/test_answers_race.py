"""Several people and one message at the same moment: one answer leaves, and nobody is guessed twice."""

import uuid
from datetime import timedelta
from functools import partial
from threading import Event, Thread
from time import monotonic

import pytest
from django.db import connection, transaction
from django.test import Client

from journeys.models import Step, StepKind, StepStatus
from outreach.actions import opt_out_at
from outreach.channels.inbound import Said
from outreach.decision_models import Decision
from outreach.dispatch import LEASE, take
from outreach.models import Attempt, AttemptStatus, Reply
from outreach.replies import receive_reply
from outreach.senders import LIMIT, failed
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


def test_stop_that_comes_several_times_at_once_is_confirmed_once() -> None:
    builders.messages_loaded()
    builders.patient()
    assert race(*(partial(wrote, "STOP") for _n in range(6))) == ["stop"] * 6
    assert Attempt.objects.get().task.message_key == "stopped"
    assert Reply.objects.count() == 6


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time")
@pytest.mark.parametrize("stops", ["she", "the sender"])
def test_only_what_was_really_stopped_is_written_down_as_stopped(stops: str) -> None:
    """One of two contacts is claimed by a worker while the stop waits for it: that one was not stopped."""
    claimed = builders.attempt()
    step = builders.step(claimed.task.step.journey)
    waiting = builders.attempt(builders.task(step, plan_from=None), send_at=NOW + timedelta(minutes=1))
    holds, result = Event(), []

    def stop() -> None:
        holds.wait(timeout=60)
        try:
            if stops == "she":
                opt_out_at(claimed.patient, claimed.contact_point, "sms", now=NOW, words="STOP")
            else:
                for _n in range(LIMIT):
                    failed("sms", "down", now=NOW)
        except Exception as error:  # noqa: BLE001 - the test looks at every error there is
            result.append(error)
        finally:
            connection.close()

    other = Thread(target=stop)
    other.start()
    with transaction.atomic():
        assert take(claimed.pk, uuid.uuid4(), now=NOW, lasts=LEASE)
        holds.set()
        until_somebody_waits()
    other.join(timeout=60)
    assert result == []
    assert [each.attempt_id for each in Decision.objects.filter(kind="stopped")] == [waiting.pk]
    claimed.refresh_from_db()
    assert claimed.status == AttemptStatus.SENDING


def until_somebody_waits() -> None:
    """The database itself is asked whether the other one stands at our lock."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    end = monotonic() + 30
    with connection.cursor() as cursor:
        while monotonic() < end:
            cursor.execute(asked)
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_stat_clear_snapshot()")
    raise AssertionError("Nobody waits for the lock.")
