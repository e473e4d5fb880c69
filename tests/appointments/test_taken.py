"""Times that somebody has taken since a page was made: told with a name, and not again until something changes."""

from datetime import timedelta

import pytest
from django.test import Client

from appointments.actions import Visit, book
from appointments.keeping import keep_for_minutes
from appointments.models import Practitioner
from appointments.taken import mark_of, read_marks
from patients.models import Patient
from tests import builders
from tests.appointments.pages import MINUTE, TOMORROW_9, questions, text_of
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]


def marks(doctor: Practitioner, *starts: int) -> str:
    first = TOMORROW_9
    return ".".join(mark_of(doctor.pk, first + n * MINUTE, first + (n + 30) * MINUTE) for n in starts)


def test_a_time_taken_elsewhere_is_told_with_who_took_it(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    shown = marks(doctor, 0, 30, 60, 90)
    address = f"/calendar/taken/?shown={shown}"
    assert text_of(desk.get(address)).strip() == ""
    noa = builders.user(at=doctor.clinic, first_name="Noa")
    book(Visit(patient, doctor, TOMORROW_9 + 20 * MINUTE, 20), now=NOW, by=noa)
    keep_for_minutes(Visit(patient, doctor, TOMORROW_9 + 60 * MINUTE, 30), now=NOW, by=noa)
    answer = desk.get(address)
    page = text_of(answer)
    assert page.count("taken by <bdi>Noa</bdi>") == 2, "it reaches into two of the times"
    assert page.count("<bdi>Noa</bdi> is booking this") == 1
    assert f'id="taken-{marks(doctor, 90)}"' not in page
    again = desk.get(address, headers={"HX-PTag": answer["HX-PTag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_patient_who_took_it_herself_is_not_named(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    book(Visit(patient, doctor, TOMORROW_9, 30), now=NOW)
    page = text_of(desk.get(f"/calendar/taken/?shown={marks(doctor, 0)}"))
    assert "just taken" in page
    assert patient.given_name not in page


def test_another_clinics_calendar_is_not_told(patient: Patient, doctor: Practitioner) -> None:
    book(Visit(patient, doctor, TOMORROW_9, 30), now=NOW)
    stranger = Client()
    stranger.force_login(builders.user(at=builders.clinic()))
    assert text_of(stranger.get(f"/calendar/taken/?shown={marks(doctor, 0)}")).strip() == ""


@pytest.mark.parametrize(
    "text", ["", ".", "x", "1-2", "1-2-3-4", "1--3", "-1-2-3", "1-999999999-30", "1-29550000-99999", "²-1-1"]
)
def test_a_broken_mark_names_no_time(text: str) -> None:
    assert read_marks(text) == []


def test_a_mark_names_the_time_it_was_made_of() -> None:
    (read,) = read_marks(mark_of(7, TOMORROW_9, TOMORROW_9 + timedelta(minutes=30)))
    assert (read.doctor, read.start, read.end) == (7, TOMORROW_9, TOMORROW_9 + 30 * MINUTE)


@pytest.mark.parametrize("number", [1, 3, 200])
def test_it_is_one_query_for_however_many_times(desk: Client, doctor: Practitioner, number: int) -> None:
    shown = marks(doctor, *range(0, number * 10, 10))
    assert questions(desk, f"/calendar/taken/?shown={shown}") == 1
