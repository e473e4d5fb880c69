"""The routine of a desk: what is counted stands there, the two minutes go round, and a manager writes the rest."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic_journey import routine
from clinic_journey.models import RoutineWords
from clinic_journey.reports.standards_actions import Strictness, change_standard, load_standards
from journeys.models import StepKind
from patients.models import Clinic, Role
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PAGE, CHANGE = "/routine/", "/routine/change/"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


def reader(clinic: Clinic, role: str = Role.RECEPTIONIST) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(role, at=clinic))
    return client


def shown(client: Client) -> dict[str, dict[str, int | None]]:
    """By half of the day what each line counts."""
    halves = client.get(PAGE).context["halves"]
    return {half.moment: {str(look.words): look.number for look in half.looks} for half in halves}


def test_what_is_open_is_counted_as_it_is_and_of_this_clinic_alone(clinic: Clinic) -> None:
    for where in (clinic, builders.clinic()):
        journey = builders.journey(builders.patient(where))
        builders.step(journey, kind=StepKind.PROMISE, due_at=NOW + HOUR)
        builders.step(journey, due_at=NOW - HOUR)
        builders.step(journey, due_at=NOW + 2 * DAY)
        builders.appointment(builders.patient(where), start=NOW + HOUR)
        builders.handover(where, by=builders.user(at=where))
    assert shown(reader(clinic)) == {
        "opening": {
            "Shifts to take over": 1,
            "The doctor asked: call today": 0,
            "Promises that come due today": 1,
            "Already late": 1,
            "Come today or tomorrow without a service card": 1,
        },
        "closing": {"Due today, and not done": 2, "Patients who wrote and wait for an answer": 0},
    }


@pytest.mark.parametrize(("hours", "first"), [(0, "opening"), (3, "closing")])  # at ten, and at one
def test_the_half_of_the_day_that_is_now_stands_first(clinic: Clinic, hours: int, first: str) -> None:
    with time_machine.travel(NOW + hours * HOUR, tick=False):
        assert next(iter(shown(reader(clinic)))) == first


def test_the_two_minutes_go_round_all_standards_that_are_counted(clinic: Clinic) -> None:
    load_standards([clinic])
    off, own = clinic.standards.get(key="card"), clinic.standards.get(key="decided")
    change_standard(off, Strictness(95, is_on=False, off_because="By letter"))
    change_standard(own, Strictness(90, is_on=True, limit=own.limit, routine="Look at the tray."))
    client, seen = reader(clinic), []
    for n in range(13):
        with time_machine.travel(NOW + n * DAY, tick=False):
            client.force_login(builders.user(at=clinic))
            seen.append(client.get(PAGE).context["today_two"].key)
    assert sorted(seen) == sorted(clinic.standards.exclude(key="card").values_list("key", flat=True))
    with time_machine.travel(NOW + seen.index("decided") * DAY, tick=False):
        client.force_login(builders.user(at=clinic))
        assert "Look at the tray." in client.get(PAGE).content.decode()


def test_a_manager_writes_lines_of_the_clinic_and_everybody_reads_them(clinic: Clinic) -> None:
    manager = reader(clinic, Role.MANAGER)
    given = {"opening": "Water the plants\n\n  Switch on the screen ", "closing": ""}
    assert manager.post(CHANGE, given).status_code == 302
    page = reader(clinic).get(PAGE).content.decode()
    assert "<bdi>Water the plants</bdi>" in page
    assert "<bdi>Switch on the screen</bdi>" in page
    assert CHANGE not in page
    assert "Water the plants" not in reader(builders.clinic()).get(PAGE).content.decode()
    manager.post(CHANGE, {"opening": " ", "closing": "Lock the drawer"})
    assert [*RoutineWords.objects.values_list("moment", "words")] == [("closing", "Lock the drawer")]


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
def test_only_managers_change_it(clinic: Clinic, role: str) -> None:
    assert reader(clinic, role).post(CHANGE, {"opening": "x"}).status_code == 403
    assert not RoutineWords.objects.exists()


def test_words_that_are_too_long_are_refused_and_stay_on_the_page(clinic: Clinic) -> None:
    answer = reader(clinic, Role.MANAGER).post(CHANGE, {"opening": "x" * 1001, "closing": ""})
    assert answer.status_code == 422
    assert "x" * 1001 in answer.content.decode()
    assert not RoutineWords.objects.exists()


def test_a_count_that_fails_leaves_the_others(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_clinic: Clinic) -> Any:
        raise RuntimeError

    monkeypatch.setattr(routine, "calls_today", broken)
    found = shown(reader(clinic))["opening"]
    assert (found["The doctor asked: call today"], found["Promises that come due today"]) == (None, 0)


@pytest.mark.parametrize("rows", [1, 30])
def test_the_page_costs_as_many_statements_whatever_there_is(clinic: Clinic, rows: int) -> None:
    load_standards([clinic])
    for n in range(rows):
        who = builders.patient(clinic, phone=f"050-234-{5600 + n}")
        builders.step(builders.journey(who), kind=StepKind.PROMISE, due_at=NOW + HOUR)
    client = reader(clinic)
    with CaptureQueriesContext(connection) as seen:
        assert shown(client)["opening"]["Promises that come due today"] == rows
    assert len([each for each in seen if each["sql"].startswith("SELECT")]) == 13


def test_it_is_one_press_from_today_and_from_the_handover(clinic: Clinic) -> None:
    client = reader(clinic)
    for page in ("/today/", "/handover/"):
        assert f'href="{PAGE}"' in client.get(page).content.decode()
    assert 'href="/handover/"' in client.get(PAGE).content.decode()


@pytest.mark.parametrize("fields", [{"words": ""}, {"moment": "noon"}, {}])
def test_lines_say_something_at_a_known_moment_once(clinic: Clinic, fields: dict[str, str]) -> None:
    given = {"clinic": clinic, "moment": "opening", "words": "x", "written_at": NOW}
    RoutineWords.objects.create(**given)
    with pytest.raises(IntegrityError), transaction.atomic():
        RoutineWords.objects.create(**{**given, **fields})
