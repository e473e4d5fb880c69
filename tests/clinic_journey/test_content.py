"""The page on which a clinic says what its messages may name, and what a patient's link then shows."""

from datetime import timedelta

import pytest
from django.test import Client

from journeys.models import StepKind
from outreach.content import withheld
from patients.models import AuditEvent, Clinic, Role
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PAGE = "/setup/content/"
ALL = {"names_first_name": "on", "names_visit_time": "on", "names_colleague": "on"}


def manager(clinic: Clinic) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    return client


def named(clinic: Clinic) -> tuple[bool, bool, bool]:
    clinic.refresh_from_db()
    return clinic.names_first_name, clinic.names_visit_time, clinic.names_colleague


def test_a_manager_says_what_messages_name_and_how_they_name_the_clinic() -> None:
    clinic = builders.clinic()
    desk = manager(clinic)
    assert desk.get(PAGE).content.decode().count("checked") == 3
    assert desk.post(PAGE, {"sender_name": "Alon", "names_first_name": "on"}).status_code == 302
    assert named(clinic) == (True, False, False)
    assert clinic.sender_name == "Alon"
    told = AuditEvent.objects.get(what="clinic", clinic=clinic)
    assert (told.action, told.by) == ("change", "user")
    assert desk.post(PAGE, {"sender_name": ""}).status_code == 422


def test_what_the_country_does_not_allow_cannot_be_switched_on() -> None:
    clinic = builders.clinic(country="RU")
    desk = manager(clinic)
    page = desk.get(PAGE).content.decode()
    assert (page.count("rules do not allow it."), page.count(" checked")) == (1, 2)
    desk.post(PAGE, {"sender_name": "Alon", **ALL})
    assert named(clinic) == (True, True, True)  # kept for the day on which the rules allow it
    assert withheld(clinic, "sms") == {"who"}


def test_another_clinic_keeps_its_own() -> None:
    other = builders.clinic()
    manager(builders.clinic()).post(PAGE, {"sender_name": "Alon"})
    assert named(other) == (True, True, True)


def test_only_managers_decide_it() -> None:
    client = Client()
    client.force_login(builders.user(Role.RECEPTIONIST, at=builders.clinic()))
    assert {client.get(PAGE).status_code, client.post(PAGE, {}).status_code} == {403}


@pytest.mark.parametrize("is_named", [True, False])
def test_the_link_alone_shows_no_visit_that_no_message_may_name(is_named: bool) -> None:
    patient = builders.patient(builders.clinic(names_visit_time=is_named), language="en")
    journey = builders.journey(patient)
    visit = builders.step(journey, kind=StepKind.VISIT)
    builders.appointment(patient, step=visit, start=NOW + timedelta(days=3))
    page = OwnPage(journey)
    assert ("12 March" in page.text()) == is_named
    assert (page.get("visit.ics").status_code == 200) == is_named
    page.prove(patient)
    assert "12 March" in page.text()
    assert page.get("visit.ics").status_code == 200


def test_the_words_stand_on_their_page_as_they_leave() -> None:
    builders.messages_loaded()
    clinic = builders.clinic(names_first_name=False, names_visit_time=False)
    address = "/setup/words/text/?key=held_visit&channel=&language=en"
    page = manager(clinic).get(address).content.decode()
    assert "Hello, this is Alon Clinic. There is something about your visit" in page
