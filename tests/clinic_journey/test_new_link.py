"""A link that has ended: its page sends a new one to where our message came, and tells nobody whose it was."""

from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client

from journeys.models import Journey, Step
from outreach.dispatch import dispatch
from outreach.links import path_for
from outreach.models import Attempt, Reply
from patients.actions import withdraw_consent
from patients.models import Patient, PatientContact
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.clinic_journey.test_patient_page import without_its_token
from tests.conftest import NOW
from tests.scenarios.house import link_in

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _clock() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def journey() -> Journey:
    """Of two months ago; a message about it went to her phone."""
    builders.messages_loaded()
    journey = builders.journey(builders.patient(language="en"), now=NOW - 70 * DAY)
    step = builders.step(
        journey, status="completed", completed_at=NOW - 60 * DAY, outcome="booked", now=NOW - 70 * DAY
    )
    task = builders.task(step, plan_from=None, status="done", ended_at=NOW - 60 * DAY, outcome="told")
    at = NOW - 65 * DAY
    builders.attempt(task, status="sent", send_at=at, called_at=at, sent_at=at, ended_at=at)
    Journey.objects.update(status="completed", ended_at=NOW - 60 * DAY)
    return Journey.objects.get()


def press(path: str) -> str:
    answer = Client().post(path)
    assert answer.status_code == 200
    return without_its_token(answer)


def links() -> list[Attempt]:
    return list(Attempt.objects.filter(task__message_key="new_link"))


def test_it_goes_to_where_our_message_came_and_opens_her_page(journey: Journey) -> None:
    press(path_for(journey))
    dispatch(now=NOW)
    (sent,) = links()
    assert (sent.status, sent.channel, sent.contact_point.value) == ("sent", "sms", "+972502345678")
    assert OwnPage(link_in(sent)).get().status_code == 200
    assert Step.objects.get(outreach_tasks__attempts=sent).outcome == "told"


def test_it_opens_what_she_is_with_us_for_now(journey: Journey) -> None:
    current = builders.step(builders.journey(journey.patient)).journey
    press(path_for(journey))
    dispatch(now=NOW)
    (sent,) = links()
    assert link_in(sent) == path_for(current)


def test_it_opens_nothing_that_is_kept_from_the_parents_who_may_ask(journey: Journey) -> None:
    PatientContact.objects.update(relation="parent")
    Patient.objects.update(birth_date=date(2010, 1, 2))
    told, kept = (builders.journey(journey.patient, is_confidential=each) for each in (False, True))
    assert kept.pk > told.pk
    press(path_for(journey))
    dispatch(now=NOW)
    (sent,) = links()
    assert link_in(sent) == path_for(told)


def test_none_goes_to_her_mother_once_she_is_of_age(journey: Journey) -> None:
    PatientContact.objects.update(relation="parent")
    press(path_for(journey))
    assert not links()


def test_a_revoked_link_brings_the_one_that_holds(journey: Journey) -> None:
    old = path_for(journey)
    Journey.objects.update(link_version=3, status="active", ended_at=None)
    press(old)
    dispatch(now=NOW)
    (sent,) = links()
    assert link_in(sent) == path_for(Journey.objects.get())


def test_reading_the_page_sends_nothing(journey: Journey) -> None:
    page = Client().get(path_for(journey))
    assert (page.status_code, "Send me a new link" in page.content.decode()) == (404, True)
    assert links() == []
    assert not Reply.objects.exists()


def test_it_is_sent_once_a_day(journey: Journey) -> None:
    for _press in range(3):
        press(path_for(journey))
    assert (len(links()), Journey.objects.count()) == (1, 2)
    with time_machine.travel(NOW + DAY, tick=False):
        press(path_for(journey))
    assert len(links()) == 2


def test_the_page_says_the_same_whether_or_not_anything_leaves(journey: Journey) -> None:
    forged = path_for(journey)[:-5] + "AAAA/"
    assert press(forged) == press("/p/nothing/") == press(path_for(journey))
    assert len(links()) == 1


@pytest.mark.parametrize("why", ["stopped", "not hers any more", "never written"])
def test_where_we_may_not_write_nothing_leaves(journey: Journey, why: str) -> None:
    assert journey.patient
    if why == "stopped":
        point = journey.patient.contacts.get().contact_point
        withdraw_consent(journey.patient, point, "sms", now=NOW, words="STOP")
    elif why == "not hers any more":
        PatientContact.objects.all().delete()
    else:
        Attempt.objects.update(status="cancelled", called_at=None, sent_at=None)
    press(path_for(journey))
    assert links() == []
    assert Journey.objects.count() == 1


def test_at_night_it_waits_for_the_hours_of_messages(journey: Journey) -> None:
    night = NOW + timedelta(hours=15)  # one in the morning
    with time_machine.travel(night, tick=False):
        press(path_for(journey))
    dispatch(now=night)
    (waits,) = links()
    assert (waits.status, waits.send_at) == ("planned", NOW + timedelta(hours=23))  # nine in the morning
    dispatch(now=waits.send_at)
    (sent,) = links()
    assert sent.status == "sent"


def test_a_press_needs_the_form_of_the_page(journey: Journey) -> None:
    assert Client(enforce_csrf_checks=True).post(path_for(journey)).status_code == 403
    assert links() == []
