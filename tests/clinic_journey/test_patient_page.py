"""The patient's own page: reading changes nothing, a pressed button counts, and any bad link looks alike."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from appointments.models import Appointment
from journeys import actions
from journeys.actions import NewJourney
from journeys.models import Journey, Step, StepKind
from outreach.links import path_for
from outreach.models import Reply
from outreach.rendering import date_words
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def journey() -> Journey:
    call_command("load_catalogue", verbosity=0)
    journey = actions.start_journey(builders.patient(language="en"), NewJourney("imaging_treatment"), now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.AWAIT_RESULT), "received", now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.REVIEW), "treat", now=NOW)
    builders.appointment(journey.patient, step=journey.steps.get(kind=StepKind.VISIT))
    return journey


def test_a_browser_may_answer_with_all_checks_on(journey: Journey) -> None:
    """A page that hides its address from itself has its own answers refused as forged."""
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(path_for(journey))
    assert page["Referrer-Policy"] == "same-origin"
    assert 'content="no-referrer"' not in page.content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert token is not None
    said = {"meaning": "confirm", "csrfmiddlewaretoken": token[1]}
    answer = browser.post(f"{path_for(journey)}answer/", said, headers={"origin": "http://testserver"})
    assert answer.status_code == 302
    assert Appointment.objects.get().confirmed_at == NOW


def test_reading_changes_nothing_and_is_kept_by_nobody(journey: Journey) -> None:
    before = list(Step.objects.values())
    for read in (Client().get, Client().head):
        page = read(path_for(journey))
        assert (page.status_code, page["Cache-Control"]) == (200, "no-store")
    assert list(Step.objects.values()) == before
    assert not Reply.objects.exists()


def test_the_page_says_nothing_clinical_and_no_family_name(journey: Journey) -> None:
    Journey.objects.update(title="Tooth 36 extraction")
    words = Client().get(path_for(journey)).content.decode()
    assert "Dana" in words
    assert "Levi" not in words
    assert "extraction" not in words


@pytest.mark.parametrize("language", ["en", "he", "ru", "ar"])
def test_the_page_is_small_and_in_the_language_asked_for(journey: Journey, language: str) -> None:
    page = Client().get(f"{path_for(journey)}?lang={language}")
    assert f'lang="{language}"' in page.content.decode()
    assert len(page.content) < 20_000


def test_links_that_are_forged_revoked_or_old_look_alike(journey: Journey) -> None:
    forged = path_for(journey)[:-5] + "AAAA/"
    pages = [Client().get(forged)]
    old = path_for(journey)
    Journey.objects.update(link_version=2)
    pages.append(Client().get(old))
    Journey.objects.update(link_version=1, status="completed", ended_at=NOW - timedelta(days=31))
    pages.append(Client().get(old))
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1


@pytest.mark.parametrize("said", [{}, {"meaning": "hack"}, {"meaning": "ask", "body": "  "}])
def test_nonsense_leads_back_to_the_page(journey: Journey, said: dict[str, str]) -> None:
    answer = Client().post(f"{path_for(journey)}answer/", said)
    assert answer.status_code == 302
    assert not Reply.objects.exists()


def test_a_visit_is_at_its_time_and_not_due_by_it(journey: Journey) -> None:
    when = date_words(Appointment.objects.get().start, journey.clinic.time_zone, "en")
    page = Client().get(path_for(journey)).content.decode()
    assert re.search(rf"Your visit</b>\s*<span>{when}</span>", page)


def test_every_time_the_page_offers_for_a_held_visit_can_be_taken(journey: Journey) -> None:
    Appointment.objects.all().delete()
    waiting = builders.step(journey, kind=StepKind.AWAIT_RESULT, due_at=NOW + timedelta(days=1))
    start = NOW + timedelta(days=3)
    held = builders.appointment(
        journey.patient, start=start, status="pending", awaits=waiting, hold_until=start - timedelta(days=1)
    )
    for hours in range(0, 96, 3):
        builders.open_time(held.practitioner, NOW + timedelta(hours=hours), minutes=30)
    page = Client().get(f"{path_for(journey)}?times=1").content.decode()
    offered = re.findall(r'name="start" value="(2026[^"]+)"', page)
    assert len(offered) > 1
    assert 'value="cannot_come"' not in page
    for choice in offered:
        said = {"meaning": "another_time", "start": choice}
        assert Client().post(f"{path_for(journey)}answer/", said).status_code == 302
        held.refresh_from_db()
        assert (held.start.isoformat(), held.status) == (choice, "pending")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ru", "до понедельника, 9 марта, 19:00"),
        ("en", "by Monday 9 March, 19:00"),
        ("he", "יום שני 9 במרץ בשעה 19:00"),
    ],
)
def test_the_page_names_a_deadline_as_the_messages_do(language: str, words: str) -> None:
    call_command("load_catalogue", verbosity=0)
    journey = actions.start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.AWAIT_RESULT), "received", now=NOW)
    assert journey.steps.get(kind=StepKind.REVIEW).due_at == NOW + timedelta(hours=9)
    page = Client().get(f"{path_for(journey)}?lang={language}").content.decode()
    assert words in page
