"""The list of patients: what a row says, and that nothing a patient is called becomes part of the page."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from patients.actions import CardAnswers, save_card
from patients.models import Channel, Clinic
from patients.views import PAGE
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en", country="IL")


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(builders.user(at=clinic))
    return client


def row(page: str) -> list[str]:
    body = page.partition("<tbody data-rows>")[2].partition("</tbody>")[0]
    return [" ".join(line.split()) for line in body.splitlines() if line.strip()]


def test_a_row_says_how_the_patient_is_reached(clinic: Clinic, desk: Client) -> None:
    patient = builders.patient(clinic, birth_date=date(1991, 5, 4), language="ru")
    waiting = '<span class="pill pill-waiting">preference not asked</span>'
    expected = [
        f'<tr><th scope="row"><a href="/patients/{patient.public_id}/"><bdi>Dana Levi</bdi></a></th>',
        '<td data-label="Speaks">Russian</td>',
        f'<td data-label="Reach by">SMS <bdi dir="ltr">050-234-5678</bdi> {waiting}</td>',
        '<td class="numbers" data-label="Born">4.5.1991</td>',
        '<td class="numbers" data-label="Patient since">9.3.2026</td></tr>',
    ]
    assert row(desk.get("/patients/").content.decode()) == expected
    save_card(patient, CardAnswers(Channel.SMS, (), "ru"), now=NOW, by=builders.user())
    expected[2] = '<td data-label="Reach by">SMS <bdi dir="ltr">050-234-5678</bdi></td>'
    assert row(desk.get("/patients/").content.decode()) == expected


def test_what_is_not_known_is_a_dash_and_a_name_is_only_a_name(clinic: Clinic, desk: Client) -> None:
    builders.patient(clinic, given_name="<b>{page}", family_name="{0} & {}", birth_date=None, phone="")
    name, *_rest, born, _since = row(desk.get("/patients/").content.decode())
    assert "<bdi>&lt;b&gt;{page} {0} &amp; {}</bdi>" in name
    assert born == '<td class="numbers" data-label="Born">–</td>'


def test_the_words_of_a_row_are_the_readers(clinic: Clinic, desk: Client) -> None:
    builders.patient(clinic)
    with translation.override("en"):  # the page leaves its language behind
        page = desk.get("/patients/", headers={"accept-language": "he"}).content.decode()
    assert "preference not asked" not in page
    assert "עברית" in row(page)[1]


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_list_asks_as_much_for_one_row_as_for_two_hundred(
    clinic: Clinic, desk: Client, rows: int, django_assert_num_queries: Any
) -> None:
    for n in range(rows):
        told = builders.patient(clinic, given_name=f"P{n}", phone=f"050-234-{5000 + n}")
        save_card(told, CardAnswers(Channel.SMS), by=None, now=NOW)
    desk.get("/patients/")
    for path in ("/patients/", "/patients/?q=levi"):
        with django_assert_num_queries(6):
            page = desk.get(path).content.decode()
        assert page.count('<th scope="row">') == min(rows, PAGE)
