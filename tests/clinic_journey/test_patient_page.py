"""The patient's own page: reading changes nothing, a pressed button counts, and any bad link looks alike."""

import re
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment
from journeys import actions
from journeys.actions import NewJourney
from journeys.chases import Promise, make_promise
from journeys.models import Journey, Step, StepKind
from journeys.watch import watch_steps
from outreach.closing import record_death, reopen_record
from outreach.links import path_for
from outreach.models import Reply
from outreach.rendering import date_words
from patients.actions import CardAnswers, save_card
from patients.models import TRIES, AuditEvent, Channel, Patient, PatientStatus
from tests import builders
from tests.clinic_journey.own_page import OwnPage
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
    mine = OwnPage(journey, enforce_csrf_checks=True)
    page = mine.get()
    assert page["Referrer-Policy"] == "same-origin"
    assert 'content="no-referrer"' not in page.content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert token is not None
    said = {"meaning": "confirm", "csrfmiddlewaretoken": token[1]}
    answer = mine.post("answer", said, headers={"origin": "http://testserver"})
    assert answer.status_code == 302
    assert Appointment.objects.get().confirmed_at == NOW


def test_reading_changes_nothing_and_is_kept_by_nobody(journey: Journey) -> None:
    before = list(Step.objects.values())
    browser = Client()
    for read in (browser.get, browser.head):
        entered = read(path_for(journey))
        page = read(entered["Location"])
        assert (entered["Cache-Control"], page.status_code, page["Cache-Control"]) == (
            "no-store",
            200,
            "no-store",
        )
    assert list(Step.objects.values()) == before
    assert not Reply.objects.exists()


def test_the_page_says_nothing_clinical_and_no_family_name(journey: Journey) -> None:
    Journey.objects.update(title="Tooth 36 extraction")
    words = OwnPage(journey).text()
    assert "Dana" in words
    assert "Levi" not in words
    assert "extraction" not in words


def without_its_token(page: Any) -> str:
    """A form's token is another in every page."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.content.decode())


def test_links_that_are_forged_revoked_or_old_look_alike(journey: Journey) -> None:
    forged = path_for(journey)[:-5] + "AAAA/"
    pages = [Client().get(forged)]
    old = path_for(journey)
    Journey.objects.update(link_version=2)
    pages.append(Client().get(old))
    Journey.objects.update(link_version=1, status="completed", ended_at=NOW - timedelta(days=31))
    pages.append(Client().get(old))
    assert {page.status_code for page in pages} == {404}
    assert len({without_its_token(page) for page in pages}) == 1
    assert "tel:+97235550142" in pages[0].content.decode()


@pytest.mark.parametrize("said", [{}, {"meaning": "hack"}, {"meaning": "ask", "body": "x"}])
def test_nonsense_leads_back_to_the_page(journey: Journey, said: dict[str, str]) -> None:
    answer = OwnPage(journey).post("answer", said)
    assert answer.status_code == 302
    assert not Reply.objects.exists()


def test_a_visit_is_at_its_time_and_not_due_by_it(journey: Journey) -> None:
    when = date_words(Appointment.objects.get().start, journey.clinic.time_zone, "en")
    page = OwnPage(journey).prove(journey.patient).text()
    assert re.search(rf"Your visit</b>\s*<span>{when}</span>", page)


def offered_on(page: str) -> list[str]:
    return re.findall(r'name="start" value="(2026[^"]+)"', page)


def test_every_time_the_page_offers_for_a_held_visit_can_be_taken(journey: Journey) -> None:
    Appointment.objects.all().delete()
    waiting = builders.step(journey, kind=StepKind.AWAIT_RESULT, due_at=NOW + timedelta(days=1))
    start = NOW + timedelta(days=3)
    held = builders.appointment(
        journey.patient, start=start, status="pending", awaits=waiting, hold_until=start - timedelta(days=1)
    )
    for hours in range(0, 96, 3):
        builders.open_time(held.practitioner, NOW + timedelta(hours=hours), minutes=30)
    mine = OwnPage(journey)
    page = mine.text("?times=1")
    offered = offered_on(page)
    assert len(offered) > 1
    assert 'value="cannot_come"' not in page
    for choice in offered:
        said = {"meaning": "another_time", "start": choice}
        assert mine.post("answer", said).status_code == 302
        held.refresh_from_db()
        assert (held.start.isoformat(), held.status) == (choice, "pending")


def test_when_she_can_come_only_orders_the_times_and_closed_hours_stay_closed(journey: Journey) -> None:
    """“After 20” in a clinic that closes at 20:00 still leaves times, and her own hours come first."""
    visit = Appointment.objects.get()
    patient = visit.patient
    begins = [NOW + timedelta(days=days, hours=hour) for days, hour in ((2, 1), (3, 7), (4, 12))]
    for start in begins:  # Wednesday 11:00, Thursday 17:00, and Friday night, when nobody is there
        builders.open_time(visit.practitioner, start, minutes=30)
    save_card(patient, CardAnswers(Channel.SMS, ((3, time(16), time(20)),), "en"), now=NOW, by=None)
    mine = OwnPage(journey)
    page = mine.text("?times=1")
    assert offered_on(page) == [begins[0].isoformat(), begins[1].isoformat()], (
        "how she is reached is not asked"
    )
    assert "We looked first at the hours you told us." not in page
    builders.comes(patient, (0, time(20), time(22)))
    page = mine.text("?times=1")
    assert offered_on(page) == [begins[0].isoformat(), begins[1].isoformat()]
    assert "We looked first at the hours you told us." in page
    builders.comes(patient, (3, time(16), time(20)))
    assert offered_on(mine.text("?times=1")) == [begins[1].isoformat(), begins[0].isoformat()]
    said = {"meaning": "another_time", "start": begins[0].isoformat()}
    assert mine.post("answer", said).status_code == 302
    visit.refresh_from_db()
    assert visit.start == begins[0]


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
    page = OwnPage(journey).prove(journey.patient)
    assert words in page.text(f"?lang={language}")


def test_a_page_without_its_link_is_closed_and_tells_nothing(journey: Journey) -> None:
    """The address alone, an unknown one, and a page whose day is over look alike."""
    stranger, mine = Client(), OwnPage(journey)
    pages = [stranger.get(mine.path), stranger.get(f"/p/{uuid4()}/")]
    with time_machine.travel(NOW + timedelta(days=1, seconds=1), tick=False):
        pages.append(mine.get())
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1
    assert "tel:+97235550142" in pages[0].content.decode()
    builders.clinic()
    several = [stranger.get(mine.path), stranger.get(f"/p/{uuid4()}/")]
    assert len({page.content for page in several}) == 1
    assert "tel:" not in several[0].content.decode()
    for what in ("answer", "who", "offer", "sooner", "say", "card"):
        assert stranger.post(f"{mine.path}{what}/", {"meaning": "confirm"}).status_code == 404
    assert stranger.get(f"{mine.path}visit.ics").status_code == 404
    assert Appointment.objects.get().confirmed_at is None


def test_a_page_in_use_stays_open(journey: Journey) -> None:
    mine = OwnPage(journey)
    for minutes in (50, 100, 150):
        with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
            assert mine.get().status_code == 200


def test_a_revoked_link_ends_the_visits_it_has_opened(journey: Journey) -> None:
    mine = OwnPage(journey)
    Journey.objects.update(link_version=2)
    assert mine.get().status_code == 404


@pytest.mark.parametrize("merged", [False, True])
def test_nobody_is_greeted_with_the_name_of_who_has_died(journey: Journey, merged: bool) -> None:
    mine, patient = OwnPage(journey), journey.patient
    assert patient
    if merged:
        patient = builders.patient(journey.clinic, phone="050-999-9999", language="en")
        Patient.objects.filter(pk=journey.patient_id or 0).update(
            merged_into=patient, status=PatientStatus.MERGED
        )
    record_death(patient, "Her son called", now=NOW, by=builders.user(at=journey.clinic))
    Journey.objects.filter(pk=journey.pk).update(status="cancelled", ended_at=NOW)
    answers = [mine.get(), mine.get("visit.ics"), Client().get(path_for(journey))]
    answers += [mine.post("say", {"meaning": "worried"}), mine.post("answer", {"meaning": "confirm"})]
    for answer in answers:
        text = answer.content.decode()
        assert answer.status_code == 404
        assert "Hello" not in text
        assert "next visit" not in text
    assert not Reply.objects.exists()
    reopen_record(patient, "She called", now=NOW, by=builders.user(at=journey.clinic))
    assert "Hello" in OwnPage(journey).text()


def test_the_links_of_two_on_one_phone_never_mix(journey: Journey) -> None:
    sister = builders.patient(journey.clinic, given_name="Noa", language="en")
    mine, hers = OwnPage(journey).prove(journey.patient), path_for(builders.journey(sister))
    entered = mine.browser.get(hers)["Location"]
    assert "Hello <bdi>Noa</bdi>" in mine.browser.get(entered).content.decode()
    assert "Hello <bdi>Dana</bdi>" in mine.text()
    assert "Where things stand" in mine.text()
    assert "Your year of birth" in mine.browser.get(entered).content.decode()


def test_the_link_alone_shows_the_visit_and_no_more(journey: Journey) -> None:
    assert journey.patient
    make_promise(journey.patient, Promise("about the bridge", NOW + timedelta(hours=5)), now=NOW)
    mine = OwnPage(journey)
    words = mine.text()
    assert 'value="confirm"' in words
    hidden = ("You confirm the visit", "We wait for the images", "about the bridge", "How we reach you")
    for said in hidden:
        assert said not in words
    words = mine.prove(journey.patient).text()
    for said in hidden:
        assert said in words
    again = mine.browser.get(path_for(journey), follow=True)
    assert "How we reach you" in again.content.decode()  # the link opened again in this browser


def test_reading_takes_as_many_questions_for_one_journey_as_for_three(journey: Journey) -> None:
    mine = OwnPage(journey).prove(journey.patient)
    counts = []
    assert journey.patient
    for more in (1, 2):
        for _nth in range(more):
            actions.start_journey(journey.patient, NewJourney("imaging_treatment"), now=NOW)
        with CaptureQueriesContext(connection) as asked:
            assert mine.get().status_code == 200
        counts.append(len(asked))
    assert mine.text().count("Also open with us") == 3
    assert counts[0] == counts[1]


def test_who_has_it_and_what_comes_next_stands_on_the_page() -> None:
    call_command("load_catalogue", verbosity=0)
    patient = builders.patient(language="en")
    doctor = builders.user("doctor", at=patient.clinic)
    builders.practitioner(patient.clinic, user=doctor, name="Dr Shaham")
    new = NewJourney("imaging_treatment", doctor=doctor)
    journey = actions.start_journey(patient, new, now=NOW)
    mine = OwnPage(journey).prove(patient)
    waiting = mine.text()
    assert "Who has it: <bdi>the institute</bdi>" in waiting
    assert re.search("The doctor looks at everything</b> <span>then, by .* at the latest</span>", waiting)
    actions.complete_step(journey.steps.get(kind=StepKind.AWAIT_RESULT), "received", now=NOW)
    assert "Who has it: <bdi>Dr Shaham</bdi>" in mine.text()


def test_a_late_page_says_so_first_with_the_new_time_and_a_name() -> None:
    call_command("load_catalogue", verbosity=0)
    patient = builders.patient(language="en")
    doctor = builders.user("doctor", at=patient.clinic, first_name="Noam", last_name="Shaham")
    journey = actions.start_journey(patient, NewJourney("imaging_treatment", doctor=doctor), now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.AWAIT_RESULT), "received", now=NOW)
    due_at = journey.steps.get(kind=StepKind.REVIEW).due_at
    assert due_at
    late = due_at + timedelta(minutes=1)
    watch_steps(now=late)
    promise = Step.objects.get(kind=StepKind.PROMISE)
    assert promise.due_at
    with time_machine.travel(late, tick=False):
        words = OwnPage(journey).text()
    until = date_words(promise.due_at, journey.clinic.time_zone, "en", deadline=True)
    headline = words.index("We are late, and we are sorry")
    assert headline < words.index("</h1>") < words.index(until) < words.index("<section")
    assert "Who has it: <bdi>Noam Shaham</bdi>" in words


def test_who_was_second_with_a_time_sees_the_next_free_ones(journey: Journey) -> None:
    visit = Appointment.objects.get()
    for n in range(3):
        builders.open_time(visit.practitioner, NOW + timedelta(days=2, hours=n), minutes=30)
    mine = OwnPage(journey)
    first, *_others = re.findall(r'name="start" value="(2026[^"]+)"', mine.text("?times=1"))
    builders.appointment(
        builders.patient(journey.clinic, phone=""),
        practitioner=visit.practitioner,
        start=datetime.fromisoformat(first),
    )
    answer = mine.post("answer", {"meaning": "another_time", "start": first})
    assert answer.status_code == 409
    free = re.findall(r'name="start" value="(2026[^"]+)"', answer.content.decode())
    assert len(free) == 2
    assert first not in free
    kept = Appointment.objects.get(pk=visit.pk)
    assert kept.start == visit.start
    assert mine.post("answer", {"meaning": "another_time", "start": free[0]}).status_code == 302
    kept.refresh_from_db()
    assert kept.start.isoformat() == free[0]


@pytest.mark.parametrize("language", ["en", "he", "ru", "ar"])
def test_the_whole_page_with_its_styles_is_small(journey: Journey, language: str) -> None:
    assert journey.patient
    patient, doctor = journey.patient, Appointment.objects.get().practitioner
    for n in range(3):
        actions.start_journey(patient, NewJourney("imaging_treatment"), now=NOW)
        make_promise(patient, Promise(f"an answer about {n}", NOW + timedelta(hours=5 + n)), now=NOW)
    for n in range(4):
        builders.open_time(doctor, NOW + timedelta(days=2 + n), minutes=30)
    mine = OwnPage(journey).prove(patient)
    for n in range(3):
        mine.post("say", {"meaning": "ask", "body": f"{n} " + "מה קורה " * 100})
    page = mine.get(f"?lang={language}&times=1")
    assert f'lang="{language}"' in page.content.decode()
    asked = re.findall(r'(?:href|src)="/(static/[^"]+)"', page.content.decode())
    assert asked == ["static/img/mark.svg", "static/css/public.css"]
    whole = len(page.content) + sum((settings.BASE_DIR / path).stat().st_size for path in asked)
    assert whole < 60_000
    card = mine.get(f"card/?lang={language}")
    assert len(card.content) < 30_000


def test_five_wrong_answers_close_the_door_and_all_else_goes_on(journey: Journey) -> None:
    mine = OwnPage(journey)
    for nth in range(TRIES):
        answer = mine.post("who", {"who": str(1950 + nth)})
        assert answer.status_code == 422
        assert "You confirm the visit" not in answer.content.decode()
    closed = " ".join(answer.content.decode().split())
    assert "It can be tried again from Tuesday 10 March, 10:00." in closed
    assert "Call us. All else on this page works as before." in closed
    assert "03-555-0142" in closed
    assert mine.post("who", {"who": "1991"}).status_code == 422
    assert OwnPage(journey).post("who", {"who": "1991"}).status_code == 422  # nor in another browser
    failed = AuditEvent.objects.filter(action="login_failed", patient=journey.patient, by="patient")
    assert failed.count() == TRIES + 2
    asked = Step.objects.get(kind=StepKind.CALL)
    assert (
        asked.name == "Five wrong answers to “who reads this?” on the page of Dana Levi: ask who has the link"
    )
    assert (asked.owner_role, asked.due_at) == ("receptionist", NOW + timedelta(hours=2))
    assert mine.post("answer", {"meaning": "confirm"}).status_code == 302
    assert Appointment.objects.get().confirmed_at == NOW
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        again = OwnPage(journey)
        assert again.post("who", {"who": "1991"}).status_code == 302
        assert "Where things stand" in again.text()


def test_four_wrong_answers_are_nobodys_step_and_the_fifth_after_the_end_is_one(journey: Journey) -> None:
    mine = OwnPage(journey)
    for nth in range(TRIES - 1):
        mine.post("who", {"who": str(1950 + nth)})
    assert not Step.objects.filter(kind=StepKind.CALL).exists()
    Journey.objects.update(status="completed", ended_at=NOW)
    mine.post("who", {"who": "1950"})
    asked = Step.objects.get(kind=StepKind.CALL)
    assert (asked.journey.patient, asked.journey.status) == (journey.patient, "active")


def test_images_that_are_overdue_are_late_with_us_and_no_past_date_is_promised() -> None:
    call_command("load_catalogue", verbosity=0)
    journey = actions.start_journey(builders.patient(language="en"), NewJourney("imaging_treatment"), now=NOW)
    due_at = journey.steps.get(kind=StepKind.AWAIT_RESULT).due_at
    assert due_at
    with time_machine.travel(due_at, tick=False):
        words = OwnPage(journey).prove(journey.patient).text()
    assert "We are late, and we are sorry" in words
    assert "late, and on somebody's desk" in words
    assert date_words(due_at, journey.clinic.time_zone, "en") not in words


def test_a_journey_that_has_ended_offers_no_times(journey: Journey) -> None:
    builders.open_time(Appointment.objects.get().practitioner, NOW + timedelta(days=2), minutes=30)
    assert 'name="start"' in OwnPage(journey).text("?times=1")
    Appointment.objects.update(status="fulfilled")
    Step.objects.filter(status="active").update(status="cancelled")
    Journey.objects.update(status="completed", ended_at=NOW)
    words = OwnPage(journey).text("?times=1")
    assert "Nothing is open" in words
    assert 'name="start"' not in words
