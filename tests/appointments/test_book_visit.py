"""Booking for a patient, through HTTP: what is offered, what is taken, what is refused and why."""

from datetime import time
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.test import Client

from appointments.models import Appointment, Practitioner
from journeys.actions import NewJourney, start_journey
from journeys.models import StepKind
from patients.models import Channel, ContactWindow, Patient, ServiceCard
from tests import builders
from tests.appointments.pages import (
    DAY,
    MINUTE,
    TOMORROW_9,
    booking,
    questions,
    said,
    starts_offered,
    text_of,
    visit_at,
)
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]


def test_booking_returns_to_the_patient(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    answer = desk.post(
        f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9, title="Crown", minutes=40)
    )
    assert answer.headers["Location"] == f"/patients/{patient.public_id}/"
    assert said(answer) == ["Booked: Tue 10 Mar 09:00 with Dr Cohen. Repeat the date aloud."]
    made = Appointment.objects.get()
    assert (made.start, made.end - made.start, made.title) == (TOMORROW_9, 40 * MINUTE, "Crown")
    assert (made.status, made.made_by) == ("booked", answer.wsgi_request.user)


def test_button_pressed_twice_books_once_and_another_button_books_another(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    for start in (TOMORROW_9, TOMORROW_9, TOMORROW_9 + DAY):
        desk.post(f"/patients/{patient.public_id}/book/", booking(doctor, start))
    assert list(Appointment.objects.order_by("start").values_list("start", flat=True)) == [
        TOMORROW_9,
        TOMORROW_9 + DAY,
    ]


def test_booking_for_a_step_ends_the_step_and_returns_to_today(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    call_command("load_catalogue", verbosity=0)
    step = start_journey(patient, NewJourney("next_stage", title="Tooth 36"), now=NOW).steps.get()
    path = f"/patients/{patient.public_id}/book/?step={step.public_id}"
    assert 'name="title" value="Tooth 36"' in text_of(desk.get(path))
    answer = desk.post(path, booking(doctor, TOMORROW_9))
    assert answer.headers["Location"] == "/today/"
    step.refresh_from_db()
    assert step.outcome == "booked"
    visit_step = Appointment.objects.get().step
    assert visit_step is not None
    assert visit_step.kind == StepKind.VISIT


def test_times_outside_the_hours_of_the_patient_come_last_and_say_so(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    card, _made = ServiceCard.objects.get_or_create(patient=patient, defaults={"channel": Channel.PHONE})
    ContactWindow.objects.create(card=card, weekday=2, start=time(11), end=time(20))
    page = desk.get(f"/patients/{patient.public_id}/book/")
    suiting = ["11 11:00", "11 11:30", "18 11:00", "18 11:30"]
    others = ["09 10:00", "09 10:30", "10 09:00", "10 09:30", "11 09:00", "11 09:30"]
    assert starts_offered(page) == [*suiting, *others]
    assert text_of(page).count("<small>outside</small>") == len(others)


def test_time_chosen_in_the_calendar_is_offered_or_said_not_to_fit(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    path = f"/patients/{patient.public_id}/book/?doctor={doctor.pk}&at="
    page = desk.get(path + quote((TOMORROW_9 + DAY + 50 * MINUTE).isoformat()))
    assert "11 09:50" in starts_offered(page)
    assert text_of(page).count("<small>the time you chose</small>") == 1
    late = desk.get(path + quote((TOMORROW_9 + 160 * MINUTE).isoformat()))
    assert "30 minutes do not fit at Tue 10 Mar, 11:40." in text_of(late)


def test_taken_time_says_who_has_it_and_offers_the_next(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    other = builders.patient(doctor.clinic, given_name="Noa", phone="")
    visit_at(other, doctor, TOMORROW_9)
    answer = desk.post(f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9))
    assert answer.status_code == 422
    assert "Tue 10 Mar 09:00 with Dr Cohen is booked for Noa Levi." in text_of(answer)
    assert {"10 09:30", "10 10:00", "10 10:30"} <= set(starts_offered(answer))
    assert Appointment.objects.get().patient == other


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"start": ""}, "Choose one of the times shown."),
        ({"start": "tomorrow"}, "Choose one of the times shown."),
        ({"start": "2026-03-10T07:00:00"}, "Choose one of the times shown."),
        ({"start": "2026-03-10T17:00:00+00:00"}, "is outside the hours of Dr Cohen"),
        ({"start": "2026-03-08T07:00:00+00:00"}, "This time has passed."),
        ({"minutes": "7"}, "Select a valid choice."),
        ({"practitioner": "0"}, "Select a valid choice."),
        ({"offered_for": "0"}, "The times now shown are those with Dr Cohen. Choose again."),
    ],
)
def test_booking_that_cannot_be_is_refused_with_the_reason(
    desk: Client, patient: Patient, doctor: Practitioner, changed: dict[str, str], words: str
) -> None:
    answer = desk.post(f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9, **changed))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Appointment.objects.exists()


def test_showing_times_books_nothing(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    other = builders.practitioner(doctor.clinic, name="Dr Shaham")
    asked = booking(other, TOMORROW_9, show_times="1", offered_for=doctor.pk)
    answer = desk.post(f"/patients/{patient.public_id}/book/", asked)
    assert answer.status_code == 200
    assert "No free time in six weeks" in text_of(answer)
    assert not Appointment.objects.exists()


def test_booking_page_asks_the_same_for_three_visits_as_for_one(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    for n in range(3):
        visit_at(patient, doctor, TOMORROW_9 + n * 30 * MINUTE)
        # patient, card, its hours; opening hours, closed days; doctors and types, each for the choice again;
        # coming; kept; 6 looks
        assert questions(desk, f"/patients/{patient.public_id}/book/") == 13
