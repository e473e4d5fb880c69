"""The page Channels, and the band that says on every screen that messages are held back."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client

from outreach import gate, senders
from outreach.health import State, health_of
from outreach.models import AttemptStatus
from outreach.provider_models import AllowedAddress
from patients.models import AuditEvent, Clinic, Role
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
BAND = "Safe start: messages leave for listed addresses alone."


@pytest.fixture
def clinic(settings: LazySettings) -> Clinic:
    """SMS is set up, WhatsApp half, e-mail on the screen, Telegram off."""
    settings.CHANNEL_TRANSPORTS = {
        "phone": "phone",
        "sms": "twilio",
        "whatsapp": "whatsapp",
        "email": "console",
        "telegram": "off",
    }
    settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = settings.TWILIO_FROM = "x"
    settings.WHATSAPP_PHONE_ID = "1"
    return builders.clinic()


def logged_in(clinic: Clinic, role: Role = Role.MANAGER) -> Client:
    client = Client()
    client.force_login(builders.user(role, at=clinic))
    return client


def states(clinic: Clinic) -> dict[str, State]:
    return {health.channel.value: health.state for health in health_of(clinic, now=NOW)}


def test_each_channel_says_how_it_stands(clinic: Clinic) -> None:
    assert states(clinic) == {
        "phone": State.BY_PEOPLE,
        "sms": State.WORKS,
        "whatsapp": State.NO_KEYS,
        "email": State.ON_SCREEN,
        "telegram": State.OFF,
        "voice": State.OFF,
    }
    page = logged_in(clinic).get("/channels/").content.decode()
    assert "WHATSAPP_TOKEN" in page
    assert "TWILIO_AUTH_TOKEN" not in page


@pytest.mark.parametrize(
    ("sender", "is_answered"),
    [
        ("+97235550142", True),
        ("12345", True),
        ("MG" + "0" * 32, True),
        ("AlonClinic", False),
        ("MG Dental", False),
    ],
)
def test_an_sms_that_comes_from_a_name_cannot_be_answered_and_the_page_says_what_that_means(
    clinic: Clinic, settings: LazySettings, sender: str, is_answered: bool
) -> None:
    settings.TWILIO_FROM = sender
    (sms,) = (health for health in health_of(clinic, now=NOW) if health.channel == "sms")
    page = logged_in(clinic).get("/channels/").content.decode()
    assert ("answers come back here" in sms.abilities, "no STOP arrives" in page) == (
        is_answered,
        not is_answered,
    )


def test_a_machine_that_may_not_call_in_this_country_says_so(clinic: Clinic, settings: LazySettings) -> None:
    settings.CHANNEL_TRANSPORTS = {**settings.CHANNEL_TRANSPORTS, "voice": "voice"}
    assert states(clinic)["voice"] == State.NO_KEYS
    settings.TWILIO_VOICE_FROM = "+97235550143"
    assert states(clinic)["voice"] == State.WORKS
    clinic.country = "RU"
    assert states(clinic)["voice"] == State.NOT_ALLOWED
    clinic.save()
    assert "allow no automated calls" in logged_in(clinic).get("/channels/").content.decode()


def test_a_sender_that_rests_or_is_down_is_told_apart(clinic: Clinic) -> None:
    senders.pause("sms", NOW + timedelta(minutes=1), now=NOW)
    assert states(clinic)["sms"] == State.RESTS
    for _n in range(3):
        senders.failed("sms", "busy 20429", now=NOW)
    (sms,) = (health for health in health_of(clinic, now=NOW) if health.channel == "sms")
    assert (sms.state, sms.last_trouble) == (State.DOWN, "The provider is busy. (20429)")
    assert "does not work" in logged_in(clinic).get("/channels/").content.decode()


def test_the_counts_are_of_this_clinic_and_of_seven_days(clinic: Clinic) -> None:
    for at, where in ((NOW, clinic), (NOW - timedelta(days=8), clinic), (NOW, builders.clinic())):
        task = builders.task(builders.step(builders.journey(builders.patient(where))), plan_from=None)
        builders.attempt(task, send_at=at, status=AttemptStatus.DELIVERED, sent_at=at)
    (sms,) = (health for health in health_of(clinic, now=NOW) if health.channel == "sms")
    assert sms.counts == [("Delivered", 1)]


def test_an_sms_is_paid_by_parts_and_a_week_says_what_it_cost(clinic: Clinic, settings: LazySettings) -> None:
    settings.SMS_PART_COSTS = "0.12 ILS"
    for body in ("א" * 70, "א" * 71, "a" * 160):
        task = builders.task(builders.step(builders.journey(builders.patient(clinic))), plan_from=None)
        builders.attempt(task, status=AttemptStatus.SENT, sent_at=NOW, body=body)
    (sms,) = (health for health in health_of(clinic, now=NOW) if health.channel == "sms")
    assert (sms.parts, sms.costs) == (4, "0.48 ILS")
    settings.SMS_PART_COSTS = ""
    (sms,) = (health for health in health_of(clinic, now=NOW) if health.channel == "sms")
    assert (sms.parts, sms.costs) == (4, "")


def test_every_screen_says_that_messages_are_held_back_until_the_gate_opens(clinic: Clinic) -> None:
    manager, desk = logged_in(clinic), logged_in(clinic, Role.RECEPTIONIST)
    for path in ("/today/", "/calendar/", "/patients/"):
        assert BAND in desk.get(path).content.decode()
    manager.post("/channels/gate/", {"act": "open"})
    assert gate.is_open(clinic)
    assert BAND not in desk.get("/today/").content.decode()
    manager.post("/channels/gate/", {"act": "shut"})
    assert BAND in desk.get("/today/").content.decode()


def test_where_nothing_leaves_at_all_no_band_is_needed(settings: LazySettings) -> None:
    desk = logged_in(builders.clinic(), Role.RECEPTIONIST)
    assert BAND not in desk.get("/today/").content.decode()


def test_addresses_are_listed_and_taken_off(clinic: Clinic) -> None:
    manager = logged_in(clinic)
    manager.post("/channels/allow/", {"kind": "phone", "value": "050-234-5678"})
    listed = AllowedAddress.objects.get()
    assert (listed.clinic, listed.value) == (clinic, "+972502345678")
    refused = manager.post("/channels/allow/", {"kind": "phone", "value": "12"})
    assert refused.status_code == 422
    assert "not a phone number" in refused.content.decode()
    logged_in(builders.clinic()).post("/channels/allow/", {"remove": listed.pk})
    assert AllowedAddress.objects.exists()
    manager.post("/channels/allow/", {"remove": listed.pk})
    assert not AllowedAddress.objects.exists()


def test_who_opened_the_gate_stands_in_the_audit_trail(clinic: Clinic) -> None:
    manager = logged_in(clinic)
    manager.post("/channels/allow/", {"kind": "phone", "value": "050-234-5678"})
    manager.post("/channels/gate/", {"act": "open"})
    manager.post("/channels/gate/", {"act": "shut"})
    told = AuditEvent.objects.filter(what__in=["gate", "allowedaddress"]).order_by("pk")
    assert [(event.what, event.action, event.by) for event in told] == [
        ("allowedaddress", "create", "user"),
        ("gate", "create", "user"),
        ("gate", "change", "user"),
    ]
    assert {(event.clinic, event.patient) for event in told} == {(clinic, None)}
    assert "Who gets messages" in manager.get("/audit/").content.decode()


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
def test_only_managers_open_the_gate(clinic: Clinic, role: Role) -> None:
    client = logged_in(clinic, role)
    for answer in (client.get("/channels/"), client.post("/channels/gate/", {"act": "open"})):
        assert answer.status_code == 403
    assert not gate.is_open(clinic)


def test_an_administrator_answers_for_a_channel_and_a_manager_reads_it(clinic: Clinic) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(country="RU")
    page = logged_in(clinic).get("/channels/").content.decode()
    assert "until an administrator answers for it" not in page  # WhatsApp lacks its keys, Telegram is off
    assert "I answer for it" not in page
    admin = logged_in(clinic, Role.ADMIN)
    assert "I answer for it" in admin.get("/channels/").content.decode()
    admin.post("/channels/answered-for/", {"what": "telegram", "act": "answer"})
    assert clinic.attestations.get().what == "telegram"
    admin.post("/channels/answered-for/", {"what": "telegram", "act": "take_back"})
    assert not clinic.attestations.exists()
    manager = logged_in(clinic).post("/channels/answered-for/", {"what": "telegram", "act": "answer"})
    assert (manager.status_code, clinic.attestations.exists()) == (403, False)


def test_an_administrator_says_who_carries_the_messages(clinic: Clinic) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(country="US")
    manager = logged_in(clinic)
    page = manager.get("/channels/").content.decode()
    assert "listed addresses only" in page
    assert "the signed agreement with the provider" in page
    assert manager.post("/channels/provider/", {"channel": "sms"}).status_code == 403
    admin = logged_in(clinic, Role.ADMIN)
    said = {"channel": "sms", "country": "US", "has_agreement": "on"}
    assert admin.post("/channels/provider/", said).status_code == 302
    assert clinic.provider_terms.get().country == "US"
    page = manager.get("/channels/").content.decode()
    assert "listed addresses only" not in page
    assert "United States" in page
    assert AuditEvent.objects.filter(what="providerterms", clinic=clinic, patient=None).exists()


def test_nonsense_about_a_provider_is_refused(clinic: Clinic) -> None:
    admin = logged_in(clinic, Role.ADMIN)
    answer = admin.post("/channels/provider/", {"channel": "sms", "country": "Nowhere"})
    assert answer.status_code == 422
    admin.post("/channels/provider/", {"channel": "fax", "country": "US"})
    assert not clinic.provider_terms.exists()


def test_where_the_country_asks_nothing_the_list_is_the_clinics_own(clinic: Clinic) -> None:
    page = logged_in(clinic).get("/channels/").content.decode()
    assert "your list of who handles" in page
    assert "Missing:" not in page
