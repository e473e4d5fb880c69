from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from journeys.models import StepTemplate
from outreach.models import MessageTemplate
from outreach.rendering import (
    PLACEHOLDERS,
    CannotRender,
    Facts,
    Texts,
    date_words,
    placeholders_in,
    sms_parts,
)
from tests import builders
from tests.conftest import NOW

FACTS = Facts(name="Dana", link="https://a.co/p/x/", who="Rina", by=NOW, date=NOW, until=NOW)
LANGUAGES = ("en", "he", "ru", "ar")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Tuesday 10 March, 19:00"),
        ("he", "יום שלישי 10 במרץ בשעה 19:00"),
        ("ru", "вторник, 10 марта, 19:00"),
        ("ar", "الثلاثاء 10 مارس، الساعة 19:00"),
    ],
)
def test_dates_are_said_in_the_patients_language_and_the_clinics_time(language: str, words: str) -> None:
    assert date_words(datetime(2026, 3, 10, 17, 0, tzinfo=UTC), "Asia/Jerusalem", language) == words


def test_a_deadline_stands_in_the_case_that_its_preposition_asks_for() -> None:
    words = date_words(NOW, "Asia/Jerusalem", "ru", deadline=True)
    assert words == "понедельника, 9 марта, 10:00"


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_that_a_journey_names_has_words_in_every_language(language: str) -> None:
    call_command("load_catalogue", verbosity=0)
    call_command("load_messages", verbosity=0)
    named = StepTemplate.objects.values_list("message_key", "late_message_key")
    keys = {key for pair in named for key in pair if key} | {
        "hold_moved",
        "hold_released",
        "referral_revoked",
        "visit_to_move",
        "asked_again",
    }
    texts, clinic = Texts(keys), builders.clinic()
    for key in keys:
        rendered = texts.render(key, "sms", language, FACTS, clinic)
        assert rendered.language == language
        assert "{" not in rendered.body
        assert sms_parts(rendered.body) <= 5


@pytest.mark.django_db
def test_a_text_that_would_name_what_does_not_exist_is_not_sent() -> None:
    call_command("load_messages", verbosity=0)
    without_a_date = Facts(name="Dana", link="https://a.co/p/x/")
    with pytest.raises(CannotRender):
        Texts(["held_visit"]).render("held_visit", "sms", "en", without_a_date, builders.clinic())


@pytest.mark.django_db
def test_a_missing_language_falls_back_to_the_clinics_then_to_english() -> None:
    for language in ("en", "ru"):
        MessageTemplate.objects.create(key="x", language=language, body=f"{language} {{name}}")
    texts = Texts(["x"])
    assert texts.render("x", "sms", "ar", FACTS, builders.clinic(language="ru")).body == "ru Dana"
    assert texts.render("x", "sms", "ar", FACTS, builders.clinic(language="he")).body == "en Dana"
    with pytest.raises(CannotRender):
        texts.render("y", "sms", "ar", FACTS, builders.clinic())


@pytest.mark.parametrize("text", ["{name", "{0}", "{name.x}", "{name!r}", "{name:>9}"])
def test_only_plain_placeholders_are_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        placeholders_in(text)


@pytest.mark.parametrize(
    ("text", "parts"), [("a" * 160, 1), ("a" * 161, 2), ("ש" * 70, 1), ("ש" * 71, 2), ("ש" * 135, 3)]
)
def test_sms_parts_are_counted_as_the_networks_do(text: str, parts: int) -> None:
    assert sms_parts(text) == parts


@pytest.mark.django_db
def test_a_broken_message_file_is_named_and_nothing_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('[x]\nbody = "Hello {nmae}"\n', encoding="utf-8")
    with pytest.raises(CommandError, match=r"en\.toml.*\n?.*nmae"):
        call_command("load_messages", tmp_path)
    assert not MessageTemplate.objects.exists()


def test_placeholders_are_the_ones_the_design_lists() -> None:
    assert {"name", "clinic", "by", "date", "until", "link", "phone", "who"} == PLACEHOLDERS
