"""Several silent patients planned anew at once: read first, one press, one undo; who is with others is left alone."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic_journey import silent_together as screen
from clinic_journey.models import DeskAction, Serving
from outreach.models import Attempt, AttemptStatus, OutreachTask
from patients.models import Channel, Clinic, ContactPoint
from tests import builders
from tests.clinic_journey.test_silent import silent
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PICK = re.compile(r'name="plan" value="([^"]+)" checked')
KEY = re.compile(r'name="key" value="([^"]+)"')
PLAN = "/silent/together/plan/"


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


@pytest.fixture
def rina(clinic: Clinic) -> User:
    return builders.user(at=clinic)


@pytest.fixture
def desk(rina: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(rina)
    return client


def looked_at(desk: Client, *tasks: OutreachTask) -> str:
    """The page on which it is read what would be planned."""
    return desk.get("/silent/together/", {"task": [str(task.public_id) for task in tasks]}).content.decode()


def press(desk: Client, page: str) -> str:
    """Where the press leads; what stands on the page is what is planned."""
    (key,) = KEY.findall(page)
    answer = desk.post(PLAN, {"plan": PICK.findall(page), "key": key})
    assert answer.status_code == 302, answer.content
    return answer["Location"]


def undo(desk: Client, place: str) -> None:
    answer = desk.post("/silent/together/undo/", {"key": place.partition("key=")[2]})
    assert answer.status_code == 302


def planned() -> list[str]:
    """To whom something is planned."""
    rows = Attempt.objects.filter(status=AttemptStatus.PLANNED).order_by("patient")
    return list(rows.values_list("patient__given_name", flat=True))


def test_nothing_is_planned_by_looking(clinic: Clinic, desk: Client) -> None:
    tasks = [silent(clinic, n) for n in range(3)]
    page = looked_at(desk, tasks[0], tasks[2])
    assert [name in page for name in ("Dana0", "Dana1", "Dana2")] == [True, False, True]
    assert "Always the same channel" in page
    assert len(PICK.findall(page)) == 2
    assert planned() == []


def test_one_press_plans_for_all_and_one_takes_it_back(clinic: Clinic, desk: Client) -> None:
    first, second = silent(clinic, 0), silent(clinic, 1)
    before = builders.attempt(first, channel=Channel.PHONE, send_at=NOW + timedelta(days=1))
    place = press(desk, looked_at(desk, first, second))
    assert planned() == ["Dana0", "Dana1"]
    assert {each.channel for each in Attempt.objects.filter(status=AttemptStatus.PLANNED)} != {Channel.PHONE}
    page = desk.get(place).content.decode()
    assert page.count("planned: ") == 2
    assert "Undo all 2" in page
    undo(desk, place)
    assert list(Attempt.objects.filter(status=AttemptStatus.PLANNED)) == [before]
    assert 'data-key="KeyZ"' not in desk.get(place).content.decode()
    assert DeskAction.objects.filter(undone_at=NOW).count() == 2


def test_pressed_twice_it_is_planned_once(clinic: Clinic, desk: Client) -> None:
    page = looked_at(desk, silent(clinic, 0), silent(clinic, 1))
    assert press(desk, page) == press(desk, page)
    assert planned() == ["Dana0", "Dana1"]
    assert DeskAction.objects.count() == 2


def with_dan(task: OutreachTask) -> None:
    dan = builders.user(at=task.clinic, first_name="Dan")
    Serving.objects.create(patient=task.patient, user=dan, until=NOW + timedelta(minutes=3))


def settled(task: OutreachTask) -> None:
    type(task.step).objects.filter(pk=task.step_id).update(status="on_hold")


def without_number(task: OutreachTask) -> None:
    task.attempts.update(outcome="wrong_number")
    ContactPoint.objects.filter(ties__patient=task.patient).update(status="bad")


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        (with_dan, "Dan is with this patient right now."),
        (settled, "This was settled meanwhile."),
        (without_number, "No number works: ask the desk for another."),
    ],
)
def test_for_whom_nothing_can_be_planned_it_says_why(
    clinic: Clinic, desk: Client, happens: Callable[[OutreachTask], None], says: str
) -> None:
    other, task = silent(clinic, 0), silent(clinic, 1)
    happens(task)
    page = looked_at(desk, other, task)
    assert says in page
    assert len(PICK.findall(page)) == 1
    press(desk, page)
    assert planned() == ["Dana0"]


@pytest.mark.parametrize("happens", [with_dan, settled])
def test_what_has_changed_since_is_left_out_by_name(
    clinic: Clinic, desk: Client, happens: Callable[[OutreachTask], None]
) -> None:
    other, task = silent(clinic, 0), silent(clinic, 1)
    page = looked_at(desk, other, task)
    happens(task)
    place = press(desk, page)
    assert planned() == ["Dana0"]
    assert "Dana1 Levi: " in desk.get(place).content.decode()


def test_another_way_than_the_one_read_is_not_planned(clinic: Clinic, desk: Client) -> None:
    task = silent(clinic)
    page = looked_at(desk, task)
    (pick,) = PICK.findall(page)
    whom, _channel, *rest = pick.split(" ")
    wrong = " ".join([whom, "voice", *rest])
    assert press(desk, page.replace(pick, wrong)) == "/silent/"
    assert planned() == []
    assert "Another way is the next one by now. Look again." in desk.get("/silent/").content.decode()


def test_two_people_plan_for_one_patient_once(clinic: Clinic, desk: Client) -> None:
    page = looked_at(desk, silent(clinic))
    dan = Client(headers={"accept-language": "en"})
    dan.force_login(builders.user(at=clinic))
    theirs = looked_at(dan, OutreachTask.objects.get())
    press(desk, page)
    press(dan, theirs)
    assert planned() == ["Dana0"]
    assert "A way not tried yet is planned already" in looked_at(dan, OutreachTask.objects.get())


def test_all_of_one_cause_are_meant(clinic: Clinic, desk: Client) -> None:
    silent(clinic, 0)
    without_number(silent(clinic, 1))
    page = desk.get("/silent/").content.decode()
    assert "/silent/together/?cause=one_channel" in page
    assert "/silent/together/?cause=number_bad" in page
    page = desk.get("/silent/together/?cause=one_channel").content.decode()
    assert ["Dana0" in page, "Dana1" in page] == [True, False]
    assert desk.get("/silent/together/?cause=moon").status_code == 404
    assert desk.get("/silent/together/?cause=exhausted")["Location"] == "/silent/"


@pytest.mark.parametrize("rows", [1, 3, 50])
@pytest.mark.parametrize(("by", "costs"), [("task", 14), ("cause", 13)])
def test_looking_costs_the_same_however_many(
    clinic: Clinic, desk: Client, by: str, costs: int, rows: int
) -> None:
    tasks = [silent(clinic, n) for n in range(rows)]
    asked = {"task": "&".join(f"task={task.public_id}" for task in tasks), "cause": "cause=one_channel"}
    with CaptureQueriesContext(connection) as seen:
        page = desk.get(f"/silent/together/?{asked[by]}").content.decode()
    assert (len(seen), len(PICK.findall(page))) == (costs, rows)


def test_more_than_anybody_reads_are_not_planned_at_once(
    clinic: Clinic, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "MOST", 2)
    tasks = [silent(clinic, n) for n in range(3)]
    page = looked_at(desk, *tasks)
    assert "There are more" in page
    assert len(PICK.findall(page)) == 2


def test_nobody_chosen_and_nonsense_plan_nothing(clinic: Clinic, desk: Client) -> None:
    task, strange = silent(clinic), silent(builders.clinic())
    pick = PICK.findall(looked_at(desk, task))
    key = "a" * screen.KEY
    assert desk.get("/silent/together/")["Location"] == "/silent/"
    assert desk.post(PLAN, {"key": key})["Location"] == "/silent/"
    stranger = pick[0].replace(str(task.public_id), str(strange.public_id))
    for wrong in ({"plan": pick}, {"plan": ["x"], "key": key}, {"plan": [stranger], "key": key}):
        assert desk.post(PLAN, wrong).status_code == 404
    for whom in (strange.public_id, "x"):
        assert desk.get(f"/silent/together/?task={whom}").status_code == 404
    for other in (key, "", "a_key"):
        assert desk.get(f"/silent/together/planned/?key={other}")["Location"] == "/silent/"
    assert planned() == []


def test_what_was_reached_since_is_not_undone(clinic: Clinic, desk: Client) -> None:
    place = press(desk, looked_at(desk, silent(clinic, 0), silent(clinic, 1)))
    left = Attempt.objects.filter(status=AttemptStatus.PLANNED, patient__given_name="Dana0")
    left.update(status=AttemptStatus.SENT, sent_at=NOW, called_at=NOW)
    undo(desk, place)
    assert planned() == []
    page = desk.get("/silent/").content.decode()
    assert "Dana0 Levi: The patient was contacted at" in page
    assert "Undone for 1 patient." in page
