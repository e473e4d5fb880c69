"""A person has found out who wrote from an address that was nobody's: what was said there holds for that patient."""

from datetime import date, timedelta

import pytest

from journeys.models import Step
from outreach.channels.inbound import Said
from outreach.replies import receive_reply
from outreach.whose import say_whose
from patients.actions import add_address
from patients.models import AddressKind, Channel, Patient, PatientContact, Relation
from patients.queries import withdrawn
from patients.told import is_surely_hers
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
UNKNOWN, MOTHERS = "+972542345679", "+972547654321"
CHILD, SIXTEEN, ADULT = date(2018, 1, 2), date(2010, 1, 2), date(1991, 5, 4)


def wrote(words: str, *, minutes: int = 0) -> None:
    at = NOW + timedelta(minutes=minutes)
    receive_reply(Said(Channel.SMS, AddressKind.PHONE, UNKNOWN, words, at=at), now=at)


def found_out(patient: Patient) -> PatientContact:
    matter = Step.objects.get(journey__patient=None)
    say_whose(matter, patient, now=NOW, by=builders.user(at=patient.clinic))
    return PatientContact.objects.get(patient=patient, contact_point__value=UNKNOWN)


@pytest.mark.parametrize(
    ("said", "holds"),
    [(["STOP"], True), (["Hello", "STOP"], True), (["STOP", "START"], False), (["Hi"], False)],
)
def test_a_stop_from_there_is_obeyed(said: list[str], holds: bool) -> None:
    patient = builders.patient()
    for minutes, words in enumerate(said):
        wrote(words, minutes=minutes)
    tie = found_out(patient)
    refused = withdrawn(patient=patient, contact_point=tie.contact_point_id, channel=Channel.SMS)
    assert refused.exists() == holds


@pytest.mark.parametrize(
    ("born", "listed", "whose"),
    [
        (ADULT, True, Relation.SELF),
        (CHILD, True, Relation.PARENT),
        (SIXTEEN, True, Relation.PARENT),
        (SIXTEEN, False, Relation.SELF),
    ],
)
def test_of_a_child_whose_parent_is_on_the_list_the_new_address_is_not_taken_for_the_childs(
    born: date, listed: bool, whose: Relation
) -> None:
    patient = builders.patient(birth_date=born)
    if listed:
        add_address(patient, AddressKind.PHONE, MOTHERS, rank=2, relation=Relation.PARENT)
    wrote("When is it?")
    tie = found_out(patient)
    assert tie.relation == whose
    assert is_surely_hers(tie) == (whose == Relation.SELF)
