"""A page that stood open while time went on: her words still reach us, and what she says is of what she saw."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine

from appointments.actions import move
from appointments.models import Appointment
from journeys.models import Journey, StepKind
from outreach.models import Reply
from outreach.rendering import date_words
from tests import builders
from tests.clinic_journey.own_page import OwnPage
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
