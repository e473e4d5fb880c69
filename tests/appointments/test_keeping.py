"""The five minutes in which a time is kept for whoever is booking it: alone, silent, and never left behind."""

from datetime import timedelta

import pytest
from django.test import Client

from appointments.actions import SlotTakenError, Visit
from appointments.holds import settle_holds
from appointments.keeping import KEPT_FOR, book_kept, keep_for_minutes, kept_by, let_go
from appointments.models import Appointment, AppointmentEvent, Practitioner, SlotUse
from journeys.models import Journey, Step, StepKind
from patients.models import Patient
from tests import builders
from tests.appointments.pages import DAY, MINUTE, TOMORROW_9, booking, said, text_of
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]


def kept(patient: Patient, doctor: Practitioner, start: object = TOMORROW_9) -> Appointment:
    rina = builders.user(at=doctor.clinic, last_name="Azulay")
    return keep_for_minutes(Visit(patient, doctor, start, 30), now=NOW, by=rina)  # type: ignore[arg-type]


def test_a_second_person_hears_who_is_booking_it(patient: Patient, doctor: Practitioner) -> None:
    kept(patient, doctor)
    dan = builders.user(at=doctor.clinic, first_name="Dan")
    with pytest.raises(SlotTakenError) as taken:
        keep_for_minutes(Visit(patient, doctor, TOMORROW_9, 30), now=NOW, by=dan)
    assert taken.value.for_staff == ("Rina Azulay is booking Tue 10 Mar 09:00 with Dr Cohen at this moment.")
    assert taken.value.free == [TOMORROW_9 + n * 30 * MINUTE for n in (1, 2, 3)]


def test_choosing_another_time_lets_the_first_go(patient: Patient, doctor: Practitioner) -> None:
    first = kept(patient, doctor)
    assert first.made_by
    keep_for_minutes(Visit(patient, doctor, TOMORROW_9 + DAY, 30), now=NOW, by=first.made_by)
    assert Appointment.objects.get().start == TOMORROW_9 + DAY


def test_when_the_minutes_are_over_it_is_gone_without_a_word(patient: Patient, doctor: Practitioner) -> None:
    kept(patient, doctor)
    assert settle_holds(now=NOW + KEPT_FOR - MINUTE) == 0
    assert settle_holds(now=NOW + KEPT_FOR) == 1
    for model in (Appointment, AppointmentEvent, SlotUse, Step, Journey):
        assert not model.objects.exists()


def test_booking_takes_the_kept_time_over(patient: Patient, doctor: Practitioner) -> None:
    rina = kept(patient, doctor).made_by
    assert rina
    step = builders.step(builders.journey(patient), kind=StepKind.BOOK)
    made = book_kept(Visit(patient, doctor, TOMORROW_9, 30), step, now=NOW, by=rina)
    assert (Appointment.objects.get(), made.status) == (made, "booked")
    assert not kept_by(rina).exists()


def test_a_booking_that_fails_leaves_the_kept_time(patient: Patient, doctor: Practitioner) -> None:
    rina = kept(patient, doctor).made_by
    assert rina
    builders.appointment(
        builders.patient(doctor.clinic, phone=""), practitioner=doctor, start=TOMORROW_9 + DAY
    )
    with pytest.raises(SlotTakenError):
        book_kept(Visit(patient, doctor, TOMORROW_9 + DAY, 30), None, now=NOW, by=rina)
    assert kept_by(rina).get().start == TOMORROW_9
    assert (let_go(rina), let_go(rina)) == (1, 0)


# Through the screens


def test_keep_then_book_through_the_page(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    path = f"/patients/{patient.public_id}/book/"
    fields = booking(doctor, TOMORROW_9, start="", keep=TOMORROW_9.isoformat(), title="Crown")
    page = desk.post(path, fields, follow=True)
    assert "Kept for you until 10:05" in text_of(page)
    assert 'name="title" value="Crown"' in text_of(page)
    assert "Coming already" not in text_of(page)
    other = f"{doctor.pk} {TOMORROW_9.isoformat()}"
    answer = desk.post(path, booking(doctor, TOMORROW_9, start="", other=other))
    assert said(answer) == ["Booked: Tue 10 Mar 09:00 with Dr Cohen. Repeat the date aloud."]
    assert Appointment.objects.get().status == "booked"


def test_others_see_who_is_booking_and_cannot_let_it_go(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    hold = kept(patient, doctor)
    page = text_of(desk.get("/calendar/?on=2026-03-10"))
    assert "<bdi>Rina</bdi> is booking this" in page
    assert "Dana" not in page
    path = f"/appointments/{hold.public_id}/let-go/"
    assert desk.post(path).status_code == 404
    assert hold.made_by
    desk.force_login(hold.made_by)
    assert desk.post(path, {"quietly": "1"}).status_code == 204
    assert desk.post(path).status_code == 404
    assert not Appointment.objects.exists()


def test_a_hold_of_minutes_that_is_no_keeping_stays_in_the_history(
    patient: Patient, doctor: Practitioner
) -> None:
    builders.appointment(
        patient, practitioner=doctor, status="pending", hold_until=NOW, start=TOMORROW_9, made_by=None
    )
    settle_holds(now=NOW + timedelta(minutes=1))
    assert Appointment.objects.get().ended_because == "not confirmed in time"
