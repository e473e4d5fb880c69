"""Who opened a link says who she is: few tries, each counted, and a day later anew."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from patients.addresses import TieAnswers, add_tie
from patients.models import TRIES, IdentityTries, PatientContact, PatientStatus, Relation
from patients.proving import Question, closed_until, proves, question_for
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("1991", True),
        (" 1991 ", True),
        ("4.5.1991", True),
        ("١٩٩١", True),
        ("1990", False),
        ("1990 1991 1992", False),
        ("91", False),
        ("", False),
        ("²²²²", False),
    ],
)
def test_the_year_of_birth_is_asked_where_we_know_it(said: str, right: bool) -> None:
    patient = builders.patient()
    assert question_for(patient) == Question.YEAR
    assert proves(patient, said, now=NOW) == right


@pytest.mark.parametrize(
    ("said", "right"),
    [("5678", True), ("050-234-5678", True), ("٥٦٧٨", True), ("678", False), ("1111", False), ("", False)],
)
def test_else_the_last_digits_of_her_own_phone(said: str, right: bool) -> None:
    patient = builders.patient(birth_date=None)
    mothers = add_tie(patient, "phone", "054-765-1111", TieAnswers())
    PatientContact.objects.filter(pk=mothers.pk).update(relation=Relation.PARENT)
    assert question_for(patient) == Question.PHONE
    assert proves(patient, said, now=NOW) == right


def test_of_whom_we_know_nothing_nothing_is_proved() -> None:
    unknown = builders.patient(birth_date=None, phone="")
    assert question_for(unknown) == Question.NONE
    assert not proves(unknown, "", now=NOW)
    gone = builders.patient(phone="")
    gone.status = PatientStatus.DECEASED
    assert question_for(gone) == Question.NONE
    assert not proves(gone, "1991", now=NOW)


def test_after_five_wrong_answers_no_answer_counts_until_a_day_later() -> None:
    patient = builders.patient()
    for _nth in range(TRIES):
        assert closed_until(patient, now=NOW) is None
        assert not proves(patient, "1990", now=NOW)
    assert closed_until(patient, now=NOW) == NOW + DAY
    assert not proves(patient, "1991", now=NOW + DAY - timedelta(seconds=1))
    assert closed_until(patient, now=NOW + DAY) is None
    assert proves(patient, "1991", now=NOW + DAY)


def test_a_right_answer_forgives_the_wrong_ones() -> None:
    patient = builders.patient()
    for _nth in range(3):
        for wrong in ("1990",) * (TRIES - 1):
            assert not proves(patient, wrong, now=NOW)
        assert proves(patient, "1991", now=NOW)
    assert closed_until(patient, now=NOW) is None


@pytest.mark.parametrize(
    "fields", [{"failed": TRIES + 1, "first_at": NOW}, {"failed": 1}, {"failed": 0, "first_at": NOW}]
)
def test_the_count_is_kept_by_the_database(fields: dict[str, object]) -> None:
    patient = builders.patient()
    with pytest.raises(IntegrityError), transaction.atomic():
        IdentityTries.objects.create(patient=patient, **fields)
