"""The way back from what is done with visits in the calendar and in booking, through HTTP as the desk uses it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from appointments.models import Appointment, AppointmentStatus, Practitioner, SlotUse
from appointments.openings import offer_openings
from appointments.waiting_models import Offer, Opening
from clinic_journey.models import DeskAction
from clinic_journey.undo import picture
from journeys.actions import NewJourney, start_journey
from journeys.models import StepKind
from patients.models import Patient
from tests import builders
from tests.appointments.pages import DAY, MINUTE, TOMORROW_9, booking, said, text_of, visit_at
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]


def booked(patient: Patient, doctor: Practitioner, **fields: object) -> Appointment:
    start = fields.pop("start", TOMORROW_9)
    step = builders.step(builders.journey(patient), kind=StepKind.VISIT, due_at=NOW + 2 * DAY)
    return visit_at(patient, doctor, start, step=step, **fields)  # type: ignore[arg-type]


def way_back(desk: Client, path: str) -> str:
    """What the line on the page says was saved; the address that takes it back."""
    found = re.search(r'class="saved" method="post" action="([^"]+)"', desk.get(path).content.decode())
    assert found, f"no way back on {path}"
    return found[1]


@pytest.mark.parametrize("act", ["arrive", "confirm", "fulfil", "no_show", "cancel"])
def test_after_undo_every_row_of_the_visit_is_as_it_was(
    desk: Client, patient: Patient, doctor: Practitioner, act: str
) -> None:
    start = NOW + 60 * MINUTE if act in {"confirm", "cancel"} else NOW - 30 * MINUTE
    visit = booked(patient, doctor, start=start)
    page, before = f"/appointments/{visit.public_id}/", picture(patient)
    desk.post(f"{page}act/", {"act": act, "because": "by mistake"})
    assert picture(patient) != before
    answer = desk.post(way_back(desk, page), {"next": page})
    assert (answer["Location"], said(answer)) == (page, ["Undone. Everything is as it was."])
    after = picture(patient)
    for kind, rows in before.items():
        if kind != "cell":  # taken again, by a new row
            assert {key: after[kind].get(key) for key in rows} == rows
    assert SlotUse.objects.filter(appointment=visit).count() == 3
    made = [row for key, row in after["step"].items() if key not in before["step"]]
    assert {row["status"] for row in made} <= {"cancelled"}
    assert 'class="saved"' not in text_of(desk.get(page))


@pytest.mark.parametrize("by", ["drop", "move"])
def test_a_visit_moved_by_a_slip_of_the_mouse_stands_where_it_stood(
    desk: Client, patient: Patient, doctor: Practitioner, by: str
) -> None:
    visit = booked(patient, doctor)
    sent = {"start": "2026-03-11T11:00"} if by == "drop" else booking(doctor, TOMORROW_9 + DAY)
    desk.post(f"/appointments/{visit.public_id}/{by}/", sent)
    visit.refresh_from_db()
    assert visit.start > TOMORROW_9
    page = "/calendar/week/?on=2026-03-11"
    assert "Saved: Moved." in text_of(desk.get(page))
    answer = desk.post(way_back(desk, page), {"next": page})
    assert answer["Location"] == page
    visit.refresh_from_db()
    assert visit.start == TOMORROW_9
    taken = SlotUse.objects.order_by("slot__start").values_list("slot__start", flat=True)
    assert list(taken) == [TOMORROW_9 + n * 10 * MINUTE for n in range(3)]


def test_undo_of_a_booking_frees_the_time(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    call_command("load_catalogue", verbosity=0)
    desk.post(f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9))
    assert SlotUse.objects.count() == 3
    page = f"/patients/{patient.public_id}/"
    assert "Saved: Booked." in text_of(desk.get(page))
    desk.post(way_back(desk, page), {"next": page})
    assert Appointment.objects.get().status == AppointmentStatus.CANCELLED
    assert not SlotUse.objects.exists()
    assert not patient.journeys.exclude(status="cancelled").exists()


def test_a_step_that_was_booked_asks_for_its_visit_again(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    call_command("load_catalogue", verbosity=0)
    step = start_journey(patient, NewJourney("next_stage", title="Tooth 36"), now=NOW).steps.get()
    desk.post(f"/patients/{patient.public_id}/book/?step={step.public_id}", booking(doctor, TOMORROW_9))
    assert "Saved: Booked." in text_of(desk.get("/today/"))
    desk.post(way_back(desk, "/today/"))
    step.refresh_from_db()
    assert (step.status, step.outcome) == ("active", "")
    assert not SlotUse.objects.exists()


def test_undo_of_a_cancelled_visit_names_who_has_its_time_by_now(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit = booked(patient, doctor)
    page = f"/appointments/{visit.public_id}/"
    desk.post(f"{page}act/", {"act": "cancel", "because": "by mistake"})
    back = way_back(desk, page)
    visit_at(builders.patient(doctor.clinic, given_name="Noa", phone=""), doctor, TOMORROW_9)
    answer = desk.post(back, {"next": page})
    assert said(answer) == ["Tue 10 Mar 09:00 with Dr Cohen is booked for Noa Levi."]
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.CANCELLED
    assert DeskAction.objects.get().undone_at is None


def test_a_freed_time_is_offered_to_nobody_before_undo_is_thought_of(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit = booked(patient, doctor, start=TOMORROW_9 + DAY)
    builders.waiting_entry(builders.patient(doctor.clinic, phone="050-234-5600"), minutes=30)
    page = f"/appointments/{visit.public_id}/"
    desk.post(f"{page}act/", {"act": "cancel", "because": "by mistake"})
    offer_openings(now=NOW + timedelta(seconds=15))
    assert not Offer.objects.exists()
    desk.post(way_back(desk, page))
    offer_openings(now=NOW + timedelta(seconds=30))
    assert (Offer.objects.count(), Opening.objects.get().status) == (0, "gone")
    desk.post(f"{page}act/", {"act": "cancel", "because": "meant"})
    offer_openings(now=NOW + timedelta(seconds=30))
    assert Offer.objects.count() == 1


def test_nobody_takes_back_what_another_saved_and_a_colleague_on_the_phone_holds_nobody_up(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit = booked(patient, doctor, start=NOW + 30 * MINUTE)
    page = f"/appointments/{visit.public_id}/"
    other = Client()
    other.force_login(builders.user(at=doctor.clinic))
    assert visit.step
    other.post(f"/today/{visit.step.public_id}/keep/")  # she is with the patient
    desk.post(f"{page}act/", {"act": "arrive"})
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.ARRIVED
    assert 'class="saved"' not in text_of(other.get(page))
    assert other.post(f"/today/undo/{DeskAction.objects.get().pk}/").status_code == 404
    with time_machine.travel(NOW + 11 * MINUTE, tick=False):
        assert 'class="saved"' not in text_of(desk.get(page))


def test_the_same_press_twice_is_one_save_and_a_refused_one_is_none(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    call_command("load_catalogue", verbosity=0)
    for _press in range(2):
        desk.post(f"/patients/{patient.public_id}/book/", booking(doctor, TOMORROW_9))
    assert DeskAction.objects.count() == 1
    visit = Appointment.objects.get()
    desk.post(f"/appointments/{visit.public_id}/act/", {"act": "no_show"})  # it has not begun
    assert DeskAction.objects.count() == 1


def test_the_way_back_leads_to_no_page_of_somebody_else(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit = booked(patient, doctor)
    page = f"/appointments/{visit.public_id}/"
    desk.post(f"{page}act/", {"act": "confirm"})
    answer = desk.post(way_back(desk, page), {"next": "//evil.example/"})
    assert answer["Location"].startswith("/today/")
