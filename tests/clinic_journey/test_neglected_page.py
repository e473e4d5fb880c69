"""The few of today: facts, a sentence in the patient's language, and what came of it."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from clinic_journey.neglected_page import _how_long
from journeys.models import Journey
from outreach.contact_models import PersonalContact
from outreach.dispatch import LEASE, take
from outreach.neglect import Neglected
from patients.actions import CardAnswers, add_address, save_card
from patients.models import AddressKind, Clinic, Patient, Relation
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
PATH = "/to-ask-how-they-are/"
MONTH_AGO = NOW - timedelta(days=30)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(at=clinic, first_name="Rina"))
    return client


def waits(clinic: Clinic, **fields: Any) -> Patient:
    patient = builders.patient(clinic, now=MONTH_AGO, language="en", **fields)
    builders.step(builders.journey(patient, now=MONTH_AGO), now=MONTH_AGO, due_at=NOW)
    return patient


def text(client: Client) -> str:
    return " ".join(client.get(PATH).content.decode().split())


def test_the_desk_has_facts_and_a_sentence_and_keeps_what_came_of_it(clinic: Clinic, desk: Client) -> None:
    patient = waits(clinic)
    page = text(desk)
    assert "Hello Dana, this is Rina from Alon Clinic. I am calling to ask how you are" in page
    assert "tel:" not in page
    desk.post(f"{PATH}{patient.public_id}/call/")
    assert 'href="tel:+972502345678"' in text(desk)
    assert f'href="{PATH}"' in desk.get("/today/").content.decode()
    done = f"{PATH}{patient.public_id}/"
    desk.post(done, {"ended": "spoken", "words": ""})
    desk.post(done, {"ended": "nonsense", "words": "x"})
    assert PersonalContact.objects.get().ended == ""
    assert desk.post(done, {"ended": "spoken", "words": "She is well"}).status_code == 302
    assert PersonalContact.objects.get().words == "She is well"
    page = text(desk)
    assert "That is enough for today." in page
    assert "talks with one of us and our own letters: 1;" in page


def test_a_call_in_vain_is_tried_again_and_its_reason_stands_there(clinic: Clinic, desk: Client) -> None:
    patient = waits(clinic)
    done = f"{PATH}{patient.public_id}/"
    answer = desk.post(done, {"ended": "not_reached", "words": "her sister answered"}, follow=True)
    assert "In a few days another try is suggested." in answer.content.decode()
    PersonalContact.objects.update(at=NOW - timedelta(days=3))
    assert "Nobody answered: <bdi>her sister answered</bdi>" in text(desk)


def told(patient: Patient, channel: str, *hours: tuple[int, int]) -> None:
    windows = tuple((day, time(start), time(end)) for day in range(7) for start, end in hours)
    save_card(patient, CardAnswers(channel, windows, "en"), now=MONTH_AGO, by=None)


@pytest.mark.parametrize(
    ("channel", "hours", "shown"),
    [("phone", [(16, 20)], "16:00–20:00"), ("sms", [(9, 12)], "SMS"), ("whatsapp", [], "WhatsApp")],
)
def test_who_is_rung_in_another_way_than_she_asked_for_is_rung_with_a_reason(
    clinic: Clinic, desk: Client, channel: str, hours: list[tuple[int, int]], shown: str
) -> None:
    patient = waits(clinic)
    told(patient, channel, *hours)
    page = text(desk)
    assert shown in page
    assert "Why call now?" in page
    call = f"{PATH}{patient.public_id}/call/"
    refused = desk.post(call, follow=True).content.decode()
    assert "Say why you call now." in refused
    assert "tel:" not in refused
    assert not PersonalContact.objects.exists()
    desk.post(call, {"because": "the doctor leaves at noon"})
    assert 'href="tel:+972502345678"' in text(desk)
    desk.post(f"{PATH}{patient.public_id}/", {"ended": "spoken", "words": "She is well"})
    contact = PersonalContact.objects.get()
    assert (contact.because, contact.called_at, contact.ended) == ("the doctor leaves at noon", NOW, "spoken")
    PersonalContact.objects.update(at=NOW - timedelta(days=8))
    assert "(<bdi>the doctor leaves at noon</bdi>)" in text(desk)


def test_who_is_rung_as_she_asked_is_rung_at_once_and_once(clinic: Clinic, desk: Client) -> None:
    patient = waits(clinic)
    told(patient, "phone", (9, 12))
    page = text(desk)
    assert "open until" in page
    assert "Why call now?" not in page
    for _twice in range(2):
        desk.post(f"{PATH}{patient.public_id}/call/")
    assert PersonalContact.objects.get().called_at == NOW


def test_a_broken_promise_is_said_first(clinic: Clinic, desk: Client) -> None:
    patient = waits(clinic)
    builders.step(patient.journeys.get(), kind="promise", due_at=NOW - timedelta(hours=1))
    assert "We promised you something and were late; I am sorry." in text(desk)


def test_what_is_kept_from_her_parents_is_no_reason_to_ring_them(clinic: Clinic, desk: Client) -> None:
    girl = waits(clinic, birth_date=date(2010, 1, 2), phone="")
    secret = girl.journeys.get()
    builders.step(secret, kind="promise", due_at=NOW - timedelta(hours=1))
    add_address(girl, AddressKind.PHONE, "+972547654321", relation=Relation.PARENT)
    assert "We promised you something" in text(desk)
    Journey.objects.update(is_confidential=True)
    page = text(desk)
    assert "We promised you something" not in page
    assert str(girl.public_id) not in page
    add_address(girl, AddressKind.PHONE, "+972502345678", rank=2)
    assert "We promised you something" in text(desk)
    desk.post(f"{PATH}{girl.public_id}/call/")
    page = text(desk)
    assert 'href="tel:+972502345678"' in page
    assert "tel:+972547654321" not in page


@pytest.mark.parametrize("patients", [1, 3])
def test_the_list_costs_one_number_a_row_and_no_more(
    clinic: Clinic, desk: Client, patients: int, django_assert_num_queries: object
) -> None:
    for nth in range(patients):
        waits(clinic, given_name=f"D{nth}")
    desk.get(PATH)
    with django_assert_num_queries(22 + patients):  # type: ignore[operator]
        desk.get(PATH)


def test_two_colleagues_never_dial_one_number(clinic: Clinic, desk: Client) -> None:
    patient = waits(clinic)
    desk.post(f"{PATH}{patient.public_id}/call/")
    other = Client(headers={"accept-language": "en"})
    other.force_login(builders.user(at=clinic, first_name="Noa"))
    assert "Rina is with this patient right now." in text(other)
    other.post(f"{PATH}{patient.public_id}/call/")
    assert "tel:" not in text(other)


def test_nobody_dials_while_a_message_leaves(clinic: Clinic, desk: Client) -> None:
    patient = waits(clinic)
    attempt = builders.attempt(builders.task(builders.step(patient.journeys.get()), plan_from=None))
    take(attempt.pk, attempt.reference, now=NOW, lasts=LEASE)
    desk.post(f"{PATH}{patient.public_id}/call/")
    assert "tel:" not in text(desk)


@pytest.mark.parametrize(
    ("days", "words"),
    [(30, "30 days"), (59, "59 days"), (60, "2 months"), (200, "6 months"), (1965, "5 years, 4 months")],
)
def test_a_long_silence_is_told_in_months_and_years(days: int, words: str) -> None:
    clinic = builders.clinic(language="en")
    each = Neglected(builders.patient(clinic), NOW - timedelta(days=days), days, 1.0, is_open=False)
    assert _how_long(each, now=NOW).replace("\xa0", " ") == words
