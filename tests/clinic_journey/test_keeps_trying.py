"""Saves that are repeated over a bad line: told where to go on, made once, and refused on the page that they are on."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from clinic_journey.models import DeskAction
from patients.models import Clinic, Role, ServiceCard
from referrals.models import Result
from tests import builders
from tests.clinic_journey.on_the_desk import arrived, browser
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
KEEPS_TRYING = {"X-Keeps-Trying": "1"}
CARD = {"channel": "sms", "days": ["any"], "hours": ["16-20"], "language": "he", "request_key": "one page"}
COMES = {"coming": ["afternoons"], "coming_days": ["6"]}


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def cohen(clinic: Clinic) -> User:
    return builders.user(Role.DOCTOR, at=clinic)


def test_it_is_told_where_to_go_on_and_the_words_wait_there(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    desk = browser(builders.user(at=clinic))
    address = reverse("patients:card", args=[patient.public_id])
    answer = desk.post(address, {**CARD, "next": "/calendar/"}, headers=KEEPS_TRYING)
    assert (answer.status_code, answer["X-Go-To"], answer.content) == (204, "/calendar/", b"")
    assert "Location" not in answer
    assert "The service card is saved as the patient said." in desk.get("/calendar/").content.decode()


def test_what_is_refused_is_answered_with_its_page(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    desk = browser(builders.user(at=clinic))
    address = reverse("patients:card", args=[patient.public_id])
    answer = desk.post(address, {**CARD, "channel": "pigeon"}, headers=KEEPS_TRYING)
    assert (answer.status_code, "X-Go-To" in answer) == (422, False)


def test_who_is_logged_out_meanwhile_is_sent_to_the_log_in(clinic: Clinic) -> None:
    address = reverse("patients:card", args=[builders.patient(clinic).public_id])
    answer = Client().post(address, CARD, headers=KEEPS_TRYING)
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={address}")


@pytest.mark.parametrize("more", [{}, COMES])
def test_the_same_card_again_from_one_page_is_one_save(
    clinic: Clinic, clock: time_machine.Traveller, more: dict[str, list[str]]
) -> None:
    patient = builders.patient(clinic)
    desk = browser(builders.user(at=clinic))
    address = reverse("patients:card", args=[patient.public_id])
    for _again in range(2):
        assert desk.post(address, {**CARD, **more}).status_code == 302
        clock.shift(timedelta(seconds=5))
    assert ServiceCard.objects.get().told_at == NOW
    desk.post(address, {**CARD, "channel": "phone"})  # after going back to the page
    assert (ServiceCard.objects.get().channel, ServiceCard.objects.get().told_at) == (
        "phone",
        NOW + timedelta(seconds=10),
    )


def decided(result: Result, cohen: User, **said: str) -> int:
    answer = browser(cohen).post(reverse("decide", args=[result.public_id]), said)
    status: int = answer.status_code
    return status


def test_the_same_decision_again_from_one_page_is_one_decision(clinic: Clinic, cohen: User) -> None:
    call_command("load_catalogue", verbosity=0)
    builders.messages_loaded()
    result = arrived(clinic, cohen)
    for _again in range(2):
        assert decided(result, cohen, decision="no_treatment", request_key="one page") == 302
    assert DeskAction.objects.count() == 1
    assert decided(result, cohen, decision="treat", request_key="another page") == 409
    assert DeskAction.objects.count() == 1
