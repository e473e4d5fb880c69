"""A price keeps its order within a sentence that runs the other way, and the sentence its own."""

import re

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
LANGUAGES = [code for code, _name in settings.LANGUAGES]
PRICE = re.compile(r'<bdi class="whole" dir="(\w+)">80 ₪</bdi>')


def direction_of(language: str) -> str:
    return "rtl" if language in settings.LANGUAGES_BIDI else "ltr"


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("query", ["flu vaccine for grown-ups", "vaccine", ""])
def test_a_price_follows_the_language_of_the_page(clinic: Clinic, language: str, query: str) -> None:
    for name in ("Flu vaccine for grown-ups", "Flu vaccine for children"):
        builders.offering(clinic, stock=3, names={"en": name})
    client = logged_in(Role.MANAGER, clinic)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    page = client.get("/ask/", {"what": query}) if query else client.get("/offerings/")
    prices = PRICE.findall(page.content.decode())
    assert prices == [direction_of(language)] * 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_run_as_the_language_they_are_said_in(clinic: Clinic, language: str) -> None:
    builders.offering(clinic, stock=3)  # its name stands there in English alone
    client = logged_in(Role.RECEPTIONIST, clinic)
    page = client.get("/ask/", {"what": "flu", "language": language}).content.decode()
    assert f'<p class="ask-words" lang="{language}" dir="{direction_of(language)}">Flu vaccine' in page


@pytest.mark.parametrize("language", sorted({*settings.LANGUAGES_BIDI} & {*LANGUAGES}))
def test_a_price_within_a_sentence_is_told_which_way_it_runs(language: str) -> None:
    with translation.override(language):
        assert '<bdi dir="rtl">%(price)s</bdi>' in gettext("It costs <bdi>%(price)s</bdi> at most.")
