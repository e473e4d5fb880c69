import pytest
from django.conf import settings
from django.test import RequestFactory
from django.utils import translation

from clinic_journey.language import MONDAY, NATIVE_NAMES, SUNDAY, context, first_weekday, text_direction


@pytest.mark.parametrize(
    ("language", "direction", "weekday"),
    [
        ("en", "ltr", SUNDAY),
        ("he", "rtl", SUNDAY),
        ("ar", "rtl", SUNDAY),
        ("ru", "ltr", MONDAY),
        ("he-il", "rtl", SUNDAY),
    ],
)
def test_language_decides_direction_and_first_weekday(language: str, direction: str, weekday: int) -> None:
    assert text_direction(language) == direction
    assert first_weekday(language) == weekday


def test_every_language_of_the_product_has_its_own_name() -> None:
    assert set(NATIVE_NAMES) == {code for code, _name in settings.LANGUAGES}


def test_context_follows_the_active_language_and_the_path() -> None:
    with translation.override("ar"):
        found = context(RequestFactory().get("/patients/7/"))
    assert (found["text_direction"], found["first_weekday"], found["section"]) == ("rtl", SUNDAY, "patients")
    assert found["page_languages"] == [
        ("en", "English"),
        ("he", "עברית"),
        ("ru", "Русский"),
        ("ar", "العربية"),
    ]
