from dataclasses import replace
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
from patients.models import Clinic
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
        "held_first",
        "hold_moved",
        "hold_released",
        "referral_revoked",
        "visit_to_move",
        "asked_again",
    }
    texts, clinic = Texts(keys, []), builders.clinic()
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
        Texts(["held_visit"], []).render("held_visit", "sms", "en", without_a_date, builders.clinic())


@pytest.mark.django_db
def test_a_missing_language_falls_back_to_the_clinics_then_to_english() -> None:
    for language in ("en", "ru"):
        MessageTemplate.objects.create(key="x", language=language, body=f"{language} {{name}}")
    texts = Texts(["x"], [])
    assert texts.render("x", "sms", "ar", FACTS, builders.clinic(language="ru")).body == "ru Dana"
    assert texts.render("x", "sms", "ar", FACTS, builders.clinic(language="he")).body == "en Dana"
    with pytest.raises(CannotRender):
        texts.render("y", "sms", "ar", FACTS, builders.clinic())


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "shown"), [("he", "03-555-0142"), ("ar", "\u200e03-555-0142")])
def test_a_number_keeps_its_direction_behind_arabic_letters(language: str, shown: str) -> None:
    clinic = builders.clinic(phone="+97235550142")
    MessageTemplate.objects.create(key="x", language=language, body="{phone}")
    assert Texts(["x"], [clinic.pk]).render("x", "sms", language, FACTS, clinic).body == shown


@pytest.mark.django_db
def test_the_clinics_own_words_stand_before_ours_and_her_form_before_the_neutral_one() -> None:
    clinic, other = builders.clinic(), builders.clinic()

    def words(body: str, **fields: object) -> None:
        MessageTemplate.objects.create(key="x", language="he", body=body, **fields)

    def read(variant: str, channel: str = "sms", at: Clinic = clinic) -> str:
        facts = replace(FACTS, variant=variant)
        return Texts(["x"], [at.pk]).render("x", channel, "he", facts, at).body

    words("ours")
    words("ours to her", variant="f")
    words("ours, spoken", channel="phone")
    assert (read("f"), read("m"), read("")) == ("ours to her", "ours", "ours")
    words("own", clinic=clinic)
    words("own to him", clinic=clinic, variant="m")
    assert (read("f"), read("m"), read("")) == ("own", "own to him", "own")
    assert read("m", "phone") == "ours, spoken"  # what is written for messages is not read aloud
    assert (read("f", at=other), read("m", at=other)) == ("ours to her", "ours")


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


@pytest.mark.django_db
def test_loading_brings_our_words_up_to_date_and_leaves_a_clinics_own(tmp_path: Path) -> None:
    clinic = builders.clinic()
    builders.messages_loaded()
    own = MessageTemplate.objects.create(clinic=clinic, key="recall", language="en", body="Our own words")
    (tmp_path / "en.toml").write_text(
        '[recall]\nsubject = "Hello"\n'
        'body = "Hello {name}, this is {clinic}: {link}"\nbody_f = "Hello Ms {name}, {clinic}: {link}"\n',
        encoding="utf-8",
    )
    call_command("load_messages", tmp_path)
    shipped = MessageTemplate.objects.filter(clinic=None, key="recall", language="en", channel="")
    assert dict(shipped.values_list("variant", "body")) == {
        "": "Hello {name}, this is {clinic}: {link}",
        "f": "Hello Ms {name}, {clinic}: {link}",
    }
    own.refresh_from_db()
    assert own.body == "Our own words"


@pytest.mark.django_db
def test_what_a_provider_approved_are_the_words_that_it_read(tmp_path: Path) -> None:
    for subject, words, approved_as in (("A", "Hello", "one"), ("B", "Hello", "one"), ("B", "Good day", "")):
        text = f'[recall]\nsubject = "{subject}"\nbody = "{words} {{name}}, {{clinic}}: {{link}}"\n'
        (tmp_path / "en.toml").write_text(text, encoding="utf-8")
        call_command("load_messages", tmp_path)
        if subject == "A":
            MessageTemplate.objects.update(approved_as="one")
        assert MessageTemplate.objects.get().approved_as == approved_as


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('body = "Hello {name}, you must call {phone}. {clinic}"', "must"),
        ('body = "Hello {name}, this is {clinic}."', "link"),
        ('body = "Hello {name}: {link}"', "clinic"),
        ('body_f = "Hello {name}, {clinic}: {link}"', "for everybody"),
        ('body = "Hello {name}, a discount from {clinic}: {link}"', "discount"),
        (f'body = "Hello {{name}}, {{clinic}}: {{link}} {"and so on " * 30}"', "SMS"),
    ],
)
def test_a_text_that_breaks_the_rules_is_not_loaded(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "en.toml").write_text(f'[next_step]\nsubject = "Hello"\n{text}\n', encoding="utf-8")
    with pytest.raises(CommandError, match=says):
        call_command("load_messages", tmp_path)


@pytest.mark.django_db
def test_a_message_is_of_one_class_in_every_language(tmp_path: Path) -> None:
    for language, purpose in (("en", "marketing"), ("ru", "service")):
        text = f'[news]\npurpose = "{purpose}"\nsubject = "Hello"\nbody = "{{name}}, {{clinic}}: {{link}}"\n'
        (tmp_path / f"{language}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match="one in every language"):
        call_command("load_messages", tmp_path)


def test_placeholders_are_the_ones_the_design_lists() -> None:
    assert {
        "name",
        "clinic",
        "by",
        "date",
        "until",
        "link",
        "phone",
        "who",
        "channel",
        "hour",
        "times",
    } == PLACEHOLDERS
