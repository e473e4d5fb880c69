"""The session of a shared desk: a lock outlives slower requests, and what it kept goes when it has ended."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from clinic_journey.celery import app
from clinic_journey.lock import desk
from clinic_journey.lock.tasks import forget_sessions
from tests import builders
from tests.clinic_journey.lock.test_lock import FAR, at_the_desk, opened, staff
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def test_a_slower_request_takes_no_lock_off_again(client: Client) -> None:
    with time_machine.travel(NOW, tick=False):
        rina = staff(builders.clinic())
        at_the_desk(client, rina)
        slow = client.session  # a page that was asked for before the lock, and is ready after it
        desk.note_activity(slow, now=NOW + timedelta(minutes=1))
        client.post("/lock/")
        slow.save()
        assert client.get("/patients/")["Location"] == "/lock/"
        assert opened(client, rina).status_code == 302
        slow.save()
        assert client.get("/patients/").status_code == 200


def test_what_a_session_kept_is_gone_the_night_after_it_has_ended(client: Client) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        at_the_desk(client, staff(builders.clinic()))
        clock.shift(FAR)
        client.post("/patients/new/", {"given_name": "Noa"})
        forget_sessions()
        assert Session.objects.count() == 1
        clock.shift(desk.LASTS)
        forget_sessions()
    assert not Session.objects.exists()
    assert forget_sessions.name in {each["task"] for each in app.conf.beat_schedule.values()}
