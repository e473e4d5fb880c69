"""The digits beside an answer: each keeps it first, and shows what it does before it does it."""

import re
from collections.abc import Callable
from datetime import time, timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.html import escape

from inquiries.models import Inquiry
from inquiries.on_offer import set_walk_in
from inquiries.sent_models import SentAnswer
from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.clinic_journey.test_ask import asked, said_in
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DIGIT = re.compile(r'data-key="Digit(\d)"')
THINK = {"then": "send"}


@pytest.fixture
def clinic() -> Clinic:
    call_command("load_catalogue", verbosity=0)
    return builders.clinic(language="en")


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return logged_in(Role.RECEPTIONIST, clinic, reads="en")


def answered(desk: Client, **more: str) -> tuple[Inquiry, str]:
    """The question, and where the desk is led."""
    answer = desk.post("/ask/answered/", {"said": said_in(asked(desk, what="flu", **more)), **THINK})
    return Inquiry.objects.latest("pk"), answer["Location"]


def outside_scopes(page: str) -> list[str]:
    """The digits that are heard while the focus is in no part of its own."""
    return DIGIT.findall(re.sub(r"<form[^>]*data-key-scope.*?</form>", "", page, flags=re.DOTALL))


def test_each_digit_is_one_thing(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=3)
    builders.offering(clinic, stock=3, names={"en": "Travel vaccine"})
    assert sorted(outside_scopes(asked(desk, what="flu vaccine"))) == list("12345")
    assert sorted(outside_scopes(asked(desk, what="vaccine"))) == list("12")  # which of these


def test_where_it_is_not_known_nothing_can_be_sent(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic)
    assert sorted(outside_scopes(asked(desk, what="flu"))) == list("345")


def test_two_keeps_the_answer_and_shows_it_as_it_will_be_read(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=3, visit_type=builders.visit_type(clinic))
    builders.open_time(builders.practitioner(clinic), NOW + timedelta(hours=2))
    inquiry, place = answered(desk, **{"from": "054-765-4321"})
    assert (inquiry.answered_at, place) == (NOW, f"/ask/{inquiry.public_id}/?then=send")
    page = desk.get(place).content.decode()
    written = "Alon Clinic: Flu vaccine: yes, we have it. It costs 80 ₪ at most. Would Monday 9 March 12:00 suit you?"
    assert escape(written) in page
    assert 'value="+972547654321"' in page
    assert "It leaves at once. It is noted that the caller will think about it." in " ".join(page.split())
    assert not SentAnswer.objects.exists()


@pytest.mark.parametrize("language", ["en", "he"])
def test_in_writing_stands_the_week_and_no_hour_beside_a_dash(
    desk: Client, clinic: Clinic, language: str
) -> None:
    offering = builders.offering(clinic, stock=3, preparations={"en": "come fasting"})
    set_walk_in(offering, {weekday: [(time(8), time(12))] for weekday in (6, 0, 1, 2, 3)})
    _inquiry, place = answered(desk, language=language)
    found = re.search(r'<textarea id="letter_words"[^>]*>([^<]*)<', desk.get(place).content.decode())
    assert found
    assert ("Without an appointment: Sun–Thu between 08:00 and 12:00." in found[1]) == (language == "en")
    assert "come fasting." in found[1]
    assert not re.search(r"\d[-–]\d\d:", found[1])  # where one reads from the right it would turn around


def test_it_is_sent_as_it_stood_there_and_can_be_stopped(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=3)
    inquiry, _place = answered(desk, language="ru")
    path = f"/ask/{inquiry.public_id}/send/"
    assert desk.post(path, {"to": "054-765-4321", "words": "Да, есть."}).status_code == 302
    sent = SentAnswer.objects.get()
    assert (sent.body, sent.language, sent.sent_by_id) == (
        "Да, есть.",
        "ru",
        int(desk.session["_auth_user_id"]),
    )
    page = desk.get(f"/ask/{inquiry.public_id}/").content.decode()
    assert "leaves Monday 9 March, 10:00" in page
    assert str(sent.reference) in page
    assert desk.post(path, {"stop": "1", "sending": str(sent.reference)}).status_code == 302
    sent.refresh_from_db()
    assert sent.status == "cancelled"
    assert "stopped" in desk.get(f"/ask/{inquiry.public_id}/").content.decode()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"to": "", "words": "Yes."}, "This field is required."),
        ({"to": "noa@", "words": "Yes."}, "Enter a valid email address."),
        ({"to": "12", "words": "Yes."}, "Nothing is sent"),
    ],
)
def test_what_cannot_be_sent_stays_as_it_was_typed(
    desk: Client, clinic: Clinic, typed: dict[str, str], says: str
) -> None:
    inquiry = builders.inquiry(clinic)
    answer = desk.post(f"/ask/{inquiry.public_id}/send/", typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert (says in page) == (says != "Nothing is sent")
    assert ">Yes.</textarea>" in page
    assert not SentAnswer.objects.exists()


def test_at_night_the_page_says_when_it_leaves(desk: Client, clinic: Clinic) -> None:
    clinic.hours.filter(kind="message", weekday=0).delete()
    inquiry = builders.inquiry(clinic)
    page = desk.get(f"/ask/{inquiry.public_id}/?then=send").content.decode()
    assert "It leaves tomorrow 09:00: until then no message may." in page
    clinic.hours.filter(kind="message").delete()
    assert (
        "No message may leave in these days."
        in desk.get(f"/ask/{inquiry.public_id}/?then=send").content.decode()
    )


def advised(desk: Client, page: str) -> None:
    told = {"said": said_in(page), "words": "Try the pharmacy next door."}
    assert desk.post("/ask/elsewhere/", told).status_code == 302


def turned(desk: Client, page: str) -> None:
    told = {"said": said_in(page), "words": "Municipality, 106", "how": "refer"}
    assert desk.post("/ask/elsewhere/", told).status_code == 302


@pytest.mark.parametrize(
    ("press", "said", "ended"),
    [
        (
            advised,
            ("I am sorry, we cannot help with that here. Try the pharmacy next door.", False),
            ("lost", "not_offered", "Try the pharmacy next door."),
        ),
        (turned, ("For that, please turn to: Municipality, 106", None), ("referred", "", "")),
    ],
)
@pytest.mark.parametrize("what", ["flu", "dog licence"])
def test_three_and_five_keep_what_was_said_and_how_it_ended(
    desk: Client,
    clinic: Clinic,
    what: str,
    press: Callable[[Client, str], None],
    said: tuple[str, bool | None],
    ended: tuple[str, str, str],
) -> None:
    builders.offering(clinic, stock=3)
    page = asked(desk, what=what)
    assert "I am sorry, we cannot help with that here." in page
    press(desk, page)
    press(desk, page)  # the same page once more
    inquiry = Inquiry.objects.get()
    assert (inquiry.said_words, inquiry.said_available, inquiry.answered_at) == (*said, NOW)
    assert (inquiry.outcome, inquiry.lost_because, inquiry.lost_words) == ended
    assert escape(said[0]) in desk.get(f"/ask/{inquiry.public_id}/").content.decode()


def test_without_words_nothing_is_kept(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=3)
    answer = desk.post("/ask/elsewhere/", {"said": said_in(asked(desk, what="flu")), "words": " "})
    assert (answer.status_code, answer["Location"]) == (302, "/ask/?what=flu")
    assert desk.post("/ask/elsewhere/", {"said": "old", "words": "x"})["Location"] == "/ask/"
    assert not Inquiry.objects.exists()


def test_a_message_on_its_way_is_no_work_and_one_that_did_not_leave_is(desk: Client, clinic: Clinic) -> None:
    inquiry = builders.inquiry(clinic)
    desk.post(f"/ask/{inquiry.public_id}/send/", {"to": "054-765-4321", "words": "Yes."})
    step = SentAnswer.objects.get().step
    title = "Send +972547654321 our answer"
    assert title not in desk.get("/today/").content.decode()
    SentAnswer.objects.update(status="failed", trouble="The provider refuses the message.")
    page = desk.get(f"/today/?item={step.public_id}").content.decode()
    assert title in page
    assert f"/ask/{inquiry.public_id}/" in page
    page = desk.get(f"/ask/{inquiry.public_id}/").content.decode()
    assert "The provider refuses the message." in page
    desk.post(f"/ask/{inquiry.public_id}/send/", {"told": "1"})
    step.refresh_from_db()
    assert step.status == "completed"


def test_another_clinic_finds_nothing(clinic: Clinic) -> None:
    inquiry = builders.inquiry(clinic)
    stranger = logged_in(Role.RECEPTIONIST, builders.clinic())
    assert stranger.post(f"/ask/{inquiry.public_id}/send/", {"to": "1", "words": "2"}).status_code == 404
