"""Whatever somebody sends is seen by a person: pictures, voices, contacts, changed words, and by which kind of it."""

from typing import Any

import pytest
from django.test import Client

from journeys.models import StepKind, StepStatus
from outreach.incoming import work_events
from outreach.models import Reply
from outreach.provider_models import ProviderEvent
from patients.actions import add_address
from patients.models import AddressKind, Consent, Patient
from tests import builders
from tests.conftest import NOW
from tests.outreach.test_replies import PHONE
from tests.standins import meta, telegram, twilio as twilio_api
from tests.standins.meta import Meta
from tests.standins.telegram import Telegram
from tests.standins.twilio import Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
AT = int(NOW.timestamp())


@pytest.fixture
def dana() -> Patient:
    """Whose clinic reads English."""
    patient = builders.patient(builders.clinic(language="en"))
    add_address(patient, AddressKind.TELEGRAM, "777", rank=2)
    builders.on_whatsapp(patient)
    return patient


def by_telegram(**what: Any) -> None:
    assert Client().post("/hooks/telegram/", **telegram.update(1, **what)).status_code == 200
    work_events(now=NOW)


def by_whatsapp(**what: Any) -> None:
    told = {"from": "972502345678", "id": "wamid.9", "timestamp": str(AT), **what}
    assert Client().post("/hooks/whatsapp/", **meta.callback(meta.event(messages=[told]))).status_code == 200
    work_events(now=NOW)


def by_sms(**what: str) -> None:
    fields = {"MessageSid": "MM1", "SmsStatus": "received", "From": PHONE, "To": "+97235550142", **what}
    sent = twilio_api.callback("https://clinic.example/hooks/twilio/", fields)
    assert Client().post("/hooks/twilio/", **sent).status_code == 200
    work_events(now=NOW)


def is_read_by_a_person(patient: Patient, words: str) -> None:
    reply = Reply.objects.get()
    assert (reply.patient, reply.body, reply.meaning) == (patient, words, "")
    assert reply.matter is not None
    assert (reply.matter.kind, reply.matter.status) == (StepKind.CALL, StepStatus.ACTIVE)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"photo": [{"file_id": "A"}]}, "[a picture]"),
        ({"photo": [{"file_id": "A"}], "caption": "yes"}, "[a picture] yes"),
        ({"voice": {"file_id": "A", "duration": 4}}, "[a voice message]"),
        ({"video_note": {"file_id": "A"}}, "[a video]"),
        ({"document": {"file_id": "A"}}, "[a file]"),
        ({"sticker": {"file_id": "A", "emoji": "👍"}}, "[a sticker] 👍"),
        ({"location": {"latitude": 32.1, "longitude": 34.8}}, "[a place] 32.1, 34.8"),
        (
            {"contact": {"phone_number": "+972501112233", "first_name": "Noa"}},
            "[somebody's contact details] Noa +972501112233",
        ),
        ({"dice": {"emoji": "🎲", "value": 3}}, "[something that cannot be shown here]"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_by_telegram(bot: Telegram, dana: Patient, content: dict[str, Any], words: str) -> None:
    said = {key: value for key, value in telegram.message("").items() if key != "text"}
    by_telegram(message={**said, **content})
    is_read_by_a_person(dana, words)


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("image", {"id": "1", "mime_type": "image/jpeg"}, "[a picture]"),
        ("image", {"id": "1", "caption": "yes"}, "[a picture] yes"),
        ("audio", {"id": "1", "voice": True}, "[a voice message]"),
        ("document", {"id": "1", "filename": "scan.pdf"}, "[a file] scan.pdf"),
        ("sticker", {"id": "1"}, "[a sticker]"),
        ("location", {"latitude": 32.1, "longitude": 34.8, "name": "Home"}, "[a place] Home, 32.1, 34.8"),
        (
            "contacts",
            [{"name": {"formatted_name": "Noa"}, "phones": [{"phone": "+972501112233"}]}],
            "[somebody's contact details] Noa +972501112233",
        ),
        ("reaction", {"message_id": "wamid.1", "emoji": "👍"}, "[a reaction to our message] 👍"),
        (
            "system",
            {"body": "Dana changed from 1 to 2", "type": "user_changed_number"},
            "[something that cannot be shown here] Dana changed from 1 to 2",
        ),
        ("unsupported", {}, "[something that cannot be shown here]"),
    ],
)
def test_by_whatsapp(whatsapp: Meta, dana: Patient, kind: str, content: Any, words: str) -> None:
    by_whatsapp(type=kind, **{kind: content})
    is_read_by_a_person(dana, words)


def test_a_sign_that_was_taken_back_asks_for_nothing(whatsapp: Meta, dana: Patient) -> None:
    by_whatsapp(type="reaction", reaction={"message_id": "wamid.1", "emoji": ""})
    assert (ProviderEvent.objects.get().outcome, Reply.objects.count()) == ("nothing_to_do", 0)


@pytest.mark.parametrize(
    ("media", "words"),
    [("image/jpeg", "[a picture]"), ("audio/amr", "[a voice message]"), ("text/vcard", "[a file]")],
)
def test_by_sms(twilio: Twilio, dana: Patient, media: str, words: str) -> None:
    by_sms(Body="", NumMedia="1", MediaContentType0=media)
    is_read_by_a_person(dana, words)


def test_from_what_is_no_number_too(twilio: Twilio, dana: Patient) -> None:
    by_sms(Body="hello", From="12345")
    reply = Reply.objects.get()
    assert (reply.patient, reply.body, reply.matter is not None) == (None, "hello", True)


def test_it_is_named_in_the_language_of_the_clinic(bot: Telegram) -> None:
    patient = builders.patient(builders.clinic(language="he"))
    add_address(patient, AddressKind.TELEGRAM, "777", rank=2)
    said = {key: value for key, value in telegram.message("").items() if key != "text"}
    by_telegram(message={**said, "voice": {"file_id": "A"}})
    assert "voice" not in Reply.objects.get().body


def test_with_a_picture_stop_is_stop_and_yes_confirms_nothing(whatsapp: Meta, dana: Patient) -> None:
    by_whatsapp(type="image", image={"id": "1", "caption": "STOP"})
    assert Consent.objects.get().status == "withdrawn"


@pytest.mark.parametrize("words", ["Not Friday, Sunday", "STOP"])
def test_what_she_changed_is_heard_as_it_is_now(bot: Telegram, dana: Patient, words: str) -> None:
    by_telegram(edited_message={**telegram.message(words, at=AT - 60), "edit_date": AT})
    reply = Reply.objects.get()
    assert (reply.body, reply.at, reply.meaning) == (words, NOW, "stop" if words == "STOP" else "")


def test_so_it_is_on_whatsapp(whatsapp: Meta, dana: Patient) -> None:
    changed = {"original_message_id": "wamid.8", "message": {"type": "text", "text": {"body": "Not Friday"}}}
    by_whatsapp(type="edit", edit=changed)
    is_read_by_a_person(dana, "Not Friday")


def test_by_the_providers_own_list_of_words_it_is_stop(twilio: Twilio, dana: Patient) -> None:
    """Words of the clinic's own choice in Twilio's Advanced Opt-Out, after which Twilio sends nothing more."""
    by_sms(Body="genug", OptOutType="STOP")
    assert Reply.objects.get().meaning == "stop"
    assert (Consent.objects.get().status, Consent.objects.get().channel) == ("withdrawn", "sms")
