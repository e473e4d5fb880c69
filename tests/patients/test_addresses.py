"""Ties to addresses: families share phones, nobody is left without a way, wrong digits are corrected in place."""

from datetime import date

import pytest

from patients.actions import CardAnswers, RefusedError, StaleStateError, mark_address, save_card
from patients.addresses import TieAnswers, add_tie, change_tie, confirm_tie, correct_tie, remove_tie
from patients.models import AddressStatus, ContactPoint, Patient, PatientContact, Relation
from patients.queries import (
    first_phone,
    others_at,
    patients_visible_to,
    search_patients,
    ties_visible_to,
)
from patients.templatetags.phones import phone, unbroken
from patients.told import lacks_guardian
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

OTHER = "054-765-4321"


def only_tie(patient: Patient) -> PatientContact:
    return patient.contacts.select_related("contact_point", "patient__clinic").get()


def test_an_added_number_is_stored_as_e164_tried_last_and_found_by_the_search() -> None:
    patient = builders.patient()
    tie = add_tie(patient, "phone", "0547654321", TieAnswers(place="work", may_be_called=False))
    tie.refresh_from_db()
    assert (tie.contact_point.value, tie.rank, tie.may_be_called) == ("+972547654321", 2, False)
    everybody = patients_visible_to(builders.user(at=patient.clinic))
    assert list(search_patients(everybody, "0547654321")) == [patient]
    with pytest.raises(RefusedError, match="already"):
        add_tie(patient, "phone", OTHER, TieAnswers())
    with pytest.raises(RefusedError, match="050-1"):
        add_tie(patient, "phone", "050-1", TieAnswers())


def test_a_number_said_again_is_no_longer_bad() -> None:
    patient = builders.patient()
    point = ContactPoint.objects.create(
        clinic=patient.clinic, kind="phone", value="+972547654321", status=AddressStatus.BAD, status_at=NOW
    )
    add_tie(patient, "phone", OTHER, TieAnswers())
    point.refresh_from_db()
    assert (point.status, point.status_at) == (AddressStatus.UNVERIFIED, None)


def test_where_nobody_may_call_no_voice_message_is_left() -> None:
    patient = builders.patient()
    change_tie(only_tie(patient), TieAnswers(may_be_called=False, may_leave_voicemail=True))
    tie = only_tie(patient)
    assert (tie.may_be_called, tie.may_leave_voicemail, tie.rank) == (False, False, 1)


def test_the_last_address_that_works_is_not_removed() -> None:
    patient = builders.patient()
    second = add_tie(patient, "phone", OTHER, TieAnswers())
    mark_address(second.contact_point, AddressStatus.BAD, now=NOW)
    first = patient.contacts.get(rank=1)
    with pytest.raises(RefusedError, match="Dana Levi"):
        remove_tie(first)
    remove_tie(second)
    assert list(patient.contacts.all()) == [first]
    with pytest.raises(StaleStateError):
        remove_tie(second)


def test_of_two_desks_that_remove_the_last_two_the_second_is_refused() -> None:
    patient = builders.patient()
    add_tie(patient, "phone", OTHER, TieAnswers())
    first, second = patient.contacts.all()  # both pages show two
    remove_tie(first)
    with pytest.raises(RefusedError, match="only address"):
        remove_tie(second)


def test_a_removed_number_stays_with_the_family() -> None:
    mother = builders.patient()
    child = builders.patient(mother.clinic, given_name="Noa")
    add_tie(child, "phone", OTHER, TieAnswers())
    remove_tie(child.contacts.get(rank=1))
    assert mother.contacts.count() == 1
    everybody = patients_visible_to(builders.user(at=mother.clinic))
    assert list(search_patients(everybody, "0502345678")) == [mother]


def test_who_else_is_reached_at_a_number() -> None:
    mother = builders.patient()
    child = builders.patient(mother.clinic, given_name="Noa")
    builders.patient(mother.clinic, given_name="Igor", phone=OTHER)
    point = ContactPoint.objects.get(value="+972502345678")
    assert others_at(mother) == {point.pk: [child]}
    assert others_at(child) == {point.pk: [mother]}


def test_confirming_says_that_it_works_when_and_to_whom() -> None:
    patient, rina = builders.patient(), builders.user()
    confirm_tie(only_tie(patient), now=NOW, by=rina)
    tie = only_tie(patient)
    assert (tie.confirmed_at, tie.confirmed_to) == (NOW, rina)
    assert (tie.contact_point.status, tie.contact_point.status_at) == (AddressStatus.WORKING, NOW)
    tie.delete()
    tie.pk = 0
    with pytest.raises(StaleStateError):
        confirm_tie(tie, now=NOW, by=rina)


def test_other_digits_take_the_place_of_the_wrong_ones_which_are_kept_as_bad() -> None:
    patient = builders.patient()
    change_tie(only_tie(patient), TieAnswers(place="mobile", may_leave_voicemail=True))
    old = only_tie(patient)
    with pytest.raises(RefusedError, match="same digits"):
        correct_tie(old, "+972 50 234 5678", now=NOW)
    correct_tie(old, OTHER, now=NOW)
    ties = [(t.contact_point.value, t.contact_point.status, t.place) for t in patient.contacts.all()]
    assert ties == [("+972547654321", "unverified", "mobile"), ("+972502345678", "bad", "mobile")]
    phone_now = first_phone(patient, now=NOW)
    assert phone_now
    assert phone_now.may_leave_voicemail


def test_wrong_digits_that_are_somebody_elses_go_on_working_for_them() -> None:
    neighbour = builders.patient(given_name="Igor")
    patient = builders.patient(neighbour.clinic)
    correct_tie(only_tie(patient), OTHER, now=NOW)
    assert [tie.contact_point.value for tie in patient.contacts.all()] == ["+972547654321"]
    assert only_tie(neighbour).contact_point.status == AddressStatus.UNVERIFIED


def test_a_child_needs_a_grown_up_who_can_be_reached() -> None:
    child = builders.patient(birth_date=date(2015, 3, 9))
    today = NOW.date()
    assert lacks_guardian(child, on=today)
    mother = add_tie(child, "phone", OTHER, TieAnswers(relation=Relation.PARENT))
    assert not lacks_guardian(child, on=today)
    mark_address(mother.contact_point, AddressStatus.BAD, now=NOW)
    assert lacks_guardian(child, on=today)
    assert not lacks_guardian(child, on=date(2033, 3, 9))
    assert lacks_guardian(child, on=date(2033, 3, 8))


def test_the_cards_voice_message_is_for_the_number_called_first() -> None:
    patient = builders.patient()
    add_tie(patient, "phone", OTHER, TieAnswers())
    change_tie(patient.contacts.get(rank=1), TieAnswers(may_be_called=False))
    save_card(patient, CardAnswers("phone", may_leave_voicemail=True), now=NOW, by=None)
    assert list(patient.contacts.values_list("rank", "may_leave_voicemail")) == [(1, False), (2, True)]


def test_ties_of_another_clinic_are_not_visible() -> None:
    patient = builders.patient()
    assert list(ties_visible_to(builders.user(at=builders.clinic()))) == []
    assert list(ties_visible_to(builders.user(at=patient.clinic))) == [only_tie(patient)]


@pytest.mark.parametrize(
    ("address", "country", "read"),
    [
        ("+972502345678", "IL", "050-234-5678"),
        ("+972502345678", "", "050-234-5678"),
        ("+972502345678", "DE", "+972 50-234-5678"),
        ("+4915123456789", "IL", "+49 1512 3456789"),
        ("dana@example.com", "IL", "dana@example.com"),
        ("+12", "IL", "+12"),
    ],
)
def test_numbers_are_read_in_the_groups_of_the_country(address: str, country: str, read: str) -> None:
    assert phone(address, country) == read


def test_a_number_inside_words_stays_in_one_piece_and_the_words_are_escaped() -> None:
    said = unbroken("<b>Call 03-555-0142</b>, at 16:00 or 8-10")
    assert said == '&lt;b&gt;Call <bdi dir="ltr">03-555-0142</bdi>&lt;/b&gt;, at 16:00 or 8-10'
    assert (
        unbroken("See https://clinic.example/m/?a=1&b=2.")
        == 'See <bdi dir="ltr">https://clinic.example/m/?a=1&amp;b=2</bdi>.'
    )
