import pytest
from django.conf import settings
from django.test import RequestFactory
from django.utils import translation

from clinic_journey.language import NATIVE_NAMES, context, text_direction


@pytest.mark.parametrize(
    ("language", "direction"), [("en", "ltr"), ("he", "rtl"), ("ar", "rtl"), ("ru", "ltr"), ("he-il", "rtl")]
)
def test_language_decides_the_direction(language: str, direction: str) -> None:
    assert text_direction(language) == direction


def test_every_language_of_the_product_has_its_own_name() -> None:
    assert set(NATIVE_NAMES) == {code for code, _name in settings.LANGUAGES}


def test_context_follows_the_active_language_and_the_path() -> None:
    with translation.override("ar"):
        found = context(RequestFactory().get("/patients/7/"))
    assert (found["text_direction"], found["section"]) == ("rtl", "patients")
    assert found["page_languages"] == [
        ("en", "English"),
        ("he", "עברית"),
        ("ru", "Русский"),
        ("ar", "العربية"),
    ]
