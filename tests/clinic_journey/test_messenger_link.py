"""The square at the desk by which a patient links her own Telegram."""

import pytest
from django.conf import LazySettings

from outreach.provider_models import MessengerLink
from patients.actions import CardAnswers, save_card
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
    page = client.post(address).content.decode()
    assert "https://t.me/alon_bot?start=" in page
    assert "data:image/svg+xml" in page
    assert MessengerLink.objects.get().patient == patient


def test_without_a_bot_it_says_so_and_makes_none() -> None:
    patient = builders.patient()
    client = logged_in("receptionist", patient.clinic)
    address = f"/patients/{patient.public_id}/messenger/"
    assert client.post(address).status_code == 422
    assert address not in client.get(f"/patients/{patient.public_id}/").content.decode()
    assert not MessengerLink.objects.exists()


@pytest.mark.parametrize(("has_one", "said"), [(False, True), (True, False)])
def test_a_wish_for_whatsapp_without_an_address_there_is_named(has_one: bool, said: bool) -> None:
    patient = builders.patient()
    save_card(patient, CardAnswers("whatsapp"), now=NOW, by=None)
    if has_one:
        builders.on_whatsapp(patient)
    page = logged_in("receptionist", patient.clinic).get(f"/patients/{patient.public_id}/").content.decode()
    assert ("Asked for WhatsApp" in page) == said
