"""The incoming caller through HTTP: found while typing, answered in one line, her chase counted, a time promised."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from journeys.chases import Promise, make_promise
from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind
from journeys.watch import watch_steps
from patients.models import Clinic, Patient, Role
from referrals.models import Referral
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.clocks import local
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


@pytest.fixture
def dana(clinic: Clinic) -> Patient:
    return builders.patient(clinic, language="ru", national_id="123456782")


def desk(clinic: Clinic, role: str = Role.RECEPTIONIST) -> Client:
    client = Client()
    client.force_login(builders.user(role, at=clinic))
    return client


def waiting(dana: Patient, **fields: Any) -> Referral:
    return builders.referral(dana, **fields)


def arrived(dana: Patient, *, days: int = 2) -> Step:
    """The images came days ago; the doctor has not decided and is late."""
    referral = waiting(dana)
    document = builders.document(dana.clinic)
    referral.results.create(document=document, source_id="x", received_at=NOW - timedelta(days=days))
    dana.journeys.get(referrals=referral).steps.update(
        status="completed", completed_at=NOW - timedelta(days=days), outcome="received"
    )
    return builders.step(
        referral.journey, kind=StepKind.REVIEW, owner_role=OwnerRole.DOCTOR, due_at=NOW - timedelta(days=1)
    )


@pytest.mark.parametrize("typed", ["Dana", "levi da", "050-234", "0502345678", "123456782"])
def test_the_caller_is_found_while_typing(clinic: Clinic, dana: Patient, typed: str) -> None:
    builders.patient(given_name="Dana", family_name="Levi")  # of another clinic
    part = desk(clinic).get("/caller/", {"q": typed}, headers=HTMX).content.decode()
    assert part.count("<li>") == 1
    assert f"/caller/{dana.public_id}/" in part
    assert "<html" not in part


def test_the_code_of_a_referral_finds_its_patient(clinic: Clinic, dana: Patient) -> None:
    builders.patient(clinic, given_name="Igor", phone="050-234-5679")
    code = waiting(dana, code="R-7KQ2MX9P").code
    part = desk(clinic).get("/caller/", {"q": code}, headers=HTMX).content.decode()
    assert (part.count("<li>"), f"/caller/{dana.public_id}/" in part) == (1, True)


def test_at_most_eight_are_shown_and_one_letter_finds_nobody(clinic: Clinic) -> None:
    for n in range(9):
        builders.patient(clinic, phone=f"050-234-56{n}0")
    client = desk(clinic)
    assert client.get("/caller/", {"q": "Levi"}, headers=HTMX).content.decode().count("<li>") == 8
    assert client.get("/caller/", {"q": "L"}, headers=HTMX).content.decode().count("<li>") == 0


@pytest.mark.parametrize("rows", [1, 3])
def test_matches_cost_the_same_whoever_fits(clinic: Clinic, rows: int) -> None:
    for n in range(rows):
        builders.patient(clinic, phone=f"050-234-56{n}0")
    client = desk(clinic)
    with CaptureQueriesContext(connection) as seen:
        client.get("/caller/", {"q": "Levi"}, headers=HTMX)
    assert len(seen) == 7


def test_without_javascript_the_matches_are_a_page(clinic: Clinic, dana: Patient) -> None:
    page = desk(clinic).get("/caller/", {"q": "dana", "next": "/today/?item=1"}).content.decode()
    assert "<html" in page
    assert f"/caller/{dana.public_id}/?next=/today/%3Fitem%3D1" in page


def test_the_card_is_one_line_out_of_real_rows(clinic: Clinic, dana: Patient) -> None:
    builders.appointment(
        dana,
        status="pending",
        awaits=arrived(dana),
        hold_until=NOW + HOUR,
        start=local("2026-03-17 14:30"),
    )
    page = desk(clinic).get(f"/caller/{dana.public_id}/").content.decode()
    assert (
        "Your results arrived Saturday 10:00, Dr Cohen was to decide by yesterday 10:00 and is late; "
        "Tuesday 17 March 14:30 is kept for you."
    ) in page


def test_several_journeys_begin_with_the_most_pressing(clinic: Clinic, dana: Patient) -> None:
    builders.step(builders.journey(dana), kind=StepKind.RECALL, due_at=local("2026-09-01 12:00"))
    builders.step(builders.journey(dana), kind=StepKind.BOOK, due_at=NOW - HOUR)
    page = desk(clinic).get(f"/caller/{dana.public_id}/").content.decode()
    assert page.index("You were to hear from us by today 09:00") < page.index("check-up is in September")


@pytest.mark.parametrize("journeys", [0, 1, 3])
def test_the_card_costs_the_same_however_much_is_open(clinic: Clinic, dana: Patient, journeys: int) -> None:
    builders.step(builders.journey(dana))
    for _n in range(journeys):
        arrived(dana)
    client = desk(clinic)
    with CaptureQueriesContext(connection) as seen:
        client.get(f"/caller/{dana.public_id}/", headers=HTMX)
    assert len(seen) == 14  # the last two are the audit trail's: whose page this was, and that it was read


def test_a_chase_is_counted_once_and_the_words_to_say_are_in_both_languages(
    clinic: Clinic, dana: Patient
) -> None:
    step = arrived(dana)
    client = desk(clinic)
    for _press in range(2):
        part = client.post(
            f"/caller/{dana.public_id}/chased/", {"words": "where is it?"}, headers=HTMX
        ).content.decode()
    event = StepEvent.objects.get(kind=EventKind.CHASED)
    assert (event.step, event.detail, event.by is not None) == (step, "where is it?", True)
    assert "You are right: it reached us Saturday 10:00 and it was for us to call. Sorry." in part
    assert 'lang="ru"' in part


def test_from_another_screen_she_goes_back_there_with_the_words(clinic: Clinic, dana: Patient) -> None:
    step = arrived(dana)
    where = {"next": f"/today/?item={step.public_id}"}
    client = desk(clinic)
    answer = client.post(f"/caller/{dana.public_id}/chased/", where)
    assert (answer.status_code, answer["Location"]) == (302, where["next"])
    assert "You are right" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "today"]
)
def test_the_way_back_is_a_path_of_ours(clinic: Clinic, dana: Patient, elsewhere: str) -> None:
    arrived(dana)
    answer = desk(clinic).post(f"/caller/{dana.public_id}/chased/", {"next": elsewhere})
    assert answer["Location"] == f"/caller/{dana.public_id}/"


def of_the_patient(dana: Patient) -> Step:
    return builders.step(builders.journey(dana), kind=StepKind.AWAIT_PATIENT, owner_role=OwnerRole.PATIENT)


def nothing(dana: Patient) -> None:
    ended = builders.journey(dana, status="completed", ended_at=NOW - HOUR)
    assert not ended.steps.exists()


@pytest.mark.parametrize("is_open", [of_the_patient, nothing])
def test_with_nothing_of_ours_open_the_call_counts_against_the_answer_that_is_promised(
    clinic: Clinic, dana: Patient, is_open: Callable[[Patient], object]
) -> None:
    is_open(dana)
    client = desk(clinic)
    for _press in range(2):
        answer = client.post(f"/caller/{dana.public_id}/chased/", {"words": "my bill?"}, headers=HTMX)
        assert answer.status_code == 200
    made, chase = Step.objects.get(kind=StepKind.PROMISE), StepEvent.objects.get(kind=EventKind.CHASED)
    assert (chase.step, chase.detail, chase.clinic) == (made, "my bill?", clinic)
    assert (made.title, made.due_at, made.owner) == ("my bill?", NOW + HOUR, chase.by)
    assert made.journey.patient == dana


def test_the_time_that_was_promised_by_it_is_told(clinic: Clinic, dana: Patient) -> None:
    page = desk(clinic).post(f"/caller/{dana.public_id}/chased/", headers=HTMX).content.decode()
    assert "Noted. Promised: an answer by today 11:00." in page


def promised(client: Client, dana: Patient, **said: str) -> Any:
    return client.post(f"/caller/{dana.public_id}/promise/", said)


def test_a_picked_time_is_the_clinics_own(clinic: Clinic, dana: Patient) -> None:
    Clinic.objects.update(time_zone="Asia/Kolkata")
    answer = promised(desk(clinic, Role.DOCTOR), dana, picked="2026-03-10T11:30", words="the plan")
    assert answer.status_code == 302
    made = Step.objects.get(kind=StepKind.PROMISE)
    assert (made.due_at, made.title) == (local("2026-03-10 11:30", "Asia/Kolkata"), "the plan")
    assert (made.owner_role, made.owner is not None) == (OwnerRole.DOCTOR, True)


def test_a_chip_is_the_instant_that_was_read_aloud(clinic: Clinic, dana: Patient) -> None:
    at = NOW + HOUR
    assert promised(desk(clinic), dana, at=at.isoformat(), owner="manager").status_code == 302
    made = Step.objects.get(kind=StepKind.PROMISE)
    assert (made.due_at, made.owner_role, made.owner) == (at, OwnerRole.MANAGER, None)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "Choose by when"),
        ({"picked": "2026-03-09T09:00"}, "still to come"),
        ({"picked": "2026-03-09T23:00"}, "The clinic is closed then; it opens Tuesday 10 March 08:00."),
        ({"picked": "9999-03-09T23:00"}, "still to come"),
        ({"picked": "soon"}, "Write the day and the time."),
        ({"at": "nonsense"}, "Choose by when"),
        ({"at": "2026-03-09T12:00"}, "Choose by when"),
        ({"picked": "2026-03-10T12:00", "owner": "nobody"}, "Select a valid choice"),
    ],
)
def test_a_time_nobody_can_keep_is_refused_and_nothing_typed_is_lost(
    clinic: Clinic, dana: Patient, said: dict[str, str], words: str
) -> None:
    page = promised(desk(clinic), dana, words="about the plan", **said)
    assert page.status_code == 422
    assert words in page.content.decode()
    assert 'value="about the plan"' in page.content.decode()
    assert not Step.objects.exists()


def test_a_promise_stands_on_the_patients_own_page(clinic: Clinic, dana: Patient) -> None:
    journey = builders.journey(dana, status="completed", ended_at=NOW - HOUR)
    page = OwnPage(journey)
    assert "Nothing is open" in page.text("?lang=en")
    make_promise(dana, Promise("tooth 36, call the lab", NOW + HOUR), now=NOW)
    assert "We promised you an answer by <b>Monday 9 March, 11:00</b>." in page.text("?lang=en")
    assert "tooth 36" not in page.text("?lang=en")
    assert "tooth 36, call the lab" in page.prove(dana).text("?lang=en")
    with time_machine.travel(NOW + HOUR, tick=False):
        assert "We are late, and we are sorry" in OwnPage(journey).text("?lang=en")


def test_a_broken_promise_is_in_the_managers_today_and_in_its_makers(clinic: Clinic, dana: Patient) -> None:
    rina, manager = desk(clinic), desk(clinic, Role.MANAGER)
    promised(rina, dana, at=(NOW + HOUR).isoformat(), words="the price")
    late = NOW + HOUR * 2
    watch_steps(now=late)
    with time_machine.travel(late, tick=False):
        for client in (manager, rina):
            client.force_login(User.objects.get(pk=client.session["_auth_user_id"]))  # two hours idle
            assert "and are late: the price" in client.get("/today/").content.decode()
        assert "the price" not in desk(clinic).get("/today/").content.decode()


def test_two_clinics_of_one_user_are_two_places(clinic: Clinic, dana: Patient) -> None:
    other = builders.clinic(name="A first clinic")
    client, rina = Client(), builders.user(at=other)
    rina.memberships.create(clinic=clinic, role=Role.RECEPTIONIST)
    client.force_login(rina)  # her first clinic by name
    assert client.get(f"/caller/{dana.public_id}/").status_code == 404
    assert "<li>" not in client.get("/caller/", {"q": "Levi"}, headers=HTMX).content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_ledgers_cost_the_same_however_long(clinic: Clinic, rows: int) -> None:
    manager = desk(clinic, Role.MANAGER)
    for n in range(rows):
        step = builders.step(builders.journey(builders.patient(clinic, phone=f"050-234-56{n}0")))
        StepEvent.objects.create(
            step=step, clinic=step.clinic, kind=EventKind.CHASED, at=NOW, detail=f"asked {n}"
        )
        builders.step(step.journey, kind=StepKind.PROMISE, title=f"promise {n}", due_at=NOW - HOUR)
    with CaptureQueriesContext(connection) as seen:
        page = manager.get("/reports/ledgers/").content.decode()
    assert len(seen) == 12
    assert page.count("asked ") == rows
    assert page.count("promise ") == rows


def test_the_ledgers_are_paged_by_key(clinic: Clinic) -> None:
    step = builders.step(builders.journey(builders.patient(clinic)))
    StepEvent.objects.bulk_create(
        StepEvent(step=step, clinic=clinic, kind=EventKind.CHASED, at=NOW, detail=f"call-{n:02}")
        for n in range(27)
    )
    manager = desk(clinic, Role.MANAGER)
    first = manager.get("/reports/ledgers/").content.decode()
    assert (first.count("call-"), "call-26" in first, "call-01" in first) == (25, True, False)
    last = StepEvent.objects.get(detail="call-02").pk
    assert f"?chase={last}" in first
    second = manager.get(f"/reports/ledgers/?chase={last}").content.decode()
    assert (second.count("call-"), "call-01" in second) == (2, True)
    assert manager.get("/reports/ledgers/?chase=x&promise=99999999999999999999").status_code == 200


@pytest.mark.parametrize(("role", "status"), [("receptionist", 403), ("doctor", 403), ("admin", 200)])
def test_the_ledgers_are_for_managers(clinic: Clinic, role: str, status: int) -> None:
    assert desk(clinic, role).get("/reports/ledgers/").status_code == status
