"""The bar of every page: what waits behind each word of it, in one statement, and the way to a new patient."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from clinic_journey.bar import counts_of
from journeys.models import OwnerRole, Step, StepKind
from outreach.answers import ask_of
from outreach.models import Reply
from patients.access import Here
from patients.models import Clinic, Role
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


def test_what_waits_is_counted_in_this_clinic_alone(clinic: Clinic, here: Here) -> None:
    for place in (clinic, builders.clinic()):
        for n in range(2):
            somebody(place, n, kind=StepKind.REVIEW, owner_role=OwnerRole.DOCTOR)
        writer = builders.patient(place, phone="050-234-5002")
        for words in ("When?", "And where?"):
            matter = ask_of(writer, words, now=NOW)
            Reply.objects.create(clinic=place, patient=writer, at=NOW, body=words, step=matter, matter=matter)
    assert counts_of(here) == {"inbox": 1, "results": 2}


def test_a_page_counts_all_of_it_in_one_statement(
    clinic: Clinic, here: Here, django_assert_num_queries: Any
) -> None:
    somebody(clinic, 0, kind=StepKind.REVIEW, owner_role=OwnerRole.DOCTOR)
    for on_today in (False, True):
        with django_assert_num_queries(1):
            counts_of(here, on_today=on_today)
    page = browser(here.user).get("/waiting/").content.decode()
    assert re.search(r'href="/results/">Results <span class="count">1</span>', page)


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


def test_thanks_for_her_and_a_handover_are_told_in_today(clinic: Clinic, here: Here) -> None:
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
    told("/team/")  # she reads them
    assert 'Team <span class="count">' not in told("/today/")
    assert 'Team <span class="count">' not in browser(colleague).get("/today/").content.decode()
