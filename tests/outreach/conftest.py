"""Each provider's stand-in as a fixture, with our settings pointed at it, and a child of two homes."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.conf import LazySettings

from patients.actions import add_address
from patients.models import AddressKind, Patient, PatientContact, Relation
from tests import builders
from tests.standins import mailgun as mailgun_api, meta, telegram
from tests.standins.mailgun import Mailgun
from tests.standins.meta import Meta
from tests.standins.server import served
from tests.standins.telegram import Telegram
from tests.standins.twilio import SID, TOKEN, Twilio

MOTHERS, FATHERS = "+972502345678", "+972547654321"


def use(settings: LazySettings, **transports: str) -> None:
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", **transports}
    settings.CHANNEL_TIMEOUT = 0.3
    settings.PUBLIC_URL = "https://clinic.example"


@pytest.fixture
def twilio(settings: LazySettings) -> Iterator[Twilio]:
    stand_in = Twilio()
    with served(stand_in):
        use(settings, sms="twilio")
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_FROM = (
            SID,
            TOKEN,
            "+97235550142",
        )
        settings.TWILIO_API_URL = stand_in.url
        settings.SMS_PER_SECOND = 0
        yield stand_in


@pytest.fixture
def calls(twilio: Twilio, settings: LazySettings) -> Twilio:
    """The same account, and a number from which a machine may call."""
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "voice": "voice"}
    settings.TWILIO_VOICE_FROM, settings.VOICE_PER_SECOND = "+97235550143", 0
    return twilio


@pytest.fixture
def whatsapp(settings: LazySettings) -> Iterator[Meta]:
    stand_in = Meta()
    with served(stand_in):
        use(settings, whatsapp="whatsapp")
        settings.WHATSAPP_PHONE_ID, settings.WHATSAPP_TOKEN = meta.PHONE_ID, meta.TOKEN
        settings.WHATSAPP_APP_SECRET, settings.WHATSAPP_VERIFY_TOKEN = meta.APP_SECRET, meta.VERIFY
        settings.WHATSAPP_API_URL = f"{stand_in.url}/v23.0"
        settings.WHATSAPP_PER_SECOND = 0
        yield stand_in


@pytest.fixture
def bot(settings: LazySettings) -> Iterator[Telegram]:
    stand_in = Telegram()
    with served(stand_in):
        use(settings, telegram="telegram")
        settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BOT_NAME = telegram.BOT, telegram.NAME
        settings.TELEGRAM_WEBHOOK_SECRET = telegram.SECRET
        settings.TELEGRAM_API_URL = stand_in.url
        settings.TELEGRAM_PER_SECOND = 0
        yield stand_in


@pytest.fixture
def mailgun(settings: LazySettings) -> Iterator[Mailgun]:
    stand_in = Mailgun()
    with served(stand_in):
        use(settings, email="anymail")
        settings.EMAIL_PROVIDER, settings.EMAIL_WEBHOOK_SECRET = "mailgun", mailgun_api.BASIC
        settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
        settings.DEFAULT_FROM_EMAIL = f"clinic@{mailgun_api.DOMAIN}"
        settings.ANYMAIL = {
            "MAILGUN_API_KEY": mailgun_api.KEY,
            "MAILGUN_API_URL": f"{stand_in.url}/v3",
            "MAILGUN_WEBHOOK_SIGNING_KEY": mailgun_api.SIGNING_KEY,
            "WEBHOOK_SECRET": [mailgun_api.BASIC],
            "REQUESTS_TIMEOUT": 0.3,
        }
        settings.EMAIL_PER_SECOND = 0
        yield stand_in


@pytest.fixture
def child() -> Patient:
    """Whose mother is tried first, and whose father is to be told too."""
    builders.messages_loaded()
    child = builders.patient(birth_date=date(2018, 5, 4))
    child.contacts.update(relation=Relation.PARENT)
    add_address(child, AddressKind.PHONE, FATHERS, relation=Relation.PARENT, rank=2)
    PatientContact.objects.filter(contact_point__value=FATHERS).update(other_parent=True)
    return child
