"""The week: the list that works everywhere, what the picture is fed with, and a visit dragged in it."""

import pytest
from django.test import Client
from django.utils import translation

from appointments.actions import Visit
from appointments.keeping import keep_for_minutes
from appointments.models import Appointment, Practitioner
from appointments.pictures import week_of
from patients.models import Patient
from tests import builders
from tests.appointments.pages import DAY, MINUTE, TOMORROW_9, questions, said, text_of, visit_at
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]
WEEK = "/calendar/week/?on=2026-03-10"
FEED = "/calendar/feed/?start=2026-03-08T00:00:00&end=2026-03-15T00:00:00"


@pytest.mark.parametrize(
    ("country", "first", "words"),
    [
        ("IL", "2026-03-08", "From 8 March to 14 March 2026"),
        ("RU", "2026-03-09", "From 9 March to 15 March 2026"),
    ],
)
def test_a_week_begins_as_the_clinics_country_begins_it(country: str, first: str, words: str) -> None:
    clinic = builders.clinic(country=country)
    assert {str(week_of((NOW + n * DAY).date(), clinic)) for n in range(3)} == {first}
    desk = Client()
    desk.force_login(builders.user(at=clinic))
    assert words in text_of(desk.get(WEEK))
    with translation.override("ru"):
        assert {str(week_of((NOW + n * DAY).date(), clinic)) for n in range(3)} == {first}
    in_russian = desk.get(WEEK, headers={"accept-language": "ru"}).content.decode()
    assert f'data-first-day="{1 if country == "RU" else 0}"' in in_russian


def test_the_list_has_a_move_for_every_visit_that_can_be_dragged(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    booked = visit_at(patient, doctor, TOMORROW_9)
    done = visit_at(patient, doctor, NOW - 30 * MINUTE, "fulfilled")
    page = text_of(desk.get(WEEK))
    assert "From 8 March to 14 March 2026" in page
    assert f"/appointments/{booked.public_id}/move/" in page
    assert f"/appointments/{done.public_id}/move/" not in page
    drawn = {each["id"]: each for each in desk.get(FEED).json()}
    assert drawn[str(booked.public_id)]["editable"] is True
    assert drawn[str(done.public_id)]["editable"] is False


def test_the_picture_reads_the_clinics_clock_and_says_what_is_held(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    visit_at(patient, doctor, TOMORROW_9, "pending", hold_until=TOMORROW_9)
    builders.appointment()  # another clinic's
    (drawn,) = desk.get(FEED).json()
    assert (drawn["start"], drawn["end"]) == ("2026-03-10T09:00", "2026-03-10T09:30")
    assert (drawn["title"], drawn["classNames"]) == ("Dana Levi · held · Dr Cohen", ["week-held"])
    lines = drawn["extendedProps"]
    assert (lines["who"], lines["doctor"], lines["words"]) == ("Dana Levi", "Dr Cohen", "held")
    assert desk.get(f"{FEED}&doctor={builders.practitioner(doctor.clinic).pk}").json() == []


def test_a_time_kept_for_minutes_names_who_keeps_it_and_is_not_dragged(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    rina = builders.user(at=doctor.clinic)
    keep_for_minutes(Visit(patient, doctor, TOMORROW_9, 30), now=NOW, by=rina)
    (drawn,) = desk.get(FEED).json()
    assert (drawn["title"], drawn["editable"]) == ("Rina · being booked · Dr Cohen", False)
    assert "Dana" not in text_of(desk.get(WEEK))


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "start=2026-03-08",
        "start=x&end=y",
        "start=2026-03-08&end=2027-03-08",
        "start=2026-03-08&end=2026-03-08",
    ],
)
def test_a_range_that_is_none_is_a_page_that_is_not(desk: Client, doctor: Practitioner, asked: str) -> None:
    assert desk.get(f"/calendar/feed/?{asked}").status_code == 404


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_week_asks_the_same_for_two_hundred_visits_as_for_one(
    desk: Client, patient: Patient, doctor: Practitioner, rows: int
) -> None:
    for n in range(rows):
        visit_at(patient, doctor, TOMORROW_9 + n * MINUTE, minutes=1)
    assert questions(desk, WEEK) == 5  # doctors, visits and their version, opening hours, my save
    assert questions(desk, FEED) == 1


def test_a_dragged_visit_moves(desk: Client, patient: Patient, doctor: Practitioner) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    (drawn,) = desk.get(FEED).json()
    props = drawn["extendedProps"]
    answer = desk.post(props["drop"], {"start": "2026-03-11T10:30", "seen": props["seen"]})
    assert answer.headers["Location"] == "/calendar/week/?on=2026-03-11"
    assert said(answer) == ["Moved to Wed 11 Mar 10:30. Tell the patient, and repeat the date aloud."]
    visit.refresh_from_db()
    assert visit.start == TOMORROW_9 + DAY + 90 * MINUTE
    again = desk.post(props["drop"], {"start": "2026-03-12T10:30", "seen": props["seen"]})
    assert said(again)[-1] == "This visit was changed by somebody else meanwhile."


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("2026-03-10T10:00", "Tue 10 Mar 10:00 with Dr Cohen is booked for Noa Levi."),
        ("2026-03-10T20:00", "is outside the hours of Dr Cohen"),
        ("2026-03-10T09:05", "is outside the hours of Dr Cohen"),
        ("2026-03-08T09:00", "This time has passed."),
    ],
)
def test_a_visit_dragged_where_it_cannot_be_stays_with_the_reason(
    desk: Client, patient: Patient, doctor: Practitioner, start: str, words: str
) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    noa = builders.patient(doctor.clinic, given_name="Noa", phone="")
    visit_at(noa, doctor, TOMORROW_9 + 60 * MINUTE)
    (message,) = said(desk.post(f"/appointments/{visit.public_id}/drop/", {"start": start}))
    assert words in message
    assert Appointment.objects.get(pk=visit.pk).start == TOMORROW_9


@pytest.mark.parametrize("start", ["", "soon", "9999-01-01T09:00"])
def test_a_drop_nowhere_is_a_page_that_is_not(
    desk: Client, patient: Patient, doctor: Practitioner, start: str
) -> None:
    visit = visit_at(patient, doctor, TOMORROW_9)
    assert desk.post(f"/appointments/{visit.public_id}/drop/", {"start": start}).status_code == 404
