"""The bar of every page: what waits behind each word of it, in one statement, and the way to a new patient."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from clinic_journey import desk
from clinic_journey.bar import counts_of
from clinic_journey.desk_queue import queue_of
from clinic_journey.models import AsideKind
from journeys.models import OwnerRole, Step, StepKind
from patients.access import Here
from patients.models import Channel, Clinic, Role
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
HOUR = timedelta(hours=1)


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def here(clinic: Clinic) -> Here:
    return Here(builders.user(at=clinic), clinic, Role.RECEPTIONIST, NOW)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def somebody(clinic: Clinic, n: int, **fields: Any) -> Step:
    return builders.step(builders.journey(builders.patient(clinic, phone=f"050-234-{5000 + n}")), **fields)


def call_about(step: Step, *, at: Any = NOW - HOUR) -> None:
    task = builders.task(step, plan_from=None)
    builders.attempt(task, channel=Channel.PHONE, send_at=at, expires_at=NOW + 3 * HOUR)


def of_today(clinic: Clinic) -> None:
    """Six rows of six people, and more that is not for now."""
    for n in range(2):
        call_about(somebody(clinic, n))
    called = somebody(clinic, 2)
    call_about(called)
    builders.step(called.journey, kind=StepKind.PROMISE, title="the price")
    for n in (3, 4):
        builders.step(somebody(clinic, n).journey, kind=StepKind.REFER)
    somebody(clinic, 5, kind=StepKind.IDENTIFY)
    call_about(somebody(clinic, 6), at=NOW + HOUR)
    somebody(clinic, 7, owner_role=OwnerRole.DOCTOR)


def test_today_is_counted_as_today_lists_it(clinic: Clinic, here: Here) -> None:
    of_today(clinic)
    of_today(builders.clinic())
    assert (len(queue_of(here).now), counts_of(here)["today"]) == (6, 6)
    parked = queue_of(here).now[0].due.public_id
    desk.set_aside(Step.objects.get(public_id=parked), AsideKind.PARKED, here=here)
    assert (len(queue_of(here).now), counts_of(here)["today"]) == (5, 5)
    doctor = Here(builders.user(Role.DOCTOR, at=clinic), clinic, Role.DOCTOR, NOW)
    assert (len(queue_of(doctor).now), counts_of(doctor)["today"]) == (1, 1)


def test_what_waits_is_counted_in_this_clinic_alone(clinic: Clinic, here: Here) -> None:
    for place in (clinic, builders.clinic()):
        for n in range(2):
            somebody(place, n, kind=StepKind.REVIEW, owner_role=OwnerRole.DOCTOR)
        builders.inquiry(place, answered_at=None, step=somebody(place, 2, kind=StepKind.PROMISE))
        builders.inquiry(place)
    found = counts_of(here)
    assert {name: found[name] for name in ("inbox", "results", "questions")} == {
        "inbox": 0,
        "results": 2,
        "questions": 1,
    }


def test_a_page_counts_all_of_it_in_one_statement(
    clinic: Clinic, here: Here, django_assert_num_queries: Any
) -> None:
    of_today(clinic)
    with django_assert_num_queries(1):
        counts_of(here)
    page = browser(here.user).get("/waiting/").content.decode()
    assert re.search(r'href="/today/">Today <span class="count">6</span>', page)
    today = " ".join(browser(here.user).get("/today/").content.decode().split())
    assert 'aria-current="page">Today </a>' in today  # its own heading counts, and goes on counting


def test_n_registers_a_patient_from_every_page_but_where_it_says_no(here: Here) -> None:
    client = browser(here.user)
    link = re.compile(r'href="/patients/new/" data-key="KeyN"')
    pages = {
        path: client.get(path).content.decode() for path in ("/today/", "/patients/", "/inbox/", "/ask/")
    }
    assert {path: len(link.findall(page)) for path, page in pages.items()} == {
        "/today/": 1,
        "/patients/": 1,
        "/inbox/": 1,
        "/ask/": 0,
    }


@pytest.mark.parametrize(
    ("role", "first"),
    [
        (Role.RECEPTIONIST, "/today/"),
        (Role.DOCTOR, "/results/"),
        (Role.MANAGER, "/reports/"),
        (Role.ADMIN, "/today/"),
    ],
)
def test_each_role_begins_on_its_own_page(clinic: Clinic, role: Role, first: str) -> None:
    client = browser(builders.user(role, at=clinic))
    assert client.get("/")["Location"] == first
    bar = client.get("/waiting/").content.decode().partition("<nav")[2].partition("</nav>")[0]
    assert ('href="/reports/"' in bar) == (role in {Role.MANAGER, Role.ADMIN})


def test_thanks_for_her_are_told_on_every_page_and_a_handover_in_today(clinic: Clinic, here: Here) -> None:
    colleague = builders.user(at=clinic)
    builders.praise(builders.patient(clinic), to=here.user)
    builders.handover(clinic, by=colleague)
    builders.handover(clinic, by=here.user)  # her own is nothing for her to take
    client = browser(here.user)

    def told(path: str) -> str:
        return " ".join(client.get(path).content.decode().split())

    today = told("/today/")
    assert 'Hand over the shift <span class="count">1</span>' in today
    assert 'Team <span class="count">1</span>' in today
    assert "thanks for you" in told("/waiting/")
    told("/team/")  # she reads them
    assert "thanks for you" not in told("/waiting/")
    assert 'Team <span class="count">' not in told("/today/")
    assert "thanks for you" not in browser(colleague).get("/waiting/").content.decode()
