"""The answer sheet for everybody: no login, four languages, and nothing of what is not for everybody."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from clinic_journey.offered_page import PAGES_A_MINUTE, PAGES_OF_ALL_HIDDEN
from inquiries.models import StockBatch
from patients.models import Clinic, Language
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture(autouse=True)
def _nobody_has_asked() -> None:
    cache.clear()


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


def shown(clinic: Clinic, query: str = "") -> str:
    answer = Client().get(f"/offered/{clinic.slug}/{query}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_whether_and_for_how_much_and_not_how_many(clinic: Clinic) -> None:
    builders.offering(clinic, stock=37, is_public=True)
    page = shown(clinic)
    assert "Yes, we have it. It costs <bdi>80 ₪</bdi> at most." in page
    assert "37" not in page


@pytest.mark.parametrize("stock", [3, 0])
@pytest.mark.parametrize(("days", "is_old"), [(6, False), (7, True)])
def test_what_was_counted_long_ago_is_asked_about(
    clinic: Clinic, stock: int, days: int, *, is_old: bool
) -> None:
    builders.offering(clinic, stock=stock, is_public=True)
    StockBatch.objects.update(counted_at=NOW - timedelta(days=days))
    page = shown(clinic)
    flat = "Yes, we have it." if stock else "There is none left at the moment."
    assert ("Please ask whether we have it." in page, flat in page) == (is_old, not is_old)
    assert "80 ₪" in page


def test_what_is_not_for_everybody_is_not_there(clinic: Clinic) -> None:
    hidden = builders.offering(clinic, stock=1, names={"en": "Secret cream"})
    builders.offering(clinic, is_public=True, is_active=False, names={"en": "Old cream"})
    builders.offering(builders.clinic(), is_public=True, names={"en": "Strange cream"})
    for query in ("", "?q=cream", f"?offering={hidden.pk}"):
        page = shown(clinic, query)
        assert "Nothing on our list is called that." in page
        assert [name for name in ("Secret", "Old", "Strange") if f"{name} cream" in page] == []


def test_one_alone_says_when(clinic: Clinic) -> None:
    builders.offering(clinic, stock=1, is_public=True, visit_type=builders.visit_type(clinic))
    builders.offering(clinic, stock=0, is_public=True, names={"en": "Hepatitis A"})
    builders.open_time(builders.practitioner(clinic), NOW + timedelta(hours=2))
    assert "12:00" not in shown(clinic)
    assert "Monday 9 March, 12:00" in shown(clinic, "?q=flu")
    assert "There is none left at the moment." in shown(clinic, "?q=hepatitis")


@pytest.mark.parametrize("language", Language.values)
def test_in_the_language_that_is_chosen(clinic: Clinic, language: str) -> None:
    builders.offering(clinic, stock=1, is_public=True, names={language: "flu", "en": "Flu vaccine"})
    page = shown(clinic, f"?lang={language}")
    assert f'<html lang="{language}"' in page


def test_no_clinic_no_page() -> None:
    assert Client().get("/offered/nowhere/").status_code == 404


def test_a_script_that_leafs_through_us_is_slowed_down(clinic: Clinic) -> None:
    answers = [Client().get(f"/offered/{clinic.slug}/").status_code for _page in range(PAGES_A_MINUTE + 1)]
    assert answers == [200] * PAGES_A_MINUTE + [429]
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert other.get(f"/offered/{clinic.slug}/").status_code == 200


def test_a_header_that_hides_the_caller_switches_no_limit_off(clinic: Clinic) -> None:
    hidden = Client(headers={"X-Forwarded-For": "192.0.2.9"})
    asked = PAGES_A_MINUTE + 1
    assert {hidden.get(f"/offered/{clinic.slug}/").status_code for _page in range(asked)} == {200}
    cache.incr("offered:hidden", PAGES_OF_ALL_HIDDEN - asked)
    another = Client(REMOTE_ADDR="192.0.2.7", headers={"X-Forwarded-For": "192.0.2.8"})
    assert another.get(f"/offered/{clinic.slug}/").status_code == 429
    assert Client().get(f"/offered/{clinic.slug}/").status_code == 200
