"""One visit, moving it and booking another, through HTTP as the desk uses them; who may, and what looking does."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from appointments import actions
from appointments.actions import Visit
from appointments.models import Appointment, AppointmentEvent, AppointmentStatus, Practitioner, SlotUse
from journeys.actions import NewJourney, start_journey
from journeys.models import Step, StepEvent, StepKind, StepStatus
from patients.actions import CardAnswers, save_card
from patients.models import Patient
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


def everything() -> list[object]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Appointment, AppointmentEvent, SlotUse, Step, StepEvent)
    ]


# One visit


def acts_on(answer: Any) -> list[str]:
    return re.findall(r'name="act" value="(\w+)"', answer.content.decode())


@pytest.mark.parametrize(
    ("status", "start", "acts"),
    [
        ("booked", TOMORROW_9, ["confirm", "cancel"]),
        ("booked", NOW + 60 * MINUTE, ["arrive", "confirm", "cancel"]),
        ("booked", NOW - 10 * MINUTE, ["arrive", "fulfil", "no_show", "cancel"]),
        ("arrived", NOW + 10 * MINUTE, ["fulfil", "cancel"]),
        ("pending", TOMORROW_9, ["book", "cancel"]),
        ("noshow", NOW - 10 * MINUTE, ["arrive"]),
        ("fulfilled", NOW - 60 * MINUTE, []),
        ("cancelled", TOMORROW_9, []),
    ],
)
def test_visit_offers_what_can_be_done_with_it_now(
    desk: Client, patient: Patient, doctor: Practitioner, status: str, start: datetime, acts: list[str]
) -> None:
    visit = visit_at(patient, doctor, start, status, hold_until=TOMORROW_9)
    assert acts_on(desk.get(f"/appointments/{visit.public_id}/")) == acts


def test_hold_says_what_it_waits_for_and_is_not_kept_by_hand(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    awaits = builders.step(builders.journey(patient, title="Tooth 36"), kind=StepKind.AWAIT_RESULT)
    visit = visit_at(patient, doctor, TOMORROW_9, "pending", hold_until=TOMORROW_9, awaits=awaits)
    page = desk.get(f"/appointments/{visit.public_id}/")
    assert "Waiting for a result · due Mon 9 Mar, 14:00" in text_of(page)
    assert acts_on(page) == ["cancel"]
    refused = desk.post(f"/appointments/{visit.public_id}/act/", {"act": "book"})
    assert said(refused) == ["This visit was changed by somebody else meanwhile."]
    assert Appointment.objects.get().status == AppointmentStatus.PENDING


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        ("arrive", "booked", "arrived"),
        ("fulfil", "arrived", "fulfilled"),
        ("no_show", "booked", "noshow"),
        ("cancel", "booked", "cancelled"),
        ("book", "pending", "booked"),
        ("arrive", "noshow", "arrived"),
    ],
)
def test_act_changes_the_visit_and_shows_it(
    desk: Client, patient: Patient, doctor: Practitioner, act: str, before: str, after: str
) -> None:
    save_card(patient, CardAnswers("sms"), now=NOW, by=None)
    visit = visit_at(patient, doctor, NOW - 10 * MINUTE, before, hold_until=TOMORROW_9)
    builders.open_time(doctor, visit.start)
    answer = desk.post(
        f"/appointments/{visit.public_id}/act/", {"act": act, "because": "called in sick"}, follow=True
    )
    assert answer.redirect_chain == [(f"/appointments/{visit.public_id}/", 302)]
    assert answer.status_code == 200
    visit.refresh_from_db()
    assert (visit.status, visit.events.get().by) == (after, answer.wsgi_request.user)


def test_cancelling_needs_a_reason(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    answer = desk.post(f"/appointments/{visit.public_id}/act/", {"act": "cancel", "because": " "})
    assert answer.status_code == 422
    assert "This field is required." in text_of(answer)
    assert Appointment.objects.get().status == AppointmentStatus.BOOKED


def test_visit_of_a_journey_says_what_each_end_opens(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    call_command("load_catalogue", verbosity=0)
    step = start_journey(patient, NewJourney("next_stage"), now=NOW).steps.get()
    visit = actions.book_for_step(step, Visit(patient, doctor, NOW, 30), now=NOW)
    path = reverse("appointment", args=[visit.public_id])
    assert "next: Book: next treatment stage" in text_of(desk.get(path))
    desk.post(f"{path}act/", {"act": "no_show"})
    assert Step.objects.get(status=StepStatus.ACTIVE).kind == StepKind.BOOK


def test_a_visit_without_a_journey_says_that_a_new_date_is_looked_for(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    booked = visit_at(patient, doctor, TOMORROW_9)
    held = visit_at(patient, doctor, TOMORROW_9 + 60 * MINUTE, "pending", hold_until=TOMORROW_9)
    pages = [text_of(desk.get(f"/appointments/{visit.public_id}/")) for visit in (booked, held)]
    assert ["next: find a new date" in page for page in pages] == [True, False]


def test_form_of_a_page_grown_old_changes_nothing(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    path = f"/appointments/{visit.public_id}/"
    seen = re.search(r'name="seen" value="([^"]+)"', desk.get(path).content.decode())
    assert seen
    actions.move(visit, start=TOMORROW_9 + 60 * MINUTE, now=NOW)
    answer = desk.post(f"{path}act/", {"act": "cancel", "because": "ill", "seen": seen[1]})
    assert said(answer) == ["This visit was changed by somebody else meanwhile."]
    assert Appointment.objects.get().status == AppointmentStatus.BOOKED


def test_visit_page_asks_the_same_for_three_events_as_for_one(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    for start in (30, 60, 90):
        # the visit, its events, whose it is, rooms, my save
        assert questions(desk, f"/appointments/{visit.public_id}/") == 5
        actions.move(visit, start=TOMORROW_9 + start * MINUTE, now=NOW)


# Moving


def test_move_offers_times_of_several_days_and_takes_one(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    path = f"/appointments/{visit.public_id}/move/"
    offered = ["09 10:00", "09 10:30", "10 09:30", "10 10:00", "11 09:00", "11 09:30"]
    assert starts_offered(desk.get(path)) == offered
    answer = desk.post(
        path,
        {"practitioner": doctor.pk, "start": "2026-03-11T07:00:00+00:00", "because": "the patient asked"},
    )
    assert answer.headers["Location"] == f"/appointments/{visit.public_id}/"
    assert said(answer) == ["Moved to Wed 11 Mar 09:00. Repeat the date aloud."]
    visit.refresh_from_db()
    assert visit.start == TOMORROW_9 + DAY
    assert "the patient asked" in text_of(desk.get(f"/appointments/{visit.public_id}/"))


def test_move_to_a_taken_time_says_who_has_it_and_offers_the_next(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    other = builders.patient(doctor.clinic, given_name="Noa", phone="")
    visit_at(other, doctor, TOMORROW_9 + DAY, "pending", hold_until=TOMORROW_9)
    answer = desk.post(
        f"/appointments/{visit.public_id}/move/",
        {"practitioner": doctor.pk, "start": (TOMORROW_9 + DAY).isoformat()},
    )
    assert answer.status_code == 422
    assert "Wed 11 Mar 09:00 with Dr Cohen is held for Noa Levi." in text_of(answer)
    assert "11 09:30" in starts_offered(answer)
    visit.refresh_from_db()
    assert visit.start == TOMORROW_9


def test_visit_that_took_place_is_not_moved(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    visit = visit_at(patient, doctor, NOW - 60 * MINUTE, "fulfilled")
    answer = desk.post(f"/appointments/{visit.public_id}/move/", {"practitioner": doctor.pk})
    assert said(answer) == ["This visit cannot be moved any more."]


# Who may see what, and what looking does


def all_paths(visit: Appointment, step: Step) -> list[str]:
    patient = visit.patient.public_id
    return [
        f"/calendar/?patient={patient}",
        f"/appointments/{visit.public_id}/",
        f"/appointments/{visit.public_id}/move/",
        f"/patients/{patient}/book/",
        f"/patients/{patient}/book/?step={step.public_id}",
    ]


def test_another_clinic_finds_nothing(patient: Patient, doctor: Practitioner) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    step = builders.step(builders.journey(patient), kind=StepKind.BOOK)
    stranger = Client()
    stranger.force_login(builders.user(at=builders.clinic()))
    before = everything()
    for path in all_paths(visit, step):
        assert stranger.get(path).status_code == 404
    for path in (f"/appointments/{visit.public_id}/act/", f"/appointments/{visit.public_id}/move/"):
        assert stranger.post(path, {"act": "cancel", "because": "x"}).status_code == 404
    booked = stranger.post(f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9 + DAY))
    assert booked.status_code == 404
    assert everything() == before


def test_doctor_or_step_of_somebody_else_is_not_accepted(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    path = f"/patients/{patient.public_id}/book/"
    elsewhere = builders.practitioner()
    step = builders.step(builders.journey(builders.patient(doctor.clinic, phone="")), kind=StepKind.BOOK)
    assert desk.get(f"{path}?doctor={elsewhere.pk}").status_code == 404
    assert desk.get(f"{path}?step={step.public_id}").status_code == 404
    assert desk.post(path, booking(elsewhere, TOMORROW_9)).status_code == 422


def test_looking_changes_nothing(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    step = builders.step(builders.journey(patient), kind=StepKind.BOOK)
    before = everything()
    for path in all_paths(visit, step):
        assert desk.get(path).status_code == 200
    assert desk.get(f"/appointments/{visit.public_id}/act/").status_code == 405
    assert desk.post("/calendar/").status_code == 405
    assert everything() == before
