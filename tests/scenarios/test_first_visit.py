"""S2: a first visit as the nine foundations ask, from the welcome to what a complaint has changed.

The visit decides (S2.1), so each part has an owner and a time; she is listened to before she is answered (S2.8), in
plain words (S2.9), by people who can be reached (S2.7); thanks are thanks and no bill (S2.10); and what a colleague
did beyond duty is seen (S2.3).
"""

import re
from datetime import datetime, timedelta

import pytest

from appointments.models import Appointment, AppointmentStatus
from journeys.models import EventKind, Step, StepEvent, StepKind, StepStatus
from outreach.complaint_models import Complaint
from outreach.models import Attempt
from outreach.praise import prompt_recognition
from patients.models import Patient, Role
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.scenarios.house import MONDAY, House, frozen, link_in, run_once

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DESK, MANAGER = Role.RECEPTIONIST, Role.MANAGER
MONEY = re.compile(r"₪|\bpay|price|bill|insur", re.IGNORECASE)


@pytest.fixture
def house() -> House:
    made = House(run_once)
    builders.opened(made.clinic)
    return made


@pytest.fixture
def dana(house: House) -> Patient:
    return house.dana()


def texts_to(patient: Patient) -> list[Attempt]:
    return list(Attempt.objects.filter(patient=patient, sent_at__isnull=False).order_by("sent_at", "pk"))


def keys_to(patient: Patient) -> list[str]:
    return [each.task.message_key for each in texts_to(patient)]


def welcomed(house: House, dana: Patient) -> OwnPage:
    house.post(DESK, f"/patients/{dana.public_id}/start/", MONDAY, template="first_visit")
    house.tick(MONDAY + MINUTE)
    (welcome,) = texts_to(dana)
    assert welcome.task.message_key == "welcome"
    assert "Alon Clinic" in welcome.body  # a real sender
    return own_page(dana, MONDAY + 2 * MINUTE)


def own_page(dana: Patient, at: datetime) -> OwnPage:
    """Through the link of the first message she got; a page stays open for a day."""
    with frozen(at):
        return OwnPage(link_in(texts_to(dana)[0])).prove(dana)


def visit_over(house: House, page: OwnPage, at: datetime) -> datetime:
    """She chooses a time by one tap, comes, and is seen. Returns when it was over."""
    with frozen(at):
        start = re.search(r'name="start" value="([^"]+)"', page.get().content.decode())
        assert start
        page.post("answer", {"meaning": "another_time", "start": start[1]})
    visit = Appointment.objects.get()
    assert visit.status == AppointmentStatus.BOOKED
    act = f"/appointments/{visit.public_id}/act/"
    house.post(DESK, act, visit.start, act="arrive")
    house.post(DESK, act, visit.end, act="fulfil")
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.FULFILLED
    return visit.end


def heard(house: House, dana: Patient, key: str, at: datetime) -> Attempt:
    """The clockwork runs until this has reached her: in her hours, and never too much on one day."""
    for _hour in range(48):
        house.tick(at)
        if key in keys_to(dana):
            return texts_to(dana)[-1]
        at += HOUR
    raise AssertionError(keys_to(dana))


def when(text: Attempt) -> datetime:
    assert text.sent_at
    return text.sent_at


def test_the_first_visit_decides(house: House, dana: Patient) -> None:
    page = welcomed(house, dana)

    # She asks before she comes: a person has it, by a time she is told, and answers in her own words.
    with frozen(MONDAY + 3 * MINUTE):
        page.post("say", {"meaning": "ask", "body": "Will it hurt?"})
        assert "You hear from us by" in page.text()
    asked = Step.objects.get(kind=StepKind.CALL)
    assert asked.due_at
    assert asked.due_at - MONDAY <= 2 * HOUR + 3 * MINUTE
    words = "We tell you before we do anything, and you can stop us at any time. Rina"
    answer = f"/inbox/{dana.public_id}/answer/"
    house.post(DESK, answer, MONDAY + 20 * MINUTE, words=words, request_key="a1")
    house.tick(MONDAY + 21 * MINUTE)
    assert (texts_to(dana)[-1].body, keys_to(dana)) == (words, ["welcome", "answer"])

    # She comes and is seen; the same day she is thanked, for nothing but choosing us.
    over = visit_over(house, page, MONDAY + 30 * MINUTE)
    house.tick(over + MINUTE)
    thanks = texts_to(dana)[-1]
    assert thanks.task.message_key == "thank_you"
    assert not MONEY.search(thanks.body)
    assert "reply here" in thanks.body
    assert link_in(thanks)
    assert thanks.sent_at
    assert thanks.sent_at - over < 8 * HOUR

    # One question, one tap, in words if she likes. It was not well: a person asks her, at once.
    with frozen(over + HOUR):
        assert "How was it on" in page.text()
        page.post("say", {"meaning": "going_badly", "body": "I sat for an hour and nobody said why."})
    unhappy = Step.objects.get(kind=StepKind.CALL, status=StepStatus.ACTIVE)
    assert "is not happy" in unhappy.names["en"]
    assert f"item={unhappy.public_id}" in house.get(DESK, "/today/", over + HOUR).content.decode()

    # Nobody had to ask twice, and no promise was broken.
    assert not StepEvent.objects.filter(kind=EventKind.CHASED).exists()
    assert "Nobody has had to ask." in house.get(MANAGER, "/reports/ledgers/", over + HOUR).content.decode()


def test_a_complaint_is_heard_before_it_is_answered(house: House, dana: Patient) -> None:
    at = visit_over(house, welcomed(house, dana), MONDAY + 5 * MINUTE) + HOUR
    page = own_page(dana, at)
    with frozen(at):
        page.post("say", {"meaning": "complaint", "body": "I sat for an hour and nobody said why."})
    complaint = Complaint.objects.get()
    path = f"/complaints/{complaint.public_id}/"

    # The manager wants to answer at once, and cannot: first it is said in our own words.
    at += 30 * MINUTE
    assert "Locked." in house.get(MANAGER, path, at).content.decode()
    assert house.post(MANAGER, f"{path}do/", at, act="answer", words="We were busy.").status_code == 409
    house.post(
        MANAGER,
        f"{path}do/",
        at,
        act="restate",
        words="You waited for an hour, and what hurt is the silence.",
    )
    asked = heard(house, dana, "complaint_restated", at)
    assert "hour" not in asked.body  # what it is about stands in no message

    # She reads it on her page: yes, this is it. Only now there is an answer, and later what changed.
    complaint.refresh_from_db()
    at = when(asked) + MINUTE
    with frozen(at):
        said = {"complaint": complaint.public_id, "meaning": "understood", "seen": complaint.restated}
        OwnPage(link_in(asked)).prove(dana).post("complaint", said)
    house.post(MANAGER, f"{path}do/", at + HOUR, act="answer", words="You are right, and we are sorry.")
    at = when(heard(house, dana, "complaint_answered", at + HOUR))
    change = "Whoever waits more than 15 minutes is told why."
    house.post(MANAGER, f"{path}do/", at + HOUR, act="change", words=change, is_changed="yes", publish="on")
    at = when(heard(house, dana, "complaint_changed", at + HOUR))
    with frozen(at + 2 * MINUTE):
        shown = OwnPage(link_in(texts_to(dana)[-1])).prove(dana).text()
    assert change in shown
    assert "You are right, and we are sorry." in shown
    assert change in house.get(DESK, "/complaints/changed/", at).content.decode()
    assert not Step.objects.filter(journey=complaint.journey, status=StepStatus.ACTIVE).exists()


def test_what_went_beyond_duty_is_seen_and_thanked(house: House, dana: Patient) -> None:
    over = visit_over(house, welcomed(house, dana), MONDAY + 5 * MINUTE)
    page = own_page(dana, over + HOUR)
    with frozen(over + HOUR):
        page.post("say", {"meaning": "thanks", "to": "Dr Cohen", "body": "He explained it twice."})
    to = str(house.staff[DESK].pk)
    house.post(Role.DOCTOR, "/team/extra/", over + HOUR, to=to, words="Called a taxi for Dana.")
    seen = over + 2 * HOUR
    assert "He explained it twice." in house.get(Role.DOCTOR, "/team/", seen).content.decode()
    assert "Called a taxi for Dana." in house.get(DESK, "/team/", seen).content.decode()
    assert "He explained it twice." not in house.get(DESK, "/team/", seen).content.decode()
    assert prompt_recognition(now=seen) == 1
    asked = Step.objects.get(kind=StepKind.THANK, journey__patient=None)
    assert f"item={asked.public_id}" in house.get(MANAGER, "/today/", seen).content.decode()
    evidence = house.get(MANAGER, "/team/", seen).content.decode()
    assert "He explained it twice." in evidence
    assert "Called a taxi for Dana." in evidence
