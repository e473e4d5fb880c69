"""Who is told of a patient's matters, at each age and in each country."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.db import connection

from patients.actions import add_address
from patients.country import FOLDER, profile_of, read_profile
from patients.models import AddressKind, AddressStatus, ContactPoint, Patient, PatientContact, Relation
from patients.told import (
    is_surely_hers,
    lacks_guardian,
    may_keep_from_parents,
    others_on,
    same_addresses,
    told_among,
    with_sharing,
)
from tests import builders

ON = date(2026, 3, 9)
OWN, PARENT, GUARDIAN, OTHER = Relation.SELF, Relation.PARENT, Relation.GUARDIAN, Relation.OTHER
ON_PHONE, ON_WHATSAPP, ON_TELEGRAM = AddressKind.PHONE, AddressKind.WHATSAPP, AddressKind.TELEGRAM


def aged(years: int, country: str, *relations: Relation) -> Patient:
    """Her birthday is today; the addresses in this order."""
    patient = builders.patient(
        builders.clinic(country=country), phone="+972502345678", birth_date=ON.replace(year=ON.year - years)
    )
    point = patient.contacts.get().contact_point
    patient.contacts.all().delete()
    for rank, relation in enumerate(relations, 1):
        at = ContactPoint.objects.create(clinic=patient.clinic, kind=point.kind, value=f"+97250000000{rank}")
        patient.contacts.create(contact_point=at, relation=relation, rank=rank)
    return patient


def told(patient: Patient, *, in_confidence: bool = False, on: date = ON) -> list[str]:
    return [
        tie.relation
        for tie in told_among(patient, patient.contacts.all(), on=on, in_confidence=in_confidence)
    ]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_no_country_begins_these_ages_after_majority(path: Path) -> None:
    profile = read_profile(path)
    assert profile.confidential_age <= profile.own_word_age <= profile.age_of_majority


def test_in_russia_it_is_fifteen_and_elsewhere_majority() -> None:
    own = {
        country: profile_of(country).own_word_age for country in ("IL", "RU", "KZ", "UA", "DE", "US", "GE")
    }
    assert own == {"IL": 18, "RU": 15, "KZ": 18, "UA": 18, "DE": 18, "US": 18, "GE": 18}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("years", "country", "relations", "expected"),
    [
        (14, "RU", (OWN, PARENT, GUARDIAN), [PARENT, GUARDIAN]),
        (15, "RU", (OWN, PARENT, GUARDIAN), [OWN]),
        (15, "IL", (OWN, PARENT), [PARENT]),
        (17, "IL", (OWN, PARENT), [PARENT]),
        (18, "IL", (OWN, PARENT, GUARDIAN), [OWN, GUARDIAN]),
        (15, "RU", (PARENT, OTHER), [PARENT]),  # no address of her own
        (14, "RU", (OWN,), [OWN]),  # nobody else is known
        (17, "GE", (OWN, PARENT), [PARENT]),
    ],
)
def test_who_is_told_by_age(
    years: int, country: str, relations: tuple[Relation, ...], expected: list[Relation]
) -> None:
    assert told(aged(years, country, *relations)) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("years", [15, 40])
@pytest.mark.parametrize(("relations", "expected"), [((PARENT, OWN, OTHER), [OWN]), ((PARENT, GUARDIAN), [])])
def test_what_is_kept_from_the_parents_reaches_her_alone_or_nobody(
    years: int, relations: tuple[Relation, ...], expected: list[Relation]
) -> None:
    assert told(aged(years, "IL", *relations), in_confidence=True) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "from_age"),
    [("IL", 14), ("RU", 15), ("KZ", 16), ("UA", 14), ("DE", 16), ("US", 12), ("GE", 16)],
)
def test_a_matter_can_be_kept_from_a_birthday_on_until_majority(country: str, from_age: int) -> None:
    ages = [years for years in range(8, 25) if may_keep_from_parents(aged(years, country, OWN), on=ON)]
    assert ages == list(range(from_age, 18))


@pytest.mark.django_db
def test_the_day_before_the_birthday_is_still_before_it() -> None:
    patient = aged(15, "RU", OWN, PARENT)
    assert told(patient, on=date(2026, 3, 8)) == [PARENT]


@pytest.mark.django_db
def test_who_has_told_us_no_birth_date_is_grown_up() -> None:
    patient = aged(15, "RU", OWN, PARENT)
    patient.birth_date = None
    assert told(patient) == [OWN]
    assert not may_keep_from_parents(patient, on=ON)


@pytest.mark.django_db
def test_an_adolescent_with_a_number_of_her_own_lacks_no_guardian() -> None:
    patient = aged(15, "RU", OWN)
    assert not lacks_guardian(patient, on=ON)
    assert lacks_guardian(patient, on=date(2026, 3, 8))
    ContactPoint.objects.update(status=AddressStatus.BAD)
    assert lacks_guardian(patient, on=ON)


@pytest.mark.django_db
def test_where_no_address_of_her_own_works_her_parents_are_told() -> None:
    bad, doubted = aged(15, "RU", OWN, PARENT), aged(15, "RU", OWN, PARENT)
    ContactPoint.objects.filter(ties__in=bad.contacts.filter(relation=OWN)).update(status=AddressStatus.BAD)
    doubted.contacts.filter(relation=OWN).update(suspended_at=datetime(2026, 3, 9, tzinfo=UTC))
    assert (told(bad), told(doubted)) == ([PARENT], [PARENT])
    assert told(bad, in_confidence=True) == [OWN]


def numbered(kind: AddressKind) -> str:
    """One number, as this kind of address keeps it."""
    return "+972502345678" if kind == ON_PHONE else "972502345678"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("own", "other", "who", "relation", "is_shared"),
    [
        (ON_PHONE, ON_PHONE, "other", OWN, True),
        (ON_PHONE, ON_WHATSAPP, "other", PARENT, True),
        (ON_WHATSAPP, ON_PHONE, "other", OWN, True),
        (ON_WHATSAPP, ON_WHATSAPP, "other", OTHER, False),
        (ON_WHATSAPP, ON_PHONE, "same", PARENT, True),
        (ON_WHATSAPP, ON_PHONE, "same", OWN, False),
        (ON_TELEGRAM, ON_TELEGRAM, "other", OWN, True),
        (ON_PHONE, ON_TELEGRAM, "other", OWN, False),  # the number of a chat, which is nobody's phone
        (ON_TELEGRAM, ON_PHONE, "other", OWN, False),
        (ON_WHATSAPP, ON_TELEGRAM, "same", PARENT, False),
    ],
)
def test_who_is_named_as_sharing_an_address_is_who_puts_it_in_doubt(
    own: AddressKind, other: AddressKind, who: str, relation: Relation, *, is_shared: bool
) -> None:
    girl = builders.patient(phone="054-765-4321")
    hers = add_address(girl, own, numbered(own), rank=2)
    on_it_too = girl if who == "same" else builders.patient(girl.clinic, phone="054-765-4322")
    there = add_address(on_it_too, other, numbered(other), rank=3, relation=relation)
    assert others_on([hers]) == {hers.pk: [there] if is_shared else []}
    read = with_sharing(PatientContact.objects.filter(pk=hers.pk)).get()
    assert is_surely_hers(read) != is_shared


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by how many rows there are")
def test_addresses_are_found_by_the_index_that_keeps_each_once() -> None:
    point = builders.patient().contacts.get().contact_point
    assert "(clinic_id=? AND kind=? AND value=?)" in same_addresses([point]).explain()
