"""“This is not me” on the patient's page, and the check of the address on her record."""

from datetime import timedelta

import pytest

from journeys.models import Journey, Step, StepStatus
from outreach.models import Reply
from patients.actions import add_address
from patients.models import AddressKind, Patient, Role
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
CHOICE = "This is not me"


@pytest.fixture
def journey() -> Journey:
    builders.messages_loaded()
    journey = builders.journey(builders.patient(language="en"))
    task = builders.task(builders.step(journey), plan_from=None)
    builders.attempt(task, status="sent", sent_at=NOW, called_at=NOW - timedelta(hours=1))
    return journey


def patient_of(journey: Journey) -> Patient:
    assert journey.patient
    return journey.patient


def test_who_holds_the_link_of_somebody_else_says_so_with_one_press(journey: Journey) -> None:
    page, patient = OwnPage(journey), patient_of(journey)
    assert CHOICE in page.text()
    answer = page.post("not-me", {})
    assert answer.status_code == 200
    assert "Thank you for telling us" in answer.content.decode()
    assert patient.given_name not in answer.content.decode()
    assert patient.contacts.get().suspended_at == NOW
    reply = Reply.objects.get()
    assert (reply.channel, reply.meaning, reply.contact_point) == (
        "page",
        "not_me",
        patient.contacts.get().contact_point,
    )
    assert page.get().status_code == 404  # the link is void, and so is the visit that it opened
    assert page.post("not-me", {}).status_code == 404
    assert Step.objects.filter(replies__meaning="not_me").distinct().count() == 1


def test_looking_at_the_page_changes_nothing(journey: Journey) -> None:
    page = OwnPage(journey)
    assert page.get("not-me/").status_code == 405
    assert patient_of(journey).contacts.get().suspended_at is None


def test_who_has_proved_who_she_is_is_not_asked(journey: Journey) -> None:
    assert CHOICE not in OwnPage(journey).prove(patient_of(journey)).text()


def test_it_means_the_last_address_that_the_link_went_to_and_names_the_others(journey: Journey) -> None:
    patient = patient_of(journey)
    mail = add_address(patient, AddressKind.EMAIL, "dana@example.com", rank=2)
    add_address(patient, AddressKind.EMAIL, "other@example.com", rank=3)  # never written to
    task = builders.task(builders.step(journey), plan_from=None)
    builders.attempt(
        task, channel="email", contact_point=mail.contact_point, status="sent", sent_at=NOW, called_at=NOW
    )
    OwnPage(journey).post("not-me", {})
    assert patient.contacts.get(suspended_at=NOW) == mail  # on the phone she is reached as before
    check = Step.objects.get(replies__meaning="not_me", replies__contact_point=mail.contact_point)
    assert "dana@example.com" in check.names["en"]
    assert "The same link went to" in check.names["en"]
    assert "050-234-5678" in check.names["en"]
    assert "other@example.com" not in check.names["en"]
    desk = logged_in(Role.RECEPTIONIST, patient.clinic)
    desk.post(f"/patients/{patient.public_id}/addresses/{mail.pk}/hers/")
    check.refresh_from_db()
    assert check.status == StepStatus.COMPLETED


def test_a_link_that_no_message_carried_is_read_by_a_person() -> None:
    builders.messages_loaded()
    patient = builders.patient(builders.clinic(language="en"))
    journey = builders.step(builders.journey(patient)).journey
    OwnPage(journey).post("not-me", {})
    assert Reply.objects.get().body == "the link is with somebody else"
    assert patient_of(journey).contacts.get().suspended_at is None


def test_the_record_says_what_was_said_and_takes_it_back(journey: Journey) -> None:
    patient = patient_of(journey)
    desk = logged_in(Role.RECEPTIONIST, patient.clinic)
    OwnPage(journey).post("not-me", {})
    record = f"/patients/{patient.public_id}/"
    shown = desk.get(record).content.decode()
    assert "Stopped until checked" in shown
    assert "Somebody there said on 9.3.2026 10:00" in shown
    tie = patient.contacts.get()
    answer = desk.post(f"{record}addresses/{tie.pk}/hers/", follow=True)
    assert "Checked. Calls and messages may go there again." in answer.content.decode()
    tie.refresh_from_db()
    assert tie.suspended_at is None
    assert desk.post(f"{record}addresses/{tie.pk}/hers/", follow=True).status_code == 200
