"""The square at the desk by which a patient links her own Telegram."""

import re
from datetime import date

import pytest
from django.conf import LazySettings

from outreach.provider_models import MessengerLink
from patients.actions import CardAnswers, add_address, save_card
from patients.models import AddressKind
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def _bot(settings: LazySettings) -> None:
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "telegram": "telegram"}
    settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BOT_NAME = "1:x", "alon_bot"
    settings.TELEGRAM_WEBHOOK_SECRET = "secret"


@pytest.mark.usefixtures("_bot")
def test_pressed_it_shows_a_fresh_link_as_a_square() -> None:
    patient = builders.patient()
    client = logged_in("receptionist", patient.clinic)
    address = f"/patients/{patient.public_id}/messenger/"
    assert address in client.get(f"/patients/{patient.public_id}/").content.decode()
    assert "data:image" not in client.get(address).content.decode()
    assert not MessengerLink.objects.exists()
    page = client.post(address, {"relation": "self"}).content.decode()
    assert "https://t.me/alon_bot?start=" in page
    assert "data:image/svg+xml" in page
    assert MessengerLink.objects.get().patient == patient


def test_without_a_bot_it_says_so_and_makes_none() -> None:
    patient = builders.patient()
    client = logged_in("receptionist", patient.clinic)
    address = f"/patients/{patient.public_id}/messenger/"
    assert client.post(address, {"relation": "self"}).status_code == 422
    assert address not in client.get(f"/patients/{patient.public_id}/").content.decode()
    assert not MessengerLink.objects.exists()


@pytest.mark.usefixtures("_bot")
@pytest.mark.parametrize(
    ("born", "country", "recorded", "chosen"),
    [
        (date(1991, 5, 4), "IL", "parent", "self"),
        (date(2018, 5, 4), "IL", "parent", "parent"),
        (date(2018, 5, 4), "IL", "guardian", "guardian"),
        (date(2018, 5, 4), "IL", "", ""),
        (date(2010, 5, 4), "RU", "parent", "self"),  # told herself from 15 on
    ],
)
def test_whose_phone_it_is_is_asked_and_the_usual_answer_is_chosen(
    born: date, country: str, recorded: str, chosen: str
) -> None:
    patient = builders.patient(builders.clinic(country=country), phone="+972502345678", birth_date=born)
    if recorded:
        add_address(patient, AddressKind.PHONE, "+972547654321", rank=2, relation=recorded)
    client = logged_in("receptionist", patient.clinic)
    page = client.get(f"/patients/{patient.public_id}/messenger/").content.decode()
    offered = re.findall(r'name="relation" value="(\w+)"([^>]*)>', page)
    assert [value for value, _rest in offered] == ["self", "parent", "guardian"]
    assert [value for value, rest in offered if "checked" in rest] == ([chosen] if chosen else [])


@pytest.mark.usefixtures("_bot")
def test_without_an_answer_no_link_is_made_and_for_a_parent_it_is_a_parents() -> None:
    patient = builders.patient(birth_date=date(2018, 5, 4))
    client = logged_in("receptionist", patient.clinic)
    address = f"/patients/{patient.public_id}/messenger/"
    asked = client.post(address)
    assert (asked.status_code, MessengerLink.objects.count()) == (422, 0)
    assert "Ask whose phone it is, and choose." in asked.content.decode()
    assert client.post(address, {"relation": "other"}).status_code == 422
    page = client.post(address, {"relation": "parent"}).content.decode()
    assert "Let the parent or guardian read this square" in page
    assert MessengerLink.objects.get().relation == "parent"


@pytest.mark.parametrize(("has_one", "said"), [(False, True), (True, False)])
def test_a_wish_for_whatsapp_without_an_address_there_is_named(has_one: bool, said: bool) -> None:
    patient = builders.patient()
    save_card(patient, CardAnswers("whatsapp"), now=NOW, by=None)
    if has_one:
        builders.on_whatsapp(patient)
    page = logged_in("receptionist", patient.clinic).get(f"/patients/{patient.public_id}/").content.decode()
    assert ("Asked for WhatsApp" in page) == said
