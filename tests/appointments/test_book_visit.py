"""Booking for a patient, through HTTP: what is offered, what is taken, what is refused and why."""

import re
from datetime import time
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.test import Client

from appointments.models import Appointment, Practitioner
from journeys.actions import NewJourney, start_journey
from journeys.models import StepKind
from patients.actions import CardAnswers, save_card
from patients.coming import PARTS, WHOLE_DAY
from patients.models import Channel, ComingWindow, Patient, ServiceCard
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


def test_a_booking_for_a_step_sent_again_is_the_one_it_was(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    call_command("load_catalogue", verbosity=0)
    step = start_journey(patient, NewJourney("next_stage", title="Tooth 36"), now=NOW).steps.get()
    path = f"/patients/{patient.public_id}/book/?step={step.public_id}"
    for _again in range(2):
        answer = desk.post(path, booking(doctor, TOMORROW_9))
        assert said(answer)[-1] == "Booked: Tue 10 Mar 09:00 with Dr Cohen. Repeat the date aloud."
    another = desk.post(path, booking(doctor, TOMORROW_9 + DAY))
    assert another.status_code == 422
    assert Appointment.objects.count() == 1


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
    builders.comes(patient, (2, time(11), time(20)))
    page = desk.get(f"/patients/{patient.public_id}/book/")
    suiting = ["11 11:00", "11 11:30", "18 11:00", "18 11:30"]
    others = ["09 10:00", "09 10:30", "10 09:00", "10 09:30", "11 09:00", "11 09:30"]
    assert starts_offered(page) == [*suiting, *others]
    assert text_of(page).count("<small>outside</small>") == len(others)


def test_hours_in_which_a_contact_suits_say_nothing_of_when_she_can_come(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    path = f"/patients/{patient.public_id}/book/"
    before = starts_offered(desk.get(path))
    save_card(patient, CardAnswers(Channel.PHONE, ((2, time(11), time(20)),)), now=NOW, by=None)
    page = desk.get(path)
    assert starts_offered(page) == before
    assert "<small>outside</small>" not in text_of(page)


def test_when_she_can_come_is_asked_while_booking_and_kept_on_the_card(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    path = f"/patients/{patient.public_id}/book/"
    builders.open_time(doctor, TOMORROW_9 + 9 * 60 * MINUTE, minutes=60)
    asked = booking(doctor, TOMORROW_9, show_times="1", coming=["after_work"], coming_shown="")
    page = desk.post(path, asked)
    assert starts_offered(page)[:2] == ["10 18:00", "10 18:30"]
    assert not Appointment.objects.exists()
    card = ServiceCard.objects.get(patient=patient)
    assert (card.coming_told_at, card.told_at) == (NOW, None)
    assert set(ComingWindow.objects.values_list("weekday", "start")) == {(day, time(17)) for day in range(7)}
    assert starts_offered(desk.get(path))[:2] == ["10 18:00", "10 18:30"]
    shown = text_of(desk.get(path))
    assert re.search(r'name="coming" value="after_work"[^>]* checked', shown)
    assert 'name="coming_shown" value="after_work"' in shown


TWO_DAYS = (0, 2)


@pytest.mark.parametrize(
    ("held", "chosen", "kept"),
    [
        ("after_work", ["after_work"], {time(17)}),  # as it was shown
        ("after_work", ["mornings", "after_work"], {time(0), time(17)}),
        ("after_work", ["after_work", "any"], set()),  # at any time, on any day
        ("any", ["any", "mornings"], {time(0)}),
        ("after_work", [], set()),
    ],
)
@pytest.mark.usefixtures("doctor")
def test_what_was_said_last_holds_and_the_days_stay(
    desk: Client, patient: Patient, held: str, chosen: list[str], kept: set[time]
) -> None:
    span = PARTS.get(held, WHOLE_DAY)
    builders.comes(patient, *((day, *span) for day in TWO_DAYS))
    said = {"show_times": "1", "coming": chosen, "coming_shown": held}
    desk.post(f"/patients/{patient.public_id}/book/", said)
    found = set(ComingWindow.objects.values_list("weekday", "start"))
    assert found == {(day, start) for day in TWO_DAYS for start in kept}
    assert (ServiceCard.objects.get(patient=patient).coming_told_at is not None) == bool(chosen)


def test_a_press_that_did_not_ask_leaves_the_card(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    builders.comes(patient, (0, time(17), time.max))
    desk.post(f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9))
    assert ComingWindow.objects.get().start == time(17)


def test_hours_said_with_the_press_that_books_are_kept_too(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    path = f"/patients/{patient.public_id}/book/"
    desk.post(path, booking(doctor, TOMORROW_9, coming=["mornings"], coming_shown=""))
    assert Appointment.objects.get().start == TOMORROW_9
    assert ComingWindow.objects.filter(card__patient=patient, end=time(12)).count() == 7


def test_nobody_says_when_a_patient_of_another_clinic_can_come(desk: Client, doctor: Practitioner) -> None:
    stranger = builders.patient()
    said = {"coming": ["mornings"], "coming_shown": ""}
    for path in ("book", "coming"):
        assert desk.post(f"/patients/{stranger.public_id}/{path}/", said).status_code == 404
    assert not ComingWindow.objects.exists()


def test_a_closed_record_is_told_nothing(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    Patient.objects.filter(pk=patient.pk).update(status="deceased")
    asked = booking(doctor, TOMORROW_9, show_times="1", coming=["mornings"], coming_shown="")
    assert "is closed" in text_of(desk.post(f"/patients/{patient.public_id}/book/", asked))
    assert not ComingWindow.objects.exists()


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
