"""What she asks, fears and feels on her own page: with a person, by a time she is told, and shown back to her."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from clinic_journey.history_words import detail_words, said_by_patient
from journeys.actions import complete_step
from journeys.models import EventKind, Journey, OwnerRole, Step, StepEvent, StepKind, StepStatus
from outreach.models import Reply
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def journey() -> Journey:
    return builders.step(builders.journey(builders.patient(language="en"))).journey


def asked() -> Step:
    return Step.objects.get(kind=StepKind.CALL)


def test_a_question_is_at_the_desk_with_an_owner_and_a_clock_and_shown_back(journey: Journey) -> None:
    page = OwnPage(journey)
    for _press in range(2):
        answer = page.post("say", {"meaning": "ask", "body": " May I eat <b>before</b>? "})
        assert answer["Location"] == f"{page.path}?lang=en&said=ask"
    step = asked()
    assert (step.status, step.owner_role, step.due_at) == (
        StepStatus.ACTIVE,
        OwnerRole.RECEPTIONIST,
        NOW + 2 * HOUR,
    )
    assert step.names["en"] == "Answer: \u2068May I eat <b>before</b>?\u2069"
    reply = Reply.objects.get()
    assert (reply.channel, reply.meaning, reply.step) == ("page", "ask", step)
    words = page.text()
    assert "You hear from us by <b>Monday 9 March, 12:00</b>. " in words
    assert "May I eat" not in words  # whoever has the link alone reads nothing of it
    assert "May I eat &lt;b&gt;before&lt;/b&gt;?" in page.prove(journey.patient).text()


def test_the_desk_reads_it_in_today(journey: Journey) -> None:
    OwnPage(journey).post("say", {"meaning": "worried", "body": "It still bleeds"})
    today = logged_in("receptionist", journey.clinic).get(f"/today/?item={asked().public_id}")
    assert "\u2068Dana Levi\u2069 is worried: \u2068It still bleeds\u2069" in today.content.decode()


@pytest.mark.parametrize(
    ("meaning", "body", "shown"),
    [
        ("ask", "May I eat?", "May I eat?"),
        ("worried", "", "Is worried"),
        ("going_badly", "", "It is not going well"),
    ],
)
def test_it_waits_in_the_inbox_and_an_answer_given_there_ends_it(
    journey: Journey, meaning: str, body: str, shown: str
) -> None:
    builders.messages_loaded()
    builders.opened(journey.clinic)
    page, desk = OwnPage(journey), logged_in("receptionist", journey.clinic)
    page.post("say", {"meaning": meaning, "body": body})
    assert shown in desk.get("/inbox/").content.decode()
    assert journey.patient
    answered = desk.post(
        f"/inbox/{journey.patient.public_id}/answer/",
        {"words": "Yes.", "request_key": "k1"},
    )
    assert answered.status_code == 302
    assert (asked().status, asked().outcome) == (StepStatus.COMPLETED, "answered")
    assert "Answered." in page.text()


def test_what_nobody_has_to_answer_does_not_wait_in_the_inbox(journey: Journey) -> None:
    OwnPage(journey).post("say", {"meaning": "going_well"})
    inbox = logged_in("receptionist", journey.clinic).get("/inbox/").content.decode()
    assert "It is going well" not in inbox
    assert Reply.objects.get().matter is None


def test_a_worry_needs_no_words_and_is_heard_within_the_hour(journey: Journey) -> None:
    page = OwnPage(journey)
    page.post("say", {"meaning": "worried", "body": ""})
    assert (asked().names["en"], asked().due_at) == (
        "\u2068Dana Levi\u2069 is worried. Call and listen",
        NOW + HOUR,
    )
    assert "by <b>Monday 9 March, 11:00</b>" in page.text("?said=worried")


def test_what_is_not_answered_in_time_is_said_first(journey: Journey) -> None:
    OwnPage(journey).post("say", {"meaning": "worried"})
    with time_machine.travel(NOW + HOUR, tick=False):
        words = OwnPage(journey).text()
    assert words.index("We are late, and we are sorry") < words.index("<section")
    assert "We are late with our answer" in words


def test_an_older_question_that_is_late_is_not_hidden_by_newer_ones(journey: Journey) -> None:
    page = OwnPage(journey).prove(journey.patient)
    page.post("say", {"meaning": "ask", "body": "The oldest"})
    for nth in range(5):
        with time_machine.travel(NOW + timedelta(minutes=1 + nth), tick=False):
            page.post("say", {"meaning": "ask", "body": f"Newer {nth}"})
            complete_step(Step.objects.get(title__contains=f"Newer {nth}"), "spoken", now=NOW)
    with time_machine.travel(NOW + 3 * HOUR, tick=False):
        page = OwnPage(journey).prove(journey.patient)
        for nth in range(4):
            page.post("say", {"meaning": "ask", "body": f"Open {nth}"})
        words = page.text()
    assert words.index("We are late, and we are sorry") < words.index("<section")
    order = [words.index(each) for each in ("Open 3", "Open 0", "The oldest", "Newer 4", "Newer 2")]
    assert order == sorted(order)
    assert words.count("We are late with our answer") == 1
    assert words.count("Answered.") == 3


def test_who_asked_to_be_called_about_another_time_sees_by_when(journey: Journey) -> None:
    page = OwnPage(journey)
    for minutes in (0, 5):
        with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
            page.post("answer", {"meaning": "another_time", "start": ""})
    assert asked().due_at == NOW + 2 * HOUR
    words = page.text()
    assert words.count("You hear from us by <b>Monday 9 March, 12:00</b>") == 1
    assert "<blockquote" not in words
    assert '<blockquote dir="auto">Another time</blockquote>' in page.prove(journey.patient).text()


def test_it_ends_only_when_somebody_has_answered(journey: Journey) -> None:
    page = OwnPage(journey)
    page.post("say", {"meaning": "ask", "body": "May I eat?"})
    complete_step(journey.steps.get(kind=StepKind.BOOK), "booked", now=NOW)
    assert asked().status == StepStatus.ACTIVE
    complete_step(asked(), "spoken", now=NOW)
    assert "Answered." in page.text()
    with time_machine.travel(NOW + timedelta(days=8), tick=False):
        assert "What you told us" not in OwnPage(journey).text()


def test_a_question_after_the_end_is_a_new_reason_to_be_with_us(journey: Journey) -> None:
    ended = builders.journey(journey.patient, status="completed", ended_at=NOW - HOUR)
    page = OwnPage(ended)
    page.post("say", {"meaning": "ask", "body": "It hurts again"})
    assert asked().journey not in {ended, journey}
    assert "What you told us" in page.text()
    assert "What you told us" in OwnPage(journey).text()


def test_the_words_of_another_patient_are_not_shown(journey: Journey) -> None:
    other = builders.step(builders.journey(builders.patient(journey.clinic, phone="050-999-9999")))
    OwnPage(other.journey).post("say", {"meaning": "ask", "body": "secret"})
    assert "What you told us" not in OwnPage(journey).prove(journey.patient).text()


@pytest.mark.parametrize(
    ("feeling", "words"), [("going_well", "It is going well"), ("going_so_so", "It is going so-so")]
)
def test_how_it_goes_is_one_tap_and_recorded_once_a_day(journey: Journey, feeling: str, words: str) -> None:
    page = OwnPage(journey)
    for _press in range(2):
        assert page.post("say", {"meaning": feeling}).status_code == 302
    event = StepEvent.objects.get(kind=EventKind.NOTED)
    assert (event.detail, detail_words(event)) == (feeling, words)
    assert said_by_patient(Reply.objects.get()) == words
    assert not Step.objects.filter(kind=StepKind.CALL).exists()
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        OwnPage(journey).post("say", {"meaning": feeling})
    assert Reply.objects.count() == 2


def test_a_bad_answer_opens_a_matter_at_the_desk(journey: Journey) -> None:
    page = OwnPage(journey)
    for _press in range(2):
        page.post("say", {"meaning": "going_badly"})
    assert asked().names["en"] == "Ask \u2068Dana Levi\u2069 what is not going well"
    assert StepEvent.objects.get(kind=EventKind.NOTED).detail == "going_badly"
    assert "What you told us" in page.text()


def test_a_bad_answer_after_the_first_was_closed_is_asked_about_again(journey: Journey) -> None:
    page = OwnPage(journey)
    page.post("say", {"meaning": "going_badly"})
    complete_step(asked(), "spoken", now=NOW)
    with time_machine.travel(NOW + HOUR, tick=False):
        for _press in range(2):
            page.post("say", {"meaning": "going_badly"})
        anew = Step.objects.get(kind=StepKind.CALL, status=StepStatus.ACTIVE)
        assert anew.opened_at == NOW + HOUR
        assert "You hear from us by" in page.text("?said=going_badly")
    assert StepEvent.objects.filter(kind=EventKind.NOTED, detail="going_badly").count() == 1


@pytest.mark.parametrize("said", [{}, {"meaning": "ask"}, {"meaning": "ask", "body": "  "}, {"meaning": "x"}])
def test_nonsense_leads_back(journey: Journey, said: dict[str, str]) -> None:
    page = OwnPage(journey)
    assert page.post("say", said)["Location"] == f"{page.path}?lang=en"
    assert not Reply.objects.exists()
    assert page.get("say/").status_code == 405
