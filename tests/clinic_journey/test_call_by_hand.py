"""A call from the patient's record: where it leads, what it shows, and that the way back is the record."""

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from journeys.models import StepKind
from outreach.contact_models import PersonalContact
from patients.actions import CardAnswers, save_card, withdraw_consent
from patients.models import Channel, Clinic, Patient
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    return builders.clinic()


@pytest.fixture
def dana(clinic: Clinic) -> Patient:
    return builders.patient(clinic, language="en")


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(builders.user(at=clinic))
    return client


def path(patient: Patient) -> str:
    return f"/patients/{patient.public_id}/call/"


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_record_has_the_key(desk: Client, dana: Patient) -> None:
    assert f'href="{path(dana)}" data-key="KeyC"' in text(desk.get(f"/patients/{dana.public_id}/"))


def test_it_opens_what_is_most_pressing_with_number_script_and_outcomes(desk: Client, dana: Patient) -> None:
    journey = builders.journey(dana)
    builders.step(
        journey, kind=StepKind.REVIEW, due_at=NOW - 3 * HOUR
    )  # the doctor's, not to be called about
    builders.step(journey, due_at=NOW + 5 * HOUR)
    promise = builders.step(journey, kind=StepKind.PROMISE, title="Answer Dana", due_at=NOW - HOUR)
    answer = desk.get(path(dana))
    assert answer["Location"] == f"/today/?item={promise.public_id}"
    shown = text(desk.get(answer["Location"]))
    assert 'href="tel:+972502345678"' in shown
    assert 'data-key="KeyC">I am calling' in shown
    assert 'value="no_answer"' in shown


def test_a_review_alone_is_nothing_to_call_about(desk: Client, dana: Patient) -> None:
    builders.step(builders.journey(dana), kind=StepKind.REVIEW)
    assert desk.get(path(dana)).status_code == 200


def test_where_nothing_is_open_it_says_who_calls_and_keeps_what_came_of_it(
    desk: Client, dana: Patient
) -> None:
    shown = text(desk.get(path(dana)))
    assert "Hello Dana, this is Rina from Alon Clinic. Is this a good moment?" in shown
    assert 'data-key="KeyC"' in shown
    assert "tel:+972502345678" not in shown, "the number comes once the call is mine"
    rung = desk.post(f"/to-ask-how-they-are/{dana.public_id}/call/", {"next": path(dana)})
    assert rung["Location"] == path(dana)
    assert 'href="tel:+972502345678"' in text(desk.get(path(dana)))
    back = f"/patients/{dana.public_id}/"
    said = {"ended": "spoken", "words": "Asked where to park", "next": back}
    assert desk.post(f"/to-ask-how-they-are/{dana.public_id}/", said)["Location"] == back
    again = desk.post(f"/to-ask-how-they-are/{dana.public_id}/call/", {"next": path(dana)})
    assert again["Location"] == path(dana)
    desk.post(f"/to-ask-how-they-are/{dana.public_id}/", said | {"words": "And which bus"})
    words = PersonalContact.objects.order_by("pk").values_list("words", flat=True)
    assert list(words) == ["Asked where to park", "And which bus"]


def test_outside_her_hours_it_asks_why(desk: Client, dana: Patient) -> None:
    save_card(dana, CardAnswers(Channel.PHONE, ((0, time(17), time(19)),), "en"), now=NOW, by=None)
    shown = text(desk.get(path(dana)))
    assert 'data-key="KeyO">Call all the same' in shown
    assert 'data-key="KeyC"' not in shown


def test_who_asked_us_not_to_call_is_not_called(desk: Client, dana: Patient) -> None:
    point = dana.contacts.get().contact_point
    withdraw_consent(dana, point, Channel.PHONE, now=NOW, words="never")
    shown = text(desk.get(path(dana)))
    assert "The patient asked us not to call." in shown
    assert "I call" not in shown
    desk.post(f"/to-ask-how-they-are/{dana.public_id}/call/", {"because": "all the same"})
    assert not PersonalContact.objects.exists()


def test_without_a_number_it_says_so(desk: Client, clinic: Clinic) -> None:
    nobody = builders.patient(clinic, phone="", email="dana@example.com")
    assert "There is no number to call." in text(desk.get(path(nobody)))


def test_whoever_may_only_be_asked_to_have_her_call_back_hears_no_more(desk: Client, dana: Patient) -> None:
    dana.contacts.update(may_say="call_back", relation="other")
    shown = text(desk.get(path(dana)))
    assert "Please ask Dana to call us back" in shown
    assert "Is this a good moment?" not in shown


def test_a_closed_record_and_another_clinics_are_not_called(desk: Client, dana: Patient) -> None:
    assert desk.get(path(builders.patient())).status_code == 404
    Patient.objects.filter(pk=dana.pk).update(status="deceased")
    assert desk.get(path(dana))["Location"] == f"/patients/{dana.public_id}/"


def test_where_it_leads_costs_the_same_for_one_step_and_for_fifty(
    desk: Client, dana: Patient, django_assert_num_queries: Any
) -> None:
    journey = builders.journey(dana)
    builders.step(journey)
    desk.get(path(dana))
    with django_assert_num_queries(10):
        desk.get(path(dana))
    for _n in range(49):
        builders.step(journey)
    with django_assert_num_queries(10):
        desk.get(path(dana))
