"""How to stop our messages: said where the country asks it, in the patient's language, once, and counted."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from outreach.dispatch import dispatch
from outreach.message_preview import Preview
from outreach.models import Attempt, MessageTemplate
from outreach.opt_out import BY_CALL, BY_REPLY, SPOKEN
from outreach.rendering import Facts, Texts
from outreach.silenced import confirm_stop
from outreach.stop_words import Asks, asks_to_stop
from outreach.wording import IN_PARTS, Draft, Parts, longest_values, parts_of, parts_sent
from patients.country import FOLDER, profile_of, read_profile
from patients.models import Channel, Clinic, Language, Purpose, Role
from tests import builders
from tests.conftest import NOW
from tests.outreach.test_dispatch import Fake, played_by
from tests.standins.twilio import Twilio

pytestmark = pytest.mark.django_db
FACTS = Facts(name="Dana", link="https://a.co/p/x/", who="Rina", by=NOW, date=NOW, until=NOW)


@pytest.fixture
def fake() -> Iterator[Fake]:
    yield from played_by(Fake())


@pytest.fixture
def american() -> Clinic:
    builders.messages_loaded()
    return builders.clinic(country="US", time_zone="America/New_York", phone="+12015550123")


def body(clinic: Clinic, key: str = "next_step", channel: str = Channel.SMS, language: str = "en") -> str:
    return Texts([key], [clinic.pk]).render(key, channel, language, FACTS, clinic).body


def own_words(clinic: Clinic, text: str, purpose: str = Purpose.SERVICE, **fields: str) -> None:
    given = {"key": "news", "language": "en", "body": text, "purpose": purpose}
    MessageTemplate.objects.create(clinic=clinic, **{**given, **fields})


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_profile_names_classes_and_channels_that_we_have(path: Path) -> None:
    asked = read_profile(path).opt_out_notice
    assert set(asked) <= set(Purpose.values)
    assert set().union(*asked.values()) <= {*Channel.values} - {Channel.PHONE}
    assert asked[Purpose.MARKETING] == {Channel.SMS, Channel.WHATSAPP, Channel.TELEGRAM, Channel.EMAIL}


def test_only_the_united_states_ask_it_of_messages_about_care() -> None:
    asking = {
        country
        for country in ("IL", "RU", "KZ", "UA", "DE", "US", "GE")
        if profile_of(country).opt_out_notice[Purpose.SERVICE]
    }
    assert asking == {"US"}


@pytest.mark.parametrize("language", Language.values)
def test_an_american_sms_says_it_in_the_patients_language(american: Clinic, language: str) -> None:
    assert body(american, language=language).endswith(f"\n{BY_REPLY[language]}")
    assert set(BY_REPLY) == set(BY_CALL) == set(SPOKEN) == set(Language.values)


def test_the_word_that_it_names_is_heard() -> None:
    assert asks_to_stop("STOP") == Asks.STOP


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.WHATSAPP, Channel.TELEGRAM, Channel.PHONE])
def test_where_the_law_asks_nothing_of_care_it_is_not_said(american: Clinic, channel: str) -> None:
    assert "STOP" not in body(american, channel=channel)
    assert "STOP" not in body(builders.clinic(country="IL"))


@pytest.mark.parametrize("country", ["IL", "RU", "KZ", "UA", "DE", "US", "GE"])
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL, Channel.WHATSAPP, Channel.TELEGRAM])
def test_news_and_offers_say_it_everywhere(country: str, channel: str) -> None:
    clinic = builders.clinic(country=country)
    own_words(clinic, "{clinic}: news. {link}", Purpose.MARKETING)
    assert body(clinic, "news", channel).endswith(BY_REPLY["en"])


def test_it_is_said_once_where_the_clinics_own_words_say_it(american: Clinic) -> None:
    own_words(american, "{clinic}: your visit is ready. Reply STOP and we write no more. {link}")
    assert body(american, "news").count("STOP") == 1


def test_words_that_only_sound_like_it_do_not_stand_for_it(american: Clinic) -> None:
    own_words(american, "{clinic} is at the bus stop. {link}")
    assert body(american, "news").endswith(BY_REPLY["en"])


def test_the_answer_to_stop_does_not_ask_for_another(american: Clinic) -> None:
    assert "STOP" not in body(american, "stopped")
    patient = builders.patient(american, phone="+12015550124", language="en")
    point = patient.contacts.get().contact_point
    assert confirm_stop(patient, point, Channel.SMS, now=NOW)
    assert "STOP" not in Attempt.objects.get().body


def test_a_name_that_nobody_can_answer_says_so_and_gives_the_number(
    american: Clinic, twilio: Twilio, settings: LazySettings
) -> None:
    settings.TWILIO_FROM = "AlonClinic"
    said = body(american)
    assert "Replies do not reach us here" in said
    assert said.endswith("call (201) 555-0123.")
    assert "STOP" not in said


def test_words_that_a_provider_approved_stay_as_they_are(american: Clinic) -> None:
    own_words(american, "{clinic}: news. {link}", Purpose.MARKETING, approved_as="news_1")
    assert "STOP" not in body(american, "news", Channel.WHATSAPP)
    assert "STOP" in body(american, "news", Channel.SMS)


def test_an_answering_machine_hears_the_number_and_whoever_answers_the_key(american: Clinic) -> None:
    assert body(american, "voice_mailbox", Channel.VOICE).endswith("call (201) 555-0123.")
    for key in ("visit_reminder", "voice_menu"):
        assert "For no more calls" not in body(american, key, Channel.VOICE).split("press 9")[-1]
        assert "call (201)" not in body(american, key, Channel.VOICE)


def test_what_leaves_and_what_is_kept_have_it(american: Clinic, twilio: Twilio) -> None:
    patient = builders.patient(american, phone="+12015550124", language="en")
    builders.opened(american)
    builders.provider_answered(american)
    builders.attempt(builders.task(builders.step(builders.journey(patient)), message_key="next_step"))
    late = NOW.replace(hour=18)  # 14:00 in New York
    Attempt.objects.update(send_at=late, expires_at=late.replace(hour=23))
    assert dispatch(now=late).sent == 1
    assert Attempt.objects.get().body.endswith(BY_REPLY["en"])


def test_the_desk_reads_it_beforehand(american: Clinic) -> None:
    patient = builders.patient(american, phone="+12015550124", language="en")
    step = builders.step(builders.journey(patient), message_key="next_step")
    said = Preview(patient, [step], reader="en", now=NOW).of([step], None)
    assert said is not None
    assert said.body.endswith(BY_REPLY["en"])


def test_it_is_counted_in_what_a_message_costs_and_not_in_what_a_clinic_may_write(american: Clinic) -> None:
    text = "{clinic}: " + "a" * 130
    draft = Draft("next_step", "sms", "en", text)
    assert (parts_of(draft, american), parts_sent(draft, american)) == (1, Parts(2, for_notice=1))
    assert parts_sent(draft, builders.clinic(country="IL")) == Parts(1)


def test_no_text_of_ours_in_english_takes_one_sms_more_to_say_it(
    american: Clinic, settings: LazySettings
) -> None:
    """Also with the longest names: what fits into one without, fits with it."""
    settings.PUBLIC_URL = "https://visits.example.org"
    american.name = american.sender_name = longest_values("en")["clinic"]
    shipped = MessageTemplate.objects.filter(clinic=None, language="en", channel__in=IN_PARTS)
    sent = {
        row.key: parts_sent(Draft(row.key, row.channel, "en", row.body, purpose=row.purpose), american)
        for row in shipped
    }
    assert [key for key, each in sent.items() if each.for_notice] == []
    assert {each.parts for each in sent.values()} == {1, 2}
    assert {key for key, each in sent.items() if each.parts == 1} >= {"number_test", "call_promised"}


def test_the_page_of_words_says_where_it_takes_one_sms_more(american: Clinic) -> None:
    MessageTemplate.objects.create(
        clinic=american, key="next_step", language="en", subject="x", body="{clinic}: " + "a" * 130
    )
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(Role.MANAGER, at=american))
    page = client.get("/setup/words/?language=en").content.decode()
    assert page.count("longer by STOP") == 1
    text = client.get("/setup/words/text/?key=next_step&channel=&language=en").content.decode()
    assert "1 of them only for the words on how to stop our messages" in text
    ours = client.get("/setup/words/text/?key=recall&channel=&language=en").content.decode()
    assert "only for the words on how to stop" not in ours


def test_the_page_of_words_shows_it_as_a_patient_reads_it(american: Clinic) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(Role.MANAGER, at=american))
    address = "/setup/words/text/?key=next_step&channel=&language="
    assert BY_REPLY["ru"] in client.get(f"{address}ru").content.decode()
    elsewhere = builders.clinic(country="IL")
    client.force_login(builders.user(Role.MANAGER, at=elsewhere))
    assert BY_REPLY["ru"] not in client.get(f"{address}ru").content.decode()


def test_words_of_our_own_hand_say_it_too(american: Clinic, fake: Fake) -> None:
    patient = builders.patient(american, phone="+12015550124", language="en")
    task = builders.task(builders.step(builders.journey(patient)), plan_from=None, message_key="answer")
    at = NOW.replace(hour=15)
    answer = builders.attempt(
        task, send_at=at, expires_at=at + timedelta(hours=1), body="Yes, bring it along.", language="en"
    )
    dispatch(now=at)
    assert [message.body for message in fake.sent] == [f"{answer.body}\n{BY_REPLY['en']}"]
