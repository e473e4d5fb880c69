"""Offers on the patient's own page: reading changes nothing, yes and no are pressed, too late loses nothing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from appointments.models import Appointment
from appointments.waiting_models import Offer, WaitlistEntry
from journeys.models import Step, StepKind
from outreach.models import Reply
from tests import builders
from tests.appointments.pages import text_of
from tests.clinic_journey.own_page import OwnPage
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FREE_AT = NOW + 2 * DAY


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def offer() -> Offer:
    entry = builders.waiting_entry(builders.patient(language="en"))
    return builders.offer(builders.opening(builders.practitioner(entry.clinic), FREE_AT), entry)


def page_of(offer: Offer) -> OwnPage:
    return OwnPage(offer.entry.journey)


def say(offer: Offer, word: str, **options: Any) -> Any:
    return page_of(offer).post("offer", {"offer": offer.public_id, "said": word}, **options)


def test_reading_changes_nothing_and_the_answer_is_a_form(offer: Offer) -> None:
    before = list(Offer.objects.values()), list(WaitlistEntry.objects.values()), list(Step.objects.values())
    mine = page_of(offer)
    for read in (mine.browser.get, mine.browser.head):
        assert read(mine.path).status_code == 200
    after = list(Offer.objects.values()), list(WaitlistEntry.objects.values()), list(Step.objects.values())
    assert before == after
    page = text_of(page_of(offer).get())
    assert "A sooner time is free" in page
    assert "Wednesday 11 March, 10:00" in page
    for name in ("offer", "sooner"):
        assert mine.get(f"{name}/").status_code == 405


def test_yes_moves_the_visit_and_yes_again_is_no_error(offer: Offer) -> None:
    for _press in range(2):
        answer = say(offer, "offer_yes")
        assert answer.status_code == 302
        assert "said=offer_yes" in answer["Location"]
    visit = Appointment.objects.get(waiting_entries=offer.entry)
    assert (visit.start, visit.practitioner) == (FREE_AT, offer.opening.practitioner)
    page = text_of(page_of(offer).get("?said=offer_yes"))
    assert "The time is yours" in page
    assert "A sooner time is free" not in page


def test_too_late_keeps_the_date_and_names_what_else_suits(offer: Offer) -> None:
    kept = Appointment.objects.get(waiting_entries=offer.entry)
    builders.appointment(
        builders.patient(offer.entry.clinic, phone=""), practitioner=offer.opening.practitioner, start=FREE_AT
    )
    for n in range(4):
        builders.open_time(kept.practitioner, NOW + (3 + n) * DAY, minutes=30)
    answer = say(offer, "offer_yes")
    assert answer.status_code == 409
    page = text_of(answer)
    assert "This time has just been taken. You keep your date" in page
    assert page.count('type="radio" name="start" value="2026') == 3
    kept.refresh_from_db()
    assert kept.start == NOW + 14 * DAY
    assert WaitlistEntry.objects.get().status == "waiting"
    assert "Somebody else was first" in text_of(page_of(offer).get())


@pytest.mark.parametrize(
    ("word", "status", "words"),
    [
        ("offer_no", "waiting", "you stay on the list"),
        ("offer_no_more", "withdrawn", "unless you ask"),
    ],
)
def test_no_is_one_press(offer: Offer, word: str, status: str, words: str) -> None:
    answer = say(offer, word, follow=True)
    assert words in text_of(answer)
    assert "Yes, I take it" not in text_of(answer)
    assert WaitlistEntry.objects.get().status == status


@pytest.mark.parametrize("fields", [{}, {"said": "offer_yes", "offer": "x"}, {"said": "hack"}])
def test_nonsense_and_other_peoples_offers_lead_back_to_the_page(
    offer: Offer, fields: dict[str, str]
) -> None:
    other = builders.journey(builders.patient(offer.entry.clinic, phone="050-234-9999"))
    for page, data in (
        (page_of(offer), fields),
        (OwnPage(other), {"said": "offer_yes", "offer": offer.public_id}),
    ):
        assert page.post("offer", data).status_code == 302
    assert Offer.objects.get().status == "open"
    assert not Reply.objects.exists()


def test_she_asks_for_a_sooner_time_and_takes_it_back() -> None:
    patient = builders.patient(language="en")
    step = builders.step(builders.journey(patient), kind=StepKind.VISIT, due_at=NOW + 15 * DAY)
    visit = builders.appointment(patient, start=NOW + 14 * DAY, step=step)
    page = OwnPage(step.journey)
    assert "Tell me if a sooner time becomes free" in text_of(page.get())
    for _press in range(2):
        page.post("sooner", {"wants": "yes"})
    entry = WaitlistEntry.objects.get()
    assert (entry.appointment, entry.practitioner, entry.status) == (visit, visit.practitioner, "waiting")
    assert "You are on the waiting list for a sooner time" in text_of(page.get())
    page.post("sooner", {"wants": "no"})
    entry.refresh_from_db()
    assert (entry.status, entry.wants_no_more) == ("withdrawn", True)
    page.post("sooner", {"wants": "yes"})
    assert WaitlistEntry.objects.filter(status="waiting").count() == 1


def test_where_no_time_suits_she_waits_for_a_first_one() -> None:
    step = builders.step(builders.journey(builders.patient(language="en")))
    page = OwnPage(step.journey)
    assert "No time suits me" in text_of(page.get())
    page.post("sooner", {"wants": "yes"})
    assert WaitlistEntry.objects.get().step == step
    assert "You are on the waiting list." in text_of(page.get())


@pytest.mark.parametrize("language", ["en", "he", "ru", "ar"])
def test_the_page_stays_small(offer: Offer, language: str) -> None:
    assert len(page_of(offer).get(f"?lang={language}").content) < 20_000
