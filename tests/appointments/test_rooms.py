"""In which room a visit is: said on the day, on its page and on paper; and the day of one room."""

from datetime import date, time

import pytest
from django.test import Client

from appointments.actions import fill_slots
from appointments.models import Location, Practitioner, ScheduleException
from appointments.rooms import room_names_of
from appointments.schedules import add_exception
from patients.models import Patient
from tests import builders
from tests.appointments.pages import DAY, MINUTE, TOMORROW_9, text_of, visit_at
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]
DAY_PAGE = "/calendar/?on=2026-03-10"


@pytest.fixture
def doctor() -> Practitioner:
    """On Tuesdays from 9 to 10 in the surgery, from 10 to 11 in the x-ray room."""
    made = builders.practitioner()
    for name, hour in (("Surgery", 9), ("X-ray", 10)):
        room = builders.location(made.clinic, name=name)
        builders.schedule(made, weekday=1, start=time(hour), end=time(hour + 1), location=room)
    fill_slots(NOW, days=9)
    return made


def test_the_room_is_said_on_the_day_the_visit_and_on_paper(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit_at(patient, doctor, TOMORROW_9)
    late = visit_at(patient, doctor, TOMORROW_9 + 60 * MINUTE, title="Crown")
    day = text_of(desk.get(DAY_PAGE))
    assert "<small><bdi></bdi><bdi>Surgery</bdi></small>" in day
    assert "<small><bdi>Crown</bdi> · <bdi>X-ray</bdi></small>" in day
    rows = text_of(desk.get(f"{DAY_PAGE}&list=1")).split("<tr>")
    assert ["Surgery" in rows[2], "X-ray" in rows[2]] == [True, False]
    assert "<dt>Room</dt><dd><bdi>X-ray</bdi></dd>" in text_of(desk.get(f"/appointments/{late.public_id}/"))
    paper = text_of(desk.get("/calendar/print/?on=2026-03-10"))
    assert '10:00–10:30</bdi> <span class="soft"><bdi>X-ray</bdi>' in paper


def test_the_day_of_one_room_shows_who_receives_in_it_and_when(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    xray = Location.objects.get(name="X-ray")
    other = builders.practitioner(doctor.clinic, name="Dr Shaham")
    builders.schedule(other, weekday=1, start=time(11), end=time(12), location=xray)
    fill_slots(NOW, days=9)
    visit_at(patient, doctor, TOMORROW_9, title="Implant")
    visit_at(patient, other, TOMORROW_9 + 120 * MINUTE, title="Crown")
    page = text_of(desk.get(f"{DAY_PAGE}&room={xray.pk}"))
    assert ["Implant" in page, "Crown" in page] == [False, True]
    assert f'room={xray.pk}" aria-current="page"><bdi>X-ray</bdi>' in page
    assert ["free, book at</span> 10:00" in page, "free, book at</span> 09:30" in page] == [True, False]
    surgery = text_of(desk.get(f"{DAY_PAGE}&room={Location.objects.get(name='Surgery').pk}"))
    assert ["Implant" in surgery, "Crown" in surgery] == [True, False]
    assert '<ol class="day-column" aria-label="Dr Shaham">' not in surgery
    assert desk.get(f"{DAY_PAGE}&room={builders.location().pk}").status_code == 404


def test_extra_hours_are_in_the_room_that_they_name(patient: Patient, doctor: Practitioner) -> None:
    room = builders.location(doctor.clinic, name="Annexe")
    on = date(2026, 3, 11)
    extra = ScheduleException(
        practitioner=doctor, kind="extra", first_on=on, last_on=on, start=time(9), end=time(10), location=room
    )
    add_exception(extra, now=NOW, by=builders.user(at=doctor.clinic))
    visit = visit_at(patient, doctor, TOMORROW_9 + DAY)
    assert room_names_of([visit], doctor.clinic) == {visit.pk: "Annexe"}


def test_a_clinic_with_one_room_hears_of_none() -> None:
    visit = builders.appointment()
    assert room_names_of([visit], visit.clinic) == {}
