"""Addresses on the patient's page, through HTTP: families, limits, the test message live, digits corrected."""

from datetime import date
from typing import Any

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from outreach.dispatch import dispatch
from outreach.models import Attempt
from outreach.number_test import send_test
from patients.actions import mark_address
from patients.addresses import TieAnswers, add_tie, change_tie, confirm_tie
from patients.models import AddressStatus, Clinic, Patient, PatientContact, Role
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]

USUAL = {"relation": "self", "place": "", "may_be_called": "on", "may_say": "all"}


@pytest.fixture
def _clock() -> Any:
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


def tie_of(patient: Patient) -> PatientContact:
    return patient.contacts.select_related("contact_point", "patient__clinic").order_by("rank")[0]


def at(patient: Patient, what: str = "") -> str:
    return f"/patients/{patient.public_id}/addresses/{tie_of(patient).pk}/{what}"


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)][-1:]


def shown(desk: Client, patient: Patient) -> str:
    page = desk.get(f"/patients/{patient.public_id}/").content.decode()
    return " ".join(page.split('id="reach"', 1)[1].split("</section>", 1)[0].split())


def test_phones_are_shown_in_groups_and_from_left_to_right(desk: Client, dana: Patient) -> None:
    assert '<bdi dir="ltr" class="phone">050-234-5678</bdi>' in shown(desk, dana)
    listed = desk.get("/patients/").content.decode()
    assert '<bdi dir="ltr">050-234-5678</bdi>' in listed


def test_a_number_of_the_family_asks_first_what_may_be_said_there(desk: Client, dana: Patient) -> None:
    child = builders.patient(dana.clinic, given_name="Noa", phone="054-765-4321")
    add = f"/patients/{child.public_id}/addresses/add/"
    asked = {**USUAL, "kind": "phone", "value": "050-234-5678", "relation": "parent"}
    warned = desk.post(add, asked)
    page = warned.content.decode()
    assert warned.status_code == 422
    assert "Also used by Dana Levi. What may be said there?" in page
    assert 'name="seen" value="050-234-5678"' in page
    assert child.contacts.count() == 1
    saved = desk.post(add, {**asked, "seen": "050-234-5678", "may_say": "call_back"})
    assert saved.status_code == 302
    tie = child.contacts.get(relation="parent")
    assert (tie.may_say, tie.rank) == ("call_back", 2)
    assert "Also used by: <bdi>Dana Levi</bdi>" in shown(desk, child)
    assert "Also used by: <bdi>Noa Levi</bdi>" in shown(desk, dana)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("phone", "050-1", "050-1 is not a phone number we can call"),
        ("phone", "", "This field is required"),
        ("email", "dana", "Enter a valid email address"),
        ("phone", "0502345678", "on the list already"),
    ],
)
def test_what_is_no_address_is_refused_in_words(
    desk: Client, dana: Patient, kind: str, value: str, words: str
) -> None:
    answer = desk.post(
        f"/patients/{dana.public_id}/addresses/add/", {**USUAL, "kind": kind, "value": value, "seen": value}
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert dana.contacts.count() == 1


def test_never_at_work_is_one_tick_less(desk: Client, dana: Patient) -> None:
    asked = {"relation": "self", "place": "work", "may_say": "all", "rank": "1"}
    assert desk.get(at(dana)).status_code == 200
    assert desk.post(at(dana), asked).status_code == 302
    tie = tie_of(dana)
    assert (tie.place, tie.may_be_called) == ("work", False)
    assert "<b>never call here</b>" in shown(desk, dana)
    assert desk.post(at(dana), {**asked, "rank": "0"}).status_code == 422


def test_the_only_way_is_not_removed(desk: Client, dana: Patient) -> None:
    assert said(desk.post(at(dana, "remove/"))) == [
        "This is the only address at which we reach Dana Levi. Add another one first."
    ]
    add_tie(dana, "email", "Dana@Example.com", TieAnswers())
    assert said(desk.post(at(dana, "remove/"))) == ["Removed. Nothing more goes there for this patient."]
    assert tie_of(dana).contact_point.value == "dana@example.com"


def test_a_child_without_a_guardian_is_flagged(desk: Client, clinic: Clinic) -> None:
    child = builders.patient(clinic, birth_date=date(2015, 1, 1))
    child.refresh_from_db()
    assert "no parent or guardian is on the list" in shown(desk, child)
    change_tie(tie_of(child), TieAnswers(relation="parent"))
    assert "no parent or guardian is on the list" not in shown(desk, child)


def test_the_test_is_followed_live_and_confirmed_by_one_press(desk: Client, dana: Patient) -> None:
    assert "Send a test message now" in shown(desk, dana)
    assert desk.post(at(dana, "test/"), {"channel": "sms"}).status_code == 302
    attempt = Attempt.objects.get()
    assert f'hx-ptag="{attempt.pk}-planned"' in shown(desk, dana)
    same = desk.get(at(dana, "test/"), headers={"HX-PTag": f"{attempt.pk}-planned"})
    assert (same.status_code, same.content) == (304, b"")
    dispatch(now=NOW)
    changed = desk.get(at(dana, "test/"), headers={"HX-PTag": f"{attempt.pk}-planned"}).content.decode()
    assert "Sent. Has it arrived?" in changed
    Attempt.objects.update(status="delivered")
    settled = desk.get(at(dana, "test/"), headers={"HX-PTag": f"{attempt.pk}-sent"}).content.decode()
    assert "Delivered to the phone." in settled
    assert "hx-get" not in settled
    assert said(desk.post(at(dana, "confirm/"))) == ["Confirmed: this is how we reach Dana."]
    page = shown(desk, dana)
    assert "confirmed by the patient 9 Mar" in page
    assert "Send a test message now" not in page


def test_the_page_goes_back_to_where_the_card_was_asked_for(desk: Client, dana: Patient) -> None:
    answer = desk.post(at(dana, "test/"), {"channel": "sms", "next": "/patients/cards/"})
    assert answer["Location"] == "/patients/cards/"


def test_a_test_that_may_not_be_sent_says_why(desk: Client, dana: Patient) -> None:
    answer = desk.post(at(dana, "test/"), {"channel": "phone"})
    assert said(answer) == ["No message can be sent to this address in this way. Choose another."]
    assert not Attempt.objects.exists()


def test_not_received_the_digits_are_read_aloud_and_corrected_in_place(desk: Client, dana: Patient) -> None:
    send_test(tie_of(dana), "sms", now=NOW, by=builders.user())
    page = shown(desk, dana)
    assert "Not received; read the digits aloud together:" in page
    assert '<bdi dir="ltr" class="digits">050-234-5678</bdi>' in page
    wrong = desk.post(at(dana, "correct/"), {"value": "050-23"})
    assert wrong.status_code == 422
    assert 'value="050-23"' in wrong.content.decode()
    same = desk.post(at(dana, "correct/"), {"value": "0502345678"})
    assert "These are the same digits" in same.content.decode()
    assert said(desk.post(at(dana, "correct/"), {"value": "054-765-4321"})) == [
        "Corrected. Send the test once more."
    ]
    assert [tie.contact_point.status for tie in dana.contacts.all()] == ["unverified", "bad"]
    assert "Has it arrived?" not in shown(desk, dana)


def test_a_test_says_nothing_in_what_happens_next(desk: Client, dana: Patient) -> None:
    send_test(tie_of(dana), "sms", now=NOW, by=builders.user())
    page = desk.get(f"/patients/{dana.public_id}/").content.decode()
    assert "Nothing is open for this patient." in page
    assert page.count("Test message") == 1  # the contact itself, in the history


def test_a_bad_address_is_not_shown_as_confirmed(desk: Client, dana: Patient) -> None:
    confirm_tie(tie_of(dana), now=NOW, by=None)
    mark_address(tie_of(dana).contact_point, AddressStatus.BAD, now=NOW)
    page = shown(desk, dana)
    assert ("Does not work" in page, "confirmed by" in page) == (True, False)


@pytest.mark.parametrize("what", ["", "remove/", "test/", "confirm/", "correct/"])
def test_an_address_is_reached_through_its_own_patient_only(desk: Client, dana: Patient, what: str) -> None:
    other = builders.patient(dana.clinic, given_name="Igor", phone="054-765-4321")
    address = f"/patients/{other.public_id}/addresses/{tie_of(dana).pk}/{what}"
    assert desk.post(address, {}).status_code == 404


@pytest.mark.parametrize("addresses", [1, 3])
def test_the_page_asks_as_much_for_one_address_as_for_three(
    clinic: Clinic, dana: Patient, addresses: int
) -> None:
    for n in range(addresses - 1):
        add_tie(dana, "phone", f"054-765-432{n}", TieAnswers())
    builders.patient(clinic, given_name="Noa")
    client = Client()
    client.force_login(builders.user(Role.RECEPTIONIST, at=clinic))
    address = f"/patients/{dana.public_id}/card/"
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    # One asks what is kept from the parents, for the number is Noa's, too; the last two are the audit trail's: whose
    # page this was, and that it was read.
    assert len(asked) == 17
