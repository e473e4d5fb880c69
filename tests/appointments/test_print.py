"""The day on paper: whom to expect, how to reach them, what is missing."""

from datetime import date

import pytest
from django.test import Client

from appointments.actions import Visit
from appointments.keeping import keep_for_minutes
from appointments.models import Practitioner
from journeys.models import StepKind
from patients.actions import CardAnswers, save_card
from patients.addresses import TieAnswers, add_tie
from patients.models import AddressKind, Channel, MaySay, Patient, Relation
from tests import builders
from tests.appointments.pages import MINUTE, TOMORROW_9, questions, text_of, visit_at
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]
PATH = "/calendar/print/?on=2026-03-10"


def test_each_visit_says_time_patient_type_phone_and_state(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    kind = builders.visit_type(doctor.clinic)
    visit_at(patient, doctor, TOMORROW_9, visit_type=kind, title="Tooth 36", confirmed_at=NOW)
    noa = builders.patient(doctor.clinic, given_name="Noa", phone="052-765-4321")
    save_card(noa, CardAnswers(Channel.SMS, (), "he"), now=NOW, by=builders.user(at=doctor.clinic))
    visit_at(noa, doctor, TOMORROW_9 + 60 * MINUTE, "pending", hold_until=TOMORROW_9)
    page = text_of(desk.get(PATH))
    dana, rest = page.split("Noa Levi")
    for words in (
        "09:00–09:30",
        "Dana Levi",
        "Check-up",
        "Tooth 36",
        "050-234-5678",
        "confirmed",
        "card missing",
    ):
        assert words in dana
    for words in ("052-765-4321", ">held<"):
        assert words in rest
    assert "card missing" not in rest
    assert "2 visits" in page


def test_a_time_kept_for_minutes_and_another_clinics_visits_are_not_on_it(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    rina = builders.user(at=doctor.clinic)
    keep_for_minutes(Visit(patient, doctor, TOMORROW_9, 30), now=NOW, by=rina)
    visit_at(builders.patient(given_name="Noa"), builders.practitioner(), TOMORROW_9)
    page = text_of(desk.get(PATH))
    assert "No visits on this day" in page
    assert "Noa" not in page


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_list_asks_the_same_for_two_hundred_visits_as_for_one(
    desk: Client, doctor: Practitioner, rows: int
) -> None:
    for n in range(rows):
        who = builders.patient(doctor.clinic, phone=f"050-234-{5000 + n}")
        visit_at(who, doctor, TOMORROW_9 + n * MINUTE, minutes=1)
    assert questions(desk, PATH) == 3  # visits, addresses, rooms


MOTHERS, FATHERS, OWN = "050-234-5678", "054-765-4321", "052-765-4321"


@pytest.mark.parametrize(
    ("kept", "born", "shown"),
    [
        (False, date(2010, 1, 2), {MOTHERS}),
        (True, date(2010, 1, 2), {OWN}),
        (False, date(1991, 5, 4), {OWN}),
    ],
)
def test_no_number_is_on_it_at_which_nothing_may_be_said(
    desk: Client, doctor: Practitioner, kept: bool, born: date, shown: set[str]
) -> None:
    noa = builders.patient(doctor.clinic, given_name="Noa", phone=OWN, birth_date=born)
    for number, may_say in ((MOTHERS, MaySay.EVERYTHING), (FATHERS, MaySay.NOTHING)):
        add_tie(noa, AddressKind.PHONE, number, TieAnswers(relation=Relation.PARENT, may_say=may_say))
    visit = visit_at(noa, doctor, TOMORROW_9)
    visit.step = builders.step(builders.journey(noa, is_confidential=kept), kind=StepKind.VISIT)
    visit.save(update_fields=["step"])
    page = text_of(desk.get(PATH))
    assert {number for number in (MOTHERS, FATHERS, OWN) if number in page} == shown


@pytest.mark.parametrize("spoilt", [{"may_be_called": False}, {"suspended_at": NOW}])
def test_no_number_is_on_it_that_nobody_may_ring(
    desk: Client, patient: Patient, doctor: Practitioner, spoilt: dict[str, object]
) -> None:
    visit_at(patient, doctor, TOMORROW_9)
    patient.contacts.update(**spoilt)
    assert MOTHERS not in text_of(desk.get(PATH))


def test_nonsense_in_the_address_is_a_page_that_is_not(desk: Client, doctor: Practitioner) -> None:
    assert desk.get("/calendar/print/?on=soon").status_code == 404
