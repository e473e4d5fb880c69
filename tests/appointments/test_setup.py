"""The managers' pages: hours with their exceptions, types of visit, and who may open them."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from appointments.models import Practitioner, ScheduleException, VisitType
from journeys.models import Step, StepKind
from patients.models import Patient, Role
from tests import builders
from tests.appointments.pages import TOMORROW_9, questions, said, text_of, visit_at
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]


@pytest.fixture
def manager(doctor: Practitioner) -> Client:
    client = Client()
    client.force_login(builders.user(Role.MANAGER, at=doctor.clinic))
    return client


def away(**fields: str) -> dict[str, str]:
    return {"kind": "away", "first_on": "2026-03-10", "because": "a course", **fields}


@pytest.mark.parametrize("path", ["/schedules/", "/visit-types/", "/referrals/refused-holds/"])
@pytest.mark.parametrize("role", Role.values)
def test_managers_alone_set_up(doctor: Practitioner, path: str, role: str) -> None:
    client = Client()
    client.force_login(builders.user(role, at=doctor.clinic))
    expected = 200 if role in {Role.MANAGER, Role.ADMIN} else 403
    assert client.get(path).status_code == expected


def test_days_away_are_saved_shown_and_removed(
    manager: Client, doctor: Practitioner, patient: Patient
) -> None:
    visit_at(patient, doctor, TOMORROW_9)
    answer = manager.post(f"/schedules/{doctor.pk}/exceptions/", away())
    assert said(answer) == [
        "Saved. 1 visit lost its hours: the desk is asked to move it, and the patient is told."
    ]
    page = text_of(manager.get(f"/schedules/?doctor={doctor.pk}"))
    assert "a course" in page
    assert "Visits that stand outside the hours" in page
    assert "<bdi>Dana Levi</bdi>" in page
    assert Step.objects.filter(kind=StepKind.BOOK).count() == 1
    made = ScheduleException.objects.get()
    assert (made.first_on, made.last_on, made.made_at) == (date(2026, 3, 10), date(2026, 3, 10), NOW)
    manager.post(f"/schedules/exceptions/{made.pk}/remove/")
    assert not ScheduleException.objects.exists()
    assert doctor.slots.filter(start=TOMORROW_9, is_closed=False).exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"first_on": ""}, "This field is required."),
        ({"first_on": "0026-03-10"}, "Ensure this value is greater than or equal to"),
        ({"last_on": "2026-03-09"}, "The end must be after the start."),
        ({"last_on": "2030-03-09"}, "An exception lasts a year at most."),
        ({"start": "10:00"}, "Say from when to when."),
        ({"start": "10:00", "end": "09:00"}, "The end must be after the start."),
        ({"kind": "extra"}, "Say from when to when."),
        ({"kind": "extra", "start": "14:00", "end": "16:00"}, "Say in which room."),
        ({"kind": "ill"}, "Select a valid choice."),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason_and_nothing_typed_is_lost(
    manager: Client, doctor: Practitioner, fields: dict[str, str], words: str
) -> None:
    answer = manager.post(f"/schedules/{doctor.pk}/exceptions/", away(**fields))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert 'value="a course"' in text_of(answer)
    assert not ScheduleException.objects.exists()


def test_weekly_hours_are_added_and_ended(manager: Client, doctor: Practitioner) -> None:
    room = builders.location(doctor.clinic)
    fields = {
        "weekday": "4",
        "start": "09:00",
        "end": "11:00",
        "location": str(room.pk),
        "valid_from": "2026-03-09",
    }
    answer = manager.post(f"/schedules/{doctor.pk}/hours/", fields)
    assert said(answer) == ["Saved. The calendar holds it already."]
    rule = doctor.schedules.get(weekday=4)
    assert rule.slots.filter(start__date=date(2026, 3, 13)).count() == 12
    manager.post(f"/schedules/hours/{rule.pk}/end/", {"last_on": "2026-03-09"})
    assert not rule.slots.filter(start__date=date(2026, 3, 13)).exists()
    wrong = manager.post(f"/schedules/hours/{rule.pk}/end/", {"last_on": "soon"}, follow=True)
    assert "Choose the last day on which these hours hold." in text_of(wrong)


def test_a_room_that_somebody_has_is_refused_in_words_here_and_in_the_admin(
    manager: Client, doctor: Practitioner
) -> None:
    room = doctor.schedules.get(weekday=1).location
    colleague = builders.practitioner(doctor.clinic, name="Dr Shaham")
    fields = {"weekday": "1", "start": "09:00", "end": "11:00", "location": str(room.pk)}
    fields["valid_from"] = "2026-03-09"
    answer = manager.post(f"/schedules/{colleague.pk}/hours/", fields)
    assert f"Dr Cohen has {room.name} then, first on Tue 10 Mar 09:00." in text_of(answer)
    manager.force_login(User.objects.create_superuser("root", password="x"))
    inline = {f"schedules-0-{name}": value for name, value in fields.items()}
    inline |= {"schedules-TOTAL_FORMS": "1", "schedules-INITIAL_FORMS": "0"}
    own = {"name": colleague.name, "clinic": str(doctor.clinic_id), "is_active": "on"}
    change = reverse("admin:appointments_practitioner_change", args=[colleague.pk])
    refused = manager.post(change, own | inline)
    assert refused.status_code == 200
    assert f"Dr Cohen has {room.name} then" in text_of(refused)
    assert not colleague.schedules.exists()


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_page_of_hours_asks_the_same_for_many_rows(
    manager: Client, doctor: Practitioner, patient: Patient, rows: int
) -> None:
    for n in range(rows):
        on = date(2026, 3, 20) + timedelta(days=n)
        doctor.exceptions.create(kind="away", first_on=on, last_on=on, made_at=NOW)
        if n:
            builders.practitioner(doctor.clinic)
    # doctors; hours, exceptions, visits outside; rooms for two forms
    assert questions(manager, f"/schedules/?doctor={doctor.pk}") == 5


def test_a_type_is_added_and_changed(manager: Client, doctor: Practitioner) -> None:
    fields: dict[str, Any] = {"name_en": "Check-up", "name_he": "ביקורת", "minutes": "20", "is_active": "on"}
    assert manager.post("/visit-types/", fields).status_code == 302
    made = VisitType.objects.get()
    assert (made.clinic, made.names) == (doctor.clinic, {"en": "Check-up", "he": "ביקורת"})
    assert manager.post(f"/visit-types/{made.pk}/", {**fields, "minutes": "25"}).status_code == 422
    assert "choose a multiple of it" in text_of(manager.post("/visit-types/", {**fields, "minutes": "250"}))
    unnamed = manager.post("/visit-types/", {"minutes": "20"})
    assert "Name it in at least one language." in text_of(unnamed)
    manager.post(f"/visit-types/{made.pk}/", {"name_ru": "Осмотр", "minutes": "30"})
    made.refresh_from_db()
    assert (made.names, made.minutes, made.is_active) == ({"ru": "Осмотр"}, 30, False)
    assert "Осмотр" in text_of(manager.get("/visit-types/"))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_of_types_asks_the_same_for_many(manager: Client, doctor: Practitioner, rows: int) -> None:
    for _n in range(rows):
        builders.visit_type(doctor.clinic)
    assert questions(manager, "/visit-types/") == 1
