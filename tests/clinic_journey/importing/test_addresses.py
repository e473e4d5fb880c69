"""Several phones and e-mails a person, and whose they are; what the desk has settled stays settled."""

import pytest

from clinic_journey.importing.columns import guess_columns
from patients.models import Clinic, Patient, Relation
from tests import builders
from tests.clinic_journey.importing.files import checked, csv_file, imported, problems, states, undone

pytestmark = pytest.mark.django_db
HEADER = ("First name", "Family name", "Phone", "Relation", "Phone 2", "Relation 2", "E-mail", "E-mail 2")
NOA = ("Noa", "Levi", "050-234-5678", "mother", "052-345-6789", "", "noa@mail.example", "mum@mail.example")
MOTHERS, OWN = "+972502345678", "+972523456789"


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


def changed(**cells: str) -> tuple[str, ...]:
    named = {name.replace(" ", "_").replace("-", "_"): name for name in HEADER}
    given = dict(zip(HEADER, NOA, strict=True)) | {named[name]: text for name, text in cells.items()}
    return tuple(given.values())


def addresses(patient: Patient) -> list[tuple[str, str, int]]:
    ties = patient.contacts.order_by("rank")
    return list(ties.values_list("contact_point__value", "relation", "rank"))


def test_every_address_of_a_row_is_kept_with_whose_it_is(clinic: Clinic) -> None:
    imported(clinic, csv_file(HEADER, NOA))
    noa = Patient.objects.get()
    assert addresses(noa) == [
        (MOTHERS, Relation.PARENT, 1),
        ("noa@mail.example", Relation.SELF, 2),
        (OWN, Relation.SELF, 3),
        ("mum@mail.example", Relation.SELF, 4),
    ]
    assert "523456789" in noa.search_key


@pytest.mark.parametrize(
    "cell", ["050-234-5678 / 052-345-6789", "0502345678; 0523456789", "050-234-5678,052-345-6789"]
)
def test_two_numbers_in_one_cell_are_two(clinic: Clinic, cell: str) -> None:
    imported(clinic, csv_file(HEADER, changed(Phone=cell, Phone_2="", E_mail="", E_mail_2="")))
    assert [value for value, _relation, _rank in addresses(Patient.objects.get())] == [MOTHERS, OWN]


def test_the_same_number_twice_is_one(clinic: Clinic) -> None:
    imported(clinic, csv_file(HEADER, changed(Phone_2="+972 50 2345678", E_mail="", E_mail_2="")))
    assert addresses(Patient.objects.get()) == [(MOTHERS, Relation.PARENT, 1)]


def test_a_wrong_second_phone_names_its_column(clinic: Clinic) -> None:
    run = checked(clinic, csv_file(HEADER, changed(Phone_2="052-345")))
    assert list(run.problems.values_list("code", "field")) == [("phone_short", "phone_2")]


def test_an_unknown_relation_is_for_people_to_decide(clinic: Clinic) -> None:
    content = csv_file(HEADER, changed(Relation="neighbour's cat"))
    assert problems(checked(clinic, content)) == [(2, "relation_unknown")]
    imported(clinic, content, left_empty=["relation_unknown"])
    assert addresses(Patient.objects.get())[0] == (MOTHERS, Relation.SELF, 1)


def test_a_further_phone_joins_one_that_both_have(clinic: Clinic) -> None:
    noa = builders.patient(clinic, given_name="Noa", birth_date=None)
    assert states(imported(clinic, csv_file(HEADER, changed(E_mail="", E_mail_2="")))) == ["filled"]
    assert [value for value, _relation, _rank in addresses(noa)] == [MOTHERS, OWN]


def test_another_phone_beside_ours_is_a_difference_only(clinic: Clinic) -> None:
    builders.patient(clinic, given_name="Noa", birth_date=None, national_id="123456782", phone="054-777-7777")
    header, row = (*HEADER, "ID number"), (*changed(E_mail="", E_mail_2=""), "123456782")
    run = imported(clinic, csv_file(header, row))
    assert states(run) == ["found"]
    assert [each[2] for each in run.rows.get().wrote["differs"]] == [MOTHERS, OWN]


def test_a_second_run_brings_back_no_number_that_was_removed(clinic: Clinic) -> None:
    imported(clinic, csv_file(HEADER, NOA))
    noa = Patient.objects.get()
    noa.contacts.get(contact_point__value=OWN).delete()
    run = imported(clinic, csv_file(HEADER, NOA))
    assert states(run) == ["found"]
    assert OWN not in [value for value, _relation, _rank in addresses(noa)]


def test_undoing_takes_every_address_back(clinic: Clinic) -> None:
    noa = builders.patient(clinic, given_name="Noa", birth_date=None)
    run = imported(clinic, csv_file(HEADER, NOA))
    undone(run)
    assert addresses(noa) == [(MOTHERS, Relation.SELF, 1)]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (("שם פרטי", "טלפון", "טלפון נוסף"), ["given_name", "phone", "phone_2"]),
        (("ФИО", "Мобильный телефон", "Домашний телефон"), ["full_name_reversed", "phone", "phone_2"]),
        (("Name", "Mobile", "Home phone", "Work phone"), ["full_name", "phone", "phone_2", "phone_3"]),
        (("الاسم", "رقم الهاتف", "هاتف 2", "صلة القرابة"), ["full_name", "phone", "phone_2", "relation"]),
    ],
)
def test_second_columns_are_recognised(header: tuple[str, ...], expected: list[str]) -> None:
    assert guess_columns("patients", header) == expected
