"""While the database does not answer: 503 and words for people, for programs and for providers."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import override_settings
from django.urls import path
from rest_framework.test import APIClient

from clinic_journey.urls import handler500, urlpatterns as ours
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.time_machine(NOW, tick=False)]
WORDS = "The data cannot be reached at this moment. Please try again in a minute."
NOWHERE = {"PORT": 1} if connection.vendor == "postgresql" else {"NAME": "/nowhere/clinic.sqlite3"}


def divide(_request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [path("divide/", divide), *ours]
assert handler500  # ours, here too


@pytest.fixture
def away() -> Iterator[None]:
    usual = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(NOWHERE)
    yield
    connection.settings_dict.update(usual)


@pytest.fixture
def desk() -> Client:
    """Logged in before the database goes."""
    client = Client(raise_request_exception=False)
    client.force_login(builders.user(at=builders.clinic()))
    return client


def test_a_page_asks_to_try_again(desk: Client, away: None) -> None:
    answer = desk.get("/today/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert WORDS in answer.content.decode()


def test_the_page_speaks_the_readers_language(desk: Client, away: None) -> None:
    answer = desk.get("/today/", headers={"Accept-Language": "he"})
    assert 'dir="rtl"' in answer.content.decode()


def test_a_program_gets_the_same_as_json(away: None) -> None:
    answer = APIClient(raise_request_exception=False).get(
        "/api/v1/patients/", headers={"Authorization": "Token x"}
    )
    assert (answer.status_code, answer.json()) == (503, {"code": "unavailable", "detail": WORDS})


@override_settings(ROOT_URLCONF="tests.clinic_journey.test_away")
def test_what_breaks_by_our_fault_is_not_excused(desk: Client) -> None:
    answer = desk.get("/divide/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
