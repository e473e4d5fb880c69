"""What changed since a page was made is told there as a line to press; the page itself moves nothing."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from appointments import actions
from appointments.actions import Visit
from appointments.keeping import keep_for_minutes
from appointments.models import Appointment, Practitioner
from appointments.waitlist import leave
from clinic_journey.desk import UNDO_FOR
from journeys.actions import complete_step
from patients.models import Patient
from tests import builders
from tests.appointments.pages import DAY, MINUTE
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
SOON = NOW + 60 * MINUTE
DAY_PAGE, WEEK_PAGE = f"/calendar/?on={NOW.date()}", f"/calendar/week/?on={NOW.date()}"


@pytest.fixture
def patient() -> Patient:
    return builders.patient()


@pytest.fixture
def doctor(patient: Patient) -> Practitioner:
    return builders.practitioner(patient.clinic)


@pytest.fixture
def visit(patient: Patient, doctor: Practitioner) -> Appointment:
    step = builders.step(builders.journey(patient), kind="visit", due_at=SOON + 30 * MINUTE)
    return builders.appointment(patient, practitioner=doctor, start=SOON, step=step)


@pytest.fixture
def desk(patient: Patient) -> Client:
    client = Client()
    client.force_login(builders.user(at=patient.clinic))
    return client


def asks(desk: Client, page: str) -> str:
    """The address that the page asks again and again."""
    found = re.search(r'id="changed"[^>]* hx-get="([^"]+)"', desk.get(page).content.decode())
    assert found, f"{page} does not ask"
    return unescape(found[1])


def is_told(answer: Any) -> bool:
    return '<a class="btn"' in answer.content.decode()


ACTS: dict[str, Callable[[Appointment], object]] = {
    "arrived": lambda visit: actions.arrive(visit, now=NOW),
    "cancelled": lambda visit: actions.cancel(visit, because="ill", now=NOW),
    "confirmed": lambda visit: actions.confirm(visit, now=NOW),
    "moved": lambda visit: actions.move(visit, start=SOON + 60 * MINUTE, now=NOW),
    "booked": lambda visit: builders.appointment(
        builders.patient(visit.clinic, phone=""), practitioner=visit.practitioner, start=SOON + 30 * MINUTE
    ),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("page", [DAY_PAGE, WEEK_PAGE])
def test_what_becomes_of_a_visit_is_told_once_on_the_day_and_the_week(
    desk: Client, visit: Appointment, page: str, act: str
) -> None:
    builders.open_time(visit.practitioner, SOON, minutes=120)
    asked = asks(desk, page)
    quiet = desk.get(asked)
    assert not is_told(quiet)
    assert desk.get(asked, headers={"HX-PTag": quiet["HX-PTag"]}).status_code == 304
    ACTS[act](visit)
    told = desk.get(asked, headers={"HX-PTag": quiet["HX-PTag"]})
    assert is_told(told)
    assert 'data-key="KeyR"' in told.content.decode()
    assert desk.get(asked, headers={"HX-PTag": told["HX-PTag"]}).status_code == 304
    assert not is_told(desk.get(asks(desk, page)))


def test_a_day_hears_of_itself_alone(desk: Client, visit: Appointment, doctor: Practitioner) -> None:
    other = builders.practitioner(visit.clinic, name="Dr Shaham")
    tomorrow, of_other = (
        asks(desk, page)
        for page in (f"/calendar/?on={(NOW + DAY).date()}", f"{DAY_PAGE}&doctor={other.pk}&list=1")
    )
    actions.arrive(visit, now=NOW)
    builders.appointment(start=SOON)  # another clinic's
    assert not is_told(desk.get(tomorrow))
    assert not is_told(desk.get(of_other))


def test_a_time_kept_for_minutes_is_told_at_the_free_times_alone(
    desk: Client, patient: Patient, doctor: Practitioner
) -> None:
    builders.open_time(doctor, SOON)
    asked = asks(desk, DAY_PAGE)
    keep_for_minutes(Visit(patient, doctor, SOON, 30), now=NOW, by=builders.user(at=patient.clinic))
    assert not is_told(desk.get(asked))


def test_the_record_tells_that_a_result_has_arrived_and_what_became_of_a_step(
    desk: Client, patient: Patient
) -> None:
    page = f"/patients/{patient.public_id}/"
    referral = builders.referral(patient)
    asked = asks(desk, page)
    assert not is_told(desk.get(asked))
    referral.results.create(document=builders.document(patient.clinic), source_id="x", received_at=NOW)
    told = desk.get(asked)
    assert is_told(told)
    assert "data-key" not in told.content.decode()  # R refers, on this page
    asked = asks(desk, page)
    complete_step(builders.step(builders.journey(patient)), "booked", now=NOW)
    assert is_told(desk.get(asked))


def test_the_waiting_list_tells_who_came_and_went_and_what_was_answered(
    desk: Client, patient: Patient
) -> None:
    entry = builders.waiting_entry(patient)
    asked = asks(desk, "/waiting/")
    assert not is_told(desk.get(asked))
    freed = builders.opening(builders.practitioner(patient.clinic), NOW + 2 * DAY, wave=1)
    offer = builders.offer(freed, entry)
    assert is_told(desk.get(asked))
    asked = asks(desk, "/waiting/")
    type(offer).objects.update(status="declined", ended_at=NOW + UNDO_FOR)
    assert is_told(desk.get(asked))
    asked = asks(desk, "/waiting/")
    entry.refresh_from_db()
    leave(entry, now=NOW)
    assert is_told(desk.get(asked))


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "what=nothing",
        "what=days",
        "what=days&of=x.y.z",
        "what=days&of=0001-01-01.0001-01-02.",
        "what=record",
    ],
)
def test_nonsense_is_a_page_that_is_not(desk: Client, asked: str) -> None:
    assert desk.get(f"/page-changed/?{asked}").status_code == 404


def test_another_clinics_patient_is_not_told_of(desk: Client) -> None:
    stranger = builders.patient()
    assert desk.get(f"/page-changed/?what=record&of={stranger.public_id}").status_code == 404
