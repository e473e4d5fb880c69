"""The menu under a person's name leads managers, and nobody else, to what only they may open."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from patients.models import Membership, Role
from tests import builders

pytestmark = pytest.mark.django_db
FOR_MANAGERS = {reverse(name) for name in ("audit", "imports", "reports", "setup", "setup_words")}


@pytest.mark.parametrize(
    ("role", "led_to"), [(Role.MANAGER, FOR_MANAGERS), (Role.ADMIN, FOR_MANAGERS), (Role.RECEPTIONIST, set())]
)
def test_managers_are_led_to_their_pages(client: Client, role: Role, led_to: set[str]) -> None:
    client.force_login(builders.user(role, at=builders.clinic()))
    page = client.get("/waiting/").content.decode()
    assert {address for address in FOR_MANAGERS if f'href="{address}"' in page} == led_to


def test_reports_lead_to_every_report(client: Client) -> None:
    client.force_login(builders.user(Role.MANAGER, at=builders.clinic()))
    tabs = {
        reverse(name)
        for name in (
            "reports",
            "standards",
            "reach_times",
            "report_questions",
            "digest",
            "ledgers",
            "refused_holds",
            "patients:cards",
        )
    }
    for address in sorted(tabs - {reverse("patients:cards")}):
        page = client.get(address).content.decode()
        assert {tab for tab in tabs if f'href="{tab}"' in page} == tabs


def test_whoever_works_in_two_clinics_goes_from_one_to_the_other(client: Client) -> None:
    first, second = builders.clinic(name="Alon <Haifa>"), builders.clinic(name="Oren Clinic")
    dana = builders.user(Role.RECEPTIONIST, at=first)
    Membership.objects.create(user=dana, clinic=second, role=Role.DOCTOR)
    client.force_login(dana)
    page = client.get("/waiting/").content.decode()
    assert "You are in Alon &lt;Haifa&gt;. Go to:" in page
    choose = re.search(
        r'<form method="post" action="([^"]+)">(?:(?!</form>).)*?name="clinic" value="(\d+)"', page, re.DOTALL
    )
    assert choose is not None
    gone = client.post(choose[1], {"clinic": choose[2]}, follow=True)
    assert gone.redirect_chain == [("/", 302), ("/results/", 302)]  # the first page of a doctor
    assert "You are in Oren Clinic." in gone.content.decode()


def test_whoever_works_in_one_clinic_has_nothing_to_choose(client: Client) -> None:
    client.force_login(builders.user(Role.RECEPTIONIST, at=builders.clinic()))
    builders.clinic()
    page = client.get("/waiting/").content.decode()
    assert "You are in" not in page
    assert 'name="clinic"' not in page
