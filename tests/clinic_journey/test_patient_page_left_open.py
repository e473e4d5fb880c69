"""A page that stood open while time went on: her words still reach us, and what she says is of what she saw."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from appointments.actions import move
from appointments.models import Appointment
from journeys.models import Journey, StepKind
from outreach.models import Reply
from outreach.rendering import date_words
from patients.models import TRIES, AuditEvent, ServiceCard
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.clinic_journey.test_complaints import restated
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def journey() -> Journey:
    """With a visit that she is asked to confirm."""
    journey = builders.journey(builders.patient(language="en"))
    builders.step(journey, kind=StepKind.CONFIRM)
    builders.appointment(journey.patient, step=builders.step(journey, kind=StepKind.VISIT))
    return journey


@pytest.mark.parametrize(
    ("what", "said", "meaning"),
    [
        ("answer", {"meaning": "confirm"}, "confirm"),
        ("answer", {"meaning": "cannot_come"}, "cannot_come"),
        ("say", {"meaning": "ask", "body": "May I eat?"}, "ask"),
        ("say", {"meaning": "worried", "body": "It bleeds"}, "worried"),
    ],
)
def test_after_an_hour_her_words_still_reach_us_and_only_who_she_is_is_asked_again(
    journey: Journey, what: str, said: dict[str, str], meaning: str
) -> None:
    mine = OwnPage(journey).prove(journey.patient)
    with time_machine.travel(NOW + timedelta(hours=1, seconds=1), tick=False):
        assert mine.post(what, said)["Location"] == f"{mine.path}?lang=en&said={meaning}"
        reply = Reply.objects.get()
        assert (reply.meaning, reply.body) == (meaning, said.get("body", ""))
        words = mine.text()
        assert "Your year of birth" in words
        assert "How we reach you" not in words
        assert mine.get("card/")["Location"] == f"{mine.path}?lang=en"
        assert "How we reach you" in mine.prove(journey.patient).text()


def sent_from(answer: Any) -> tuple[str, dict[str, list[str]]]:
    """Where the form on a page goes, and what it carries hidden."""
    text = answer.content.decode()
    (path,) = re.findall(r'<form class="box answers" method="post" action="([^"]+)"', text)
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text):
        found.setdefault(name, []).append(unescape(value))
    found.pop("csrfmiddlewaretoken", None)
    return path, found


CARD = {
    "channel": ["phone"],
    "days": ["weekdays", "weekend"],
    "hours": ["16-20"],
    "language": ["en"],
    "words": ['Never "at work" <3'],
}


def test_a_card_sent_after_the_hour_is_saved_with_the_answer_who_she_is(journey: Journey) -> None:
    patient, mine = journey.patient, OwnPage(journey).prove(journey.patient)
    assert patient
    assert patient.birth_date
    card = {**CARD, "may_call": [str(tie.pk) for tie in patient.contacts.all()]}
    with time_machine.travel(NOW + timedelta(hours=1, seconds=1), tick=False):
        asked = mine.post("card", card)
        assert asked.status_code == 403
        path, filled_in = sent_from(asked)
        assert filled_in == card
        assert not any("work" in str(cookie) for cookie in mine.browser.cookies.values())
        wrong = mine.browser.post(path, {**filled_in, "who": "1900"})
        assert wrong.status_code == 422
        assert "This is not what we have written down" in wrong.content.decode()
        assert AuditEvent.objects.filter(what="patient_identify", patient_id=patient.pk).count() == 1
        assert ServiceCard.objects.get().told_at is None
        path, filled_in = sent_from(wrong)
        saved = mine.browser.post(path, {**filled_in, "who": str(patient.birth_date.year)})
        assert saved["Location"] == f"{mine.path}?lang=en&said=card"
        kept = ServiceCard.objects.get()
        assert (kept.channel, kept.words) == ("phone", CARD["words"][0])
        assert "How we reach you" in mine.text(), "she has said who she is"


def test_what_is_wrong_with_the_card_is_told_with_all_she_filled_in(journey: Journey) -> None:
    patient, page = journey.patient, OwnPage(journey)
    assert patient
    assert patient.birth_date
    answer = page.post("card", {**CARD, "who": str(patient.birth_date.year)})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "tell us at least one number" in text
    assert "Never &quot;at work&quot; &lt;3</textarea>" in text


def test_where_the_question_is_closed_she_is_told_that_nothing_was_saved(journey: Journey) -> None:
    page = OwnPage(journey)
    for _try in range(TRIES):
        page.post("who", {"who": "1900"})
    text = page.post("card", CARD).content.decode()
    assert "This was tried too often" in text
    assert "What you filled in was not saved. Call us" in text
    assert "<form" not in text


def test_that_her_complaint_is_meant_otherwise_is_heard_after_the_hour(journey: Journey) -> None:
    patient = journey.patient
    assert patient
    assert patient.birth_date
    call_command("load_catalogue", verbosity=0)
    complaint = restated(patient)
    path, filled_in = sent_from(
        OwnPage(complaint.journey).post(
            "complaint",
            {
                "complaint": complaint.public_id,
                "meaning": "otherwise",
                "body": "It was Dan.",
                "seen": complaint.restated,
            },
        )
    )
    page = OwnPage(complaint.journey)
    page.browser.post(path, {**filled_in, "who": str(patient.birth_date.year)})
    complaint.refresh_from_db()
    assert complaint.words.endswith("It was Dan.")


def test_after_a_day_her_words_are_shown_to_be_copied(journey: Journey) -> None:
    mine = OwnPage(journey)
    with time_machine.travel(NOW + timedelta(days=1, seconds=1), tick=False):
        closed = mine.post("say", {"meaning": "ask", "body": "May I <eat>?"})
        assert closed.status_code == 404
        assert "May I &lt;eat&gt;?</blockquote>" in closed.content.decode()
    assert not Reply.objects.exists()


@pytest.mark.parametrize("meaning", ["confirm", "cannot_come", "another_time"])
def test_what_she_says_of_a_time_that_was_moved_meanwhile_is_asked_again(
    journey: Journey, meaning: str
) -> None:
    visit, mine = Appointment.objects.get(), OwnPage(journey)
    builders.open_time(visit.practitioner, visit.start + timedelta(days=1), minutes=30)
    before = seen_on(mine.text())
    assert datetime.fromisoformat(before) == visit.start
    move(visit, start=visit.start + timedelta(days=1), now=NOW)
    answer = mine.post("answer", {"meaning": meaning, "seen": before})
    assert answer.status_code == 409
    words = " ".join(answer.content.decode().split())
    assert "Your visit was moved meanwhile. This is the time that holds now." in words
    new = visit.start
    assert date_words(new, journey.clinic.time_zone, "en") in words
    visit.refresh_from_db()
    assert (visit.start, visit.status, visit.confirmed_at) == (new, "booked", None)
    assert not Reply.objects.exists()
    answer = mine.post("answer", {"meaning": meaning, "seen": seen_on(words)})
    assert answer.status_code == 302
    assert Reply.objects.get().meaning == meaning


def seen_on(page: str) -> str:
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', page)
    return str(seen)
