"""What messages may name: by the country, less by the clinic, never more; in writing and in automated calls."""

from pathlib import Path

import pytest

from outreach.because import Because
from outreach.content import may_name_visits, withheld, without_name
from outreach.door import nothing_forbids
from outreach.models import Attempt, MessageTemplate
from outreach.rendering import CannotRender, Facts, Texts
from patients.country import FOLDER, MAY_NAME, ProfileError, profile_of, read_profile
from patients.models import Channel, Clinic
from tests import builders
from tests.conftest import NOW

FACTS = Facts(name="Dana", link="https://a.co/p/x/", who="Rina", by=NOW, date=NOW, until=NOW)
WRITTEN = (Channel.SMS, Channel.EMAIL, Channel.WHATSAPP, Channel.TELEGRAM)
DAY = "9 March"


def body(clinic: Clinic, key: str, channel: str = Channel.SMS, language: str = "en") -> str:
    return Texts([key], [clinic.pk]).render(key, channel, language, FACTS, clinic).body


@pytest.mark.parametrize("country", ["IL", "KZ", "UA", "DE", "US", "GE"])
def test_most_countries_leave_it_to_the_clinic(country: str) -> None:
    assert profile_of(country).may_name == MAY_NAME
    assert withheld(Clinic(country=country), Channel.SMS) == frozenset()


def test_in_russia_no_message_names_who_treats() -> None:
    assert withheld(Clinic(country="RU"), Channel.SMS) == {"who"}


@pytest.mark.parametrize("country", ["IL", "RU", "US", "GE"])
@pytest.mark.parametrize("field", ["names_first_name", "names_visit_time", "names_colleague"])
def test_a_clinic_can_only_be_stricter_than_its_country(country: str, field: str) -> None:
    usual = withheld(Clinic(country=country), Channel.SMS)
    assert usual <= withheld(Clinic(country=country, **{field: False}), Channel.SMS)
    assert withheld(Clinic(country=country, **{field: True}), Channel.SMS) == usual


def test_people_say_what_they_have_to() -> None:
    silent = Clinic(names_first_name=False, names_visit_time=False, names_colleague=False)
    assert withheld(silent, Channel.PHONE) == frozenset()
    assert withheld(silent, Channel.VOICE) == withheld(silent, Channel.SMS) == {"name", "date", "who"}


def test_a_profile_that_allows_what_we_do_not_know_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "xx.toml"
    given = (FOLDER / "il.toml").read_text(encoding="utf-8")
    broken.write_text(given.replace('"colleague"]', '"diagnosis"]'), encoding="utf-8")
    with pytest.raises(ProfileError, match=r"^xx.toml: diagnosis is not among"):
        read_profile(broken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {name}, this is us.", "Hello, this is us."),
        ("{name}, здравствуйте! Это мы.", "Здравствуйте! Это мы."),
        ("שלום {name}, כאן אנחנו.", "שלום, כאן אנחנו."),
        ("مرحبًا {name}، معك نحن.", "مرحبًا، معك نحن."),
        ("Thank you, {name}.", "Thank you."),
        ("No name at all.", "No name at all."),
    ],
)
def test_a_greeting_without_a_name_reads_as_one(text: str, expected: str) -> None:
    assert without_name(text) == expected


@pytest.mark.django_db
def test_every_written_text_of_ours_reads_without_a_name() -> None:
    builders.messages_loaded()
    texts = MessageTemplate.objects.exclude(channel__in=[Channel.PHONE, Channel.VOICE])
    for row in texts:
        words = without_name(row.body)
        assert "{name}" not in words
        assert not set(words.split(" ")) & {"", ",", "!", ".", "،"}, row
        assert words[0] not in ",!. ", row


@pytest.mark.django_db
class TestWhatLeaves:
    @pytest.fixture(autouse=True)
    def texts(self) -> None:
        builders.messages_loaded()

    @pytest.mark.parametrize("channel", WRITTEN)
    def test_no_first_name(self, channel: str) -> None:
        clinic = builders.clinic(names_first_name=False)
        assert "Dana" in body(builders.clinic(), "visit_reminder", channel)
        assert body(clinic, "visit_reminder", channel).startswith("Hello, this is Alon Clinic. We expect you")

    def test_no_colleague(self) -> None:
        assert "Rina, 03" in body(builders.clinic(), "thank_you")
        for clinic in (builders.clinic(names_colleague=False), builders.clinic(country="RU")):
            assert "the reception, " in body(clinic, "thank_you")

    @pytest.mark.parametrize("channel", WRITTEN)
    @pytest.mark.parametrize(
        "key", ["visit_reminder", "held_visit", "held_first", "hold_moved", "sooner_time"]
    )
    def test_no_day_of_a_visit(self, key: str, channel: str) -> None:
        assert DAY in body(builders.clinic(), key, channel)
        said = body(builders.clinic(names_visit_time=False), key, channel)
        assert DAY not in said
        assert FACTS.link in said

    @pytest.mark.parametrize("language", ["en", "he", "ru", "ar"])
    def test_what_is_said_instead_has_words_in_every_language(self, language: str) -> None:
        clinic = builders.clinic(names_visit_time=False)
        said = Texts(["held_visit"], [clinic.pk]).render("held_visit", Channel.SMS, language, FACTS, clinic)
        assert said.language == language

    def test_when_she_hears_from_us_is_no_day_of_a_visit(self) -> None:
        assert DAY in body(builders.clinic(names_visit_time=False), "result_arrived")

    def test_a_person_on_the_phone_says_it(self) -> None:
        clinic = builders.clinic(names_visit_time=False, names_first_name=False)
        assert DAY in body(clinic, "visit_reminder", Channel.PHONE)
        assert "Dana" in body(clinic, "call_opening", Channel.PHONE)

    def test_a_machine_reads_no_visit_out(self) -> None:
        clinic = builders.clinic(names_visit_time=False)
        assert may_name_visits(builders.clinic())
        assert not may_name_visits(clinic)
        with pytest.raises(CannotRender):
            body(clinic, "visit_reminder", Channel.VOICE)

    def test_a_call_that_a_machine_was_about_to_make_is_stopped(self) -> None:
        made = builders.attempt(channel=Channel.VOICE)
        rule = {"pk": made.pk}
        free = nothing_forbids(Channel.VOICE, [made.clinic])[Because.NOT_READ_OUT]
        assert Attempt.objects.filter(free, **rule).exists()
        made.clinic.names_visit_time = False
        shut = nothing_forbids(Channel.VOICE, [made.clinic])[Because.NOT_READ_OUT]
        assert not Attempt.objects.filter(shut, **rule).exists()

    def test_words_that_a_provider_approved_with_a_name_are_not_used_without(self) -> None:
        MessageTemplate.objects.update(approved_as="ours")
        texts = Texts(["visit_reminder"], [])
        clinic = builders.clinic(names_first_name=False)
        said = texts.render("visit_reminder", Channel.WHATSAPP, "en", FACTS, clinic)
        assert (said.approved_as, said.values) == ("", ())
        assert texts.render("visit_reminder", Channel.WHATSAPP, "en", FACTS, builders.clinic()).approved_as
