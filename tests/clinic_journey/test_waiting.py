"""The waiting list at the desk: the list, one time with whom it suits, answers on the phone, joining and leaving."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.http import urlencode

from appointments.models import Appointment, Practitioner
from appointments.waiting_models import Offer, WaitlistEntry
from journeys.models import StepKind
from tests import builders
from tests.appointments.pages import questions, said, text_of
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FREE_AT = NOW + 2 * DAY


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def doctor() -> Practitioner:
    return builders.practitioner()


@pytest.fixture
def desk(doctor: Practitioner) -> Client:
    client = Client()
    client.force_login(builders.user(at=doctor.clinic))
    return client


def waits(doctor: Practitioner, n: int = 0, **fields: Any) -> WaitlistEntry:
    who = builders.patient(doctor.clinic, phone=f"050-234-{5600 + n}", given_name=f"Patient{n}")
    visit = {"start": NOW + 14 * DAY + n * HOUR, "practitioner": doctor}
    return builders.waiting_entry(who, visit=visit, **{"since_at": NOW - 3 * DAY + n * HOUR, **fields})


def time_path(doctor: Practitioner, at: datetime = FREE_AT) -> str:
    return f"/waiting/time/?{urlencode({'doctor': str(doctor.pk), 'at': at.isoformat()})}"


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_list_asks_the_same_whatever_its_length(doctor: Practitioner, desk: Client, rows: int) -> None:
    for n in range(rows):
        opening = builders.opening(doctor, FREE_AT + n * HOUR, wave=1)
        builders.offer(opening, waits(doctor, n, since_at=NOW))
    assert questions(desk, "/waiting/") == 8  # three of them for the version


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_of_a_time_asks_the_same_whomever_it_suits(
    doctor: Practitioner, desk: Client, rows: int
) -> None:
    opening = builders.opening(doctor, FREE_AT, wave=1)
    for n in range(rows):
        waits(doctor, n)
        builders.offer(opening, waits(doctor, 5 + n))
    assert questions(desk, time_path(doctor)) == 7


def test_the_list_says_who_waits_for_what_and_what_was_answered(doctor: Practitioner, desk: Client) -> None:
    entry = waits(doctor)
    opening = builders.opening(doctor, FREE_AT, wave=1, wave_from=NOW + HOUR / 4)
    builders.offer(opening, entry, status="declined", ended_at=NOW)
    builders.offer(opening, waits(doctor, 1), status="accepted", ended_at=NOW)
    page = text_of(desk.get("/waiting/"))
    assert "sooner than Mon 23 Mar, 10:00" in page
    assert "The next are asked in 15 minutes, Mon 9 Mar, 10:15." in page
    assert "Offers in 30 days: 2, of them accepted: 1" in page
    assert "50%" in page


def test_an_empty_list_says_how_one_gets_on_it(desk: Client) -> None:
    assert "Nobody waits." in text_of(desk.get("/waiting/"))


def test_pages_go_on_after_the_last_one_seen(doctor: Practitioner, desk: Client) -> None:
    entries = [waits(doctor, n) for n in range(3)]
    page = text_of(desk.get(f"/waiting/?after={entries[1].public_id}"))
    assert [f"Patient{n} " in page for n in range(3)] == [False, False, True]
    assert desk.get("/waiting/?after=nonsense").status_code == 200


def test_a_free_time_is_offered_to_the_chosen_with_one_press(doctor: Practitioner, desk: Client) -> None:
    first, second = waits(doctor, 0), waits(doctor, 1)
    builders.open_time(doctor, FREE_AT)
    page = text_of(desk.get(time_path(doctor)))
    assert page.count("checked") == 2
    assert page.index("Patient0") < page.index("Patient1")
    answer = desk.post(time_path(doctor), {"entry": [second.pk, "x", "9" * 30]})
    assert said(answer) == ["Offered to 1. The first yes gets it."]
    assert Offer.objects.get().entry == second
    page = text_of(desk.get(time_path(doctor)))
    assert "no answer yet" in page
    assert f'value="{first.pk}"' in page
    assert f'value="{second.pk}"' not in page


def test_a_time_that_is_taken_or_nonsense_says_so(doctor: Practitioner, desk: Client) -> None:
    assert "This time cannot be offered" in text_of(desk.get(time_path(doctor)))
    assert said(desk.post(time_path(doctor), {"entry": "1"})) == [
        "This time is not free any more, or too near to be offered."
    ]
    for address in ("/waiting/time/", "/waiting/time/?doctor=x&at=y", time_path(builders.practitioner())):
        assert desk.get(address).status_code == 404


@pytest.mark.parametrize(
    ("word", "status", "words"),
    [
        ("offer_yes", "accepted", "Booked. Repeat the date aloud."),
        ("offer_no", "declined", "Noted. This time is not offered to this patient again."),
    ],
)
def test_the_answer_on_the_phone(
    doctor: Practitioner, desk: Client, word: str, status: str, words: str
) -> None:
    offer = builders.offer(builders.opening(doctor, FREE_AT), waits(doctor))
    path = f"/waiting/offers/{offer.public_id}/"
    assert said(desk.post(path, {"said": word})) == [words]
    offer.refresh_from_db()
    assert offer.status == status
    assert Appointment.objects.filter(start=FREE_AT).exists() == (status == "accepted")
    assert desk.post(path, {"said": "perhaps"}).status_code == 404


def test_the_phones_yes_that_is_too_late_is_told(doctor: Practitioner, desk: Client) -> None:
    offer = builders.offer(builders.opening(doctor, FREE_AT), waits(doctor))
    builders.appointment(builders.patient(doctor.clinic, phone=""), practitioner=doctor, start=FREE_AT)
    (words,) = said(desk.post(f"/waiting/offers/{offer.public_id}/", {"said": "offer_yes"}))
    assert words == "This time has just been taken. You keep your date, and your place on the list."


def test_wants_sooner_from_the_page_of_the_visit(doctor: Practitioner, desk: Client) -> None:
    visit = builders.appointment(builders.patient(doctor.clinic), practitioner=doctor, start=NOW + 14 * DAY)
    path = f"/patients/{visit.patient.public_id}/wait/?visit={visit.public_id}"
    assert path in desk.get(f"/appointments/{visit.public_id}/").content.decode()
    assert "keeps Monday 23 March, 10:00" in text_of(desk.get(path))
    answer = desk.post(path, {"practitioner": "", "earliest_on": "", "latest_on": "2026-03-20"})
    assert said(answer) == ["On the waiting list. The patient is asked when a time becomes free."]
    entry = WaitlistEntry.objects.get()
    assert (entry.appointment, entry.practitioner, entry.minutes) == (visit, None, 30)
    assert "On the waiting list since" in text_of(desk.get(path))
    desk.post(f"/waiting/{entry.public_id}/leave/", {"no_more": "1"})
    assert "asked not to be offered anything sooner" in text_of(desk.get(path))


def test_no_time_suits_leads_from_booking_to_the_list(doctor: Practitioner, desk: Client) -> None:
    step = builders.step(builders.journey(builders.patient(doctor.clinic)))
    patient = step.journey.patient
    assert patient is not None
    page = desk.get(f"/patients/{patient.public_id}/book/?step={step.public_id}").content.decode()
    path = f"/patients/{patient.public_id}/wait/?minutes=30&doctor={doctor.pk}&step={step.public_id}"
    assert path.replace("&", "&amp;") in page
    desk.post(path, {"practitioner": doctor.pk, "minutes": 40})
    entry = WaitlistEntry.objects.get()
    assert (entry.step, entry.practitioner, entry.minutes) == (step, doctor, 40)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"latest_on": "2026-03-01"}, "This day is over. Choose one that is still to come."),
        ({"earliest_on": "2026-03-20", "latest_on": "2026-03-19"}, "It ends before it begins."),
        ({"earliest_on": "9999-01-01"}, "less than or equal to"),
        ({"minutes": "7"}, "not one of the available choices"),
    ],
)
def test_nonsense_is_said_in_words_and_nothing_typed_is_lost(
    doctor: Practitioner, desk: Client, fields: dict[str, str], words: str
) -> None:
    patient = builders.patient(doctor.clinic)
    answer = desk.post(f"/patients/{patient.public_id}/wait/", {"minutes": "30", **fields})
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert all(value in text_of(answer) for value in fields.values() if "-" in value)
    assert not WaitlistEntry.objects.exists()


def test_todays_call_about_an_offer_has_the_two_answers(doctor: Practitioner, desk: Client) -> None:
    offer = builders.offer(builders.opening(doctor, FREE_AT), waits(doctor))
    builders.attempt(builders.task(offer.step, message_key="sooner_time", plan_from=None), channel="phone")
    page = text_of(desk.get(f"/today/{offer.step.public_id}/panel/"))
    assert f"/waiting/offers/{offer.public_id}/" in page
    assert offer.step.kind == StepKind.AWAIT_PATIENT
    assert 'name="next" value="/today/"' in page
    answered = desk.post(f"/waiting/offers/{offer.public_id}/", {"said": "offer_no", "next": "/today/"})
    assert answered.headers["Location"] == "/today/"
    elsewhere = desk.post(f"/waiting/offers/{offer.public_id}/", {"said": "offer_no", "next": "//evil/"})
    assert elsewhere.headers["Location"] == "/waiting/"
