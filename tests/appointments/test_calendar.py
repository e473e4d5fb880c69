"""The calendar of a day, through HTTP as the desk uses it."""

import re
from datetime import date, time
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client

from appointments.actions import fill_slots
from appointments.models import Practitioner
from patients.models import ClosedDay, Patient
from tests import builders
from tests.appointments.pages import MINUTE, TOMORROW_9, questions, text_of, visit_at
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]
TODAY = date(2026, 3, 9)


def test_calendar_puts_visits_into_the_rows_of_their_time(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit = visit_at(patient, doctor, NOW + 30 * MINUTE, title="Crown")
    page = text_of(desk.get("/calendar/"))
    link = f'<li class="r10 s3"> <a class="visit visit-booked" href="/appointments/{visit.public_id}/">'
    assert f"{link}<b>10:30</b> <bdi>Dana Levi</bdi> <small><bdi>Crown</bdi></small></a>" in page
    assert '<li class="day-now r7" aria-hidden="true">' in page
    assert '<li class="r1">09:00</li><li class="r7">10:00</li>' in page


def test_calendar_shows_a_hold_hatched_and_says_so(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit_at(patient, doctor, TOMORROW_9, "pending", hold_until=TOMORROW_9)
    page = text_of(desk.get("/calendar/?on=2026-03-10"))
    assert '<a class="visit visit-held"' in page
    assert "<small>held<bdi></bdi></small>" in page


def test_free_time_is_a_link_to_book_and_the_past_is_not(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit_at(patient, doctor, NOW + 20 * MINUTE, minutes=20)
    page = text_of(desk.get(f"/calendar/?patient={patient.public_id}&step={uuid4()}"))
    links = re.findall(r'class="free" href="([^"]+)"> ?<span[^>]*>[^<]*</span> (\d\d:\d\d)', page)
    assert [at for _href, at in links] == ["10:00", "10:40", "11:00", "11:30"]
    assert links[0][0].startswith(
        f"/patients/{patient.public_id}/book/?at={quote('2026-03-09T08:00:00+00:00', safe='')}&amp;doctor="
    )


def test_free_time_at_which_the_patient_cannot_come_says_so(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    builders.comes(patient, (0, time(11), time.max))
    page = text_of(desk.get(f"/calendar/?patient={patient.public_id}"))
    found = re.findall(
        r'class="(free[^"]*)"[^>]*> ?<span[^>]*>[^<]*</span> (\d\d:\d\d)( <small>outside)?', page
    )
    assert [(at, bool(words)) for _look, at, words in found] == [
        ("10:00", True),
        ("10:30", True),
        ("11:00", False),
        ("11:30", False),
    ]
    assert [look for look, _at, _words in found] == ["free free-outside"] * 2 + ["free"] * 2
    assert "outside" not in text_of(desk.get("/calendar/"))


def test_free_time_without_a_patient_asks_for_whom(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    builders.patient(doctor.clinic, given_name="Noa", family_name="Peretz", phone="")
    at = quote(TOMORROW_9.isoformat())
    page = text_of(desk.get(f"/calendar/?at={at}&doctor={doctor.pk}&whom=levi"))
    assert "Book 09:00: for whom?" in page
    assert f'href="/patients/{patient.public_id}/book/?at=2026-03-10T07%3A00%3A00%2B00%3A00&amp;' in page
    assert "Peretz" not in page


def test_closed_day_says_its_name_and_the_next_day_with_hours(desk: Client, doctor: Practitioner) -> None:
    ClosedDay.objects.create(clinic=doctor.clinic, on=date(2026, 3, 10), name="Purim")
    fill_slots(NOW, days=9)
    page = text_of(desk.get("/calendar/?on=2026-03-10"))
    assert "<bdi>Purim</bdi>: the clinic is closed." in page
    assert "The next day with hours is Wednesday 11 March." in page


def test_eve_says_when_the_clinic_closes(desk: Client, doctor: Practitioner) -> None:
    ClosedDay.objects.create(clinic=doctor.clinic, on=TODAY, name="Erev Purim", closes_at=time(11))
    assert "<bdi>Erev Purim</bdi>: the clinic closes at 11:00." in text_of(desk.get("/calendar/"))


@pytest.mark.parametrize(
    ("language", "before", "after"), [("en", "ArrowLeft", "ArrowRight"), ("he", "ArrowRight", "ArrowLeft")]
)
def test_arrow_keys_follow_the_direction_of_reading(
    desk: Client, language: str, before: str, after: str
) -> None:
    desk.cookies["django_language"] = language
    page = text_of(desk.get("/calendar/?on=2026-03-10"))
    assert f'rel="prev" href="?on=2026-03-09" data-key="{before}"' in page
    assert f'rel="next" href="?on=2026-03-11" data-key="{after}"' in page


def test_list_for_paper_names_every_visit_of_the_day(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit_at(patient, doctor, NOW - 60 * MINUTE, "noshow", title="Crown")
    visit_at(patient, doctor, NOW - 60 * MINUTE, "arrived", title="Check")
    visit_at(patient, doctor, NOW, "cancelled", title="Gone")
    page = text_of(desk.get("/calendar/?list=1"))
    assert re.findall(r"<td[^>]*><bdi>(\w+)</bdi></td><td", page) == ["Crown", "Check"]


@pytest.mark.parametrize(
    "query", ["on=yesterday", "on=0001-01-01", "doctor=999999", "doctor=x", "at=9999-12-31T23:59:59Z"]
)
def test_calendar_of_nonsense_is_not_found(desk: Client, query: str) -> None:
    assert desk.get(f"/calendar/?{query}").status_code == 404


def test_calendar_asks_the_same_for_three_visits_as_for_one(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit_at(patient, doctor, TOMORROW_9)
    for extra in (30, 60, 90):
        # doctors, visits and their version, cells, rooms, closed day, my save
        assert questions(desk, "/calendar/?on=2026-03-10") == 7
        other = builders.patient(doctor.clinic, phone="")
        visit_at(other, doctor, TOMORROW_9 + extra * MINUTE, "pending", hold_until=TOMORROW_9)


def test_nobody_sees_the_calendar_without_a_login(client: Client) -> None:
    assert client.get("/calendar/").headers["Location"] == "/login/?next=/calendar/"
