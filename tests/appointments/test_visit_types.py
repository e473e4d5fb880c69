"""Types of visit: a length to begin with, chosen while booking, moving and referring."""

from datetime import time
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from appointments.models import Appointment, Practitioner, VisitType
from journeys.models import StepKind
from patients.models import Patient
from tests import builders
from tests.appointments.pages import DAY, MINUTE, TOMORROW_9, booking, starts_offered, text_of, visit_at
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]


@pytest.fixture
def checkup(doctor: Practitioner) -> VisitType:
    return builders.visit_type(doctor.clinic, names={"en": "Check-up", "he": "ביקורת"}, minutes=20)


@pytest.fixture
def surgery(checkup: VisitType) -> VisitType:
    return builders.visit_type(checkup.clinic, names={"he": "ניתוח"}, minutes=90)


@pytest.mark.parametrize("minutes", [0, 4, 241])
def test_a_length_that_is_none_is_not_stored(doctor: Practitioner, minutes: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.visit_type(doctor.clinic, minutes=minutes)


def test_a_type_is_named_in_the_readers_language_or_in_the_one_it_has(
    checkup: VisitType, surgery: VisitType
) -> None:
    assert (checkup.name, surgery.name) == ("Check-up", "ניתוח")
    with translation.override("he"):
        assert checkup.name == "ביקורת"


def test_booking_begins_with_the_first_type_and_another_changes_the_minutes(
    desk: Client, patient: Patient, doctor: Practitioner, checkup: VisitType, surgery: VisitType
) -> None:
    path = f"/patients/{patient.public_id}/book/"
    assert '<option value="20" selected>' in text_of(desk.get(path))
    asked = booking(doctor, TOMORROW_9, minutes=20, visit_type=surgery.pk, shown_type=checkup.pk)
    page = desk.post(path, {**asked, "show_times": "1"})
    assert page.status_code == 200
    assert '<option value="90" selected>' in text_of(page)
    refused = desk.post(path, asked)
    assert refused.status_code == 422
    assert "The times now shown are those for “ניתוח”. Choose again." in text_of(refused)
    desk.post(path, {**asked, "minutes": "60", "shown_type": str(surgery.pk)})
    made = Appointment.objects.get()
    assert (made.end - made.start, made.visit_type, made.title) == (60 * MINUTE, surgery, "ניתוח")


def test_moving_may_change_the_type_and_the_length(
    desk: Client, patient: Patient, doctor: Practitioner, surgery: VisitType
) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    path = f"/appointments/{visit.public_id}/move/"
    fields = booking(doctor, TOMORROW_9, minutes=90, visit_type=surgery.pk, shown_type=surgery.pk)
    assert desk.post(path, fields).status_code == 302
    visit.refresh_from_db()
    assert (visit.start, visit.end - visit.start, visit.visit_type) == (TOMORROW_9, 90 * MINUTE, surgery)
    assert visit.slot_uses.count() == 9


def test_another_clinics_type_is_no_choice(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    theirs = builders.visit_type(builders.clinic())
    answer = desk.post(
        f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9, visit_type=theirs.pk)
    )
    assert answer.status_code == 422
    assert not Appointment.objects.exists()


# What is found: this doctor first, others where nothing suits


def only_at(patient: Patient, weekday: int, start: int, end: int) -> None:
    builders.comes(patient, (weekday, time(start), time(end)))


def colleague_with_afternoons(doctor: Practitioner) -> Practitioner:
    made = builders.practitioner(doctor.clinic, name="Dr Shaham")
    builders.open_time(made, TOMORROW_9 + 7 * 60 * MINUTE, minutes=120)
    return made


def test_without_a_time_that_suits_the_nearest_and_a_colleague_are_named(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    only_at(patient, 1, 16, 20)
    colleague = colleague_with_afternoons(doctor)
    page = desk.get(f"/patients/{patient.public_id}/book/")
    said = text_of(page)
    assert "No free time with <bdi>Dr Cohen</bdi> in the hours of <bdi>Dana</bdi> for 14 days." in said
    pressed = f"{colleague.pk} {(TOMORROW_9 + 7 * 60 * MINUTE).isoformat()}"
    assert f'name="other" value="{pressed}"' in said
    assert starts_offered(page)[0] == "09 10:00"  # the nearest outside
    desk.post(f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9, start="", other=pressed))
    made = Appointment.objects.get()
    assert (made.practitioner, made.start) == (colleague, TOMORROW_9 + 7 * 60 * MINUTE)


def test_colleagues_are_asked_too_when_wanted_and_not_otherwise(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    colleague_with_afternoons(doctor)
    path = f"/patients/{patient.public_id}/book/"
    assert "With other doctors" not in text_of(desk.get(path))
    asked: dict[str, Any] = {**booking(doctor, TOMORROW_9), "show_times": "1", "any_doctor": "on"}
    assert "With other doctors" in text_of(desk.post(path, asked))


@pytest.mark.parametrize("other", ["", "0 2026-03-10T07:00:00+00:00", "x", "1 tomorrow"])
def test_a_broken_time_of_a_colleague_is_refused(
    desk: Client, patient: Patient, doctor: Practitioner, other: str
) -> None:
    answer = desk.post(
        f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9, start="", other=other)
    )
    assert answer.status_code == 422
    assert "Choose one of the times shown." in text_of(answer)


def test_while_a_result_is_awaited_times_begin_where_it_is_expected(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    journey = builders.journey(patient)
    builders.step(journey, kind=StepKind.AWAIT_RESULT, due_at=NOW + 2 * DAY)
    step = builders.step(journey, kind=StepKind.BOOK)
    page = desk.get(f"/patients/{patient.public_id}/book/?step={step.public_id}")
    assert starts_offered(page)[0] == "11 09:00"
