"""What the patient says about automated calls at the desk: in the ledger, and kept by the next plan."""

import pytest
from django.conf import LazySettings
from django.test import Client

from outreach.models import Attempt, AttemptStatus
from patients.models import Channel, Clinic, Consent, Patient, PatientStatus
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def patient(settings: LazySettings) -> Patient:
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "voice": "console"}
    made = builders.patient()
    Clinic.objects.update(country="US")
    made.clinic.refresh_from_db()
    return made


@pytest.fixture
def desk(patient: Patient) -> Client:
    client = Client()
    client.force_login(builders.user(at=patient.clinic))
    return client


def page_of(patient: Patient) -> str:
    return f"/patients/{patient.public_id}/addresses/{patient.contacts.get().pk}/"


def shown(desk: Client, patient: Patient) -> str:
    return desk.get(page_of(patient)).content.decode()


def test_where_the_country_asks_for_it_she_agrees_and_takes_it_back_at_the_desk(
    desk: Client, patient: Patient
) -> None:
    assert "No machine calls here." in shown(desk, patient)
    answer = desk.post(f"{page_of(patient)}calls/", {"agrees": "yes"}, follow=True)
    assert "a machine may call here" in answer.content.decode()
    assert "The patient wants no automated calls" in shown(desk, patient)
    queued = builders.attempt(
        builders.task(builders.step(builders.journey(patient)), plan_from=None), channel=Channel.VOICE
    )
    desk.post(f"{page_of(patient)}calls/", {"agrees": "no"})
    assert "No machine calls here." in shown(desk, patient)
    assert Attempt.objects.get(pk=queued.pk).status == AttemptStatus.CANCELLED
    ledger = Consent.objects.filter(by__isnull=False).order_by("pk").values_list("channel", "status")
    assert list(ledger) == [("voice", "granted"), ("voice", "withdrawn")]


def test_where_the_country_allows_it_a_call_may_come_until_she_says_no(
    desk: Client, patient: Patient
) -> None:
    Clinic.objects.update(country="IL")
    assert "A machine may call here" in shown(desk, patient)


@pytest.mark.parametrize(("country", "transport"), [("RU", "console"), ("IL", "off")])
def test_where_no_machine_could_call_nothing_is_asked(
    desk: Client, patient: Patient, settings: LazySettings, country: str, transport: str
) -> None:
    Clinic.objects.update(country=country)
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "voice": transport}
    assert "machine" not in shown(desk, patient)


def test_of_a_closed_record_nothing_is_written_down(desk: Client, patient: Patient) -> None:
    Patient.objects.update(status=PatientStatus.DECEASED)
    answer = desk.post(f"{page_of(patient)}calls/", {"agrees": "yes"}, follow=True)
    assert "is closed" in answer.content.decode()
    assert not Consent.objects.exists()


def test_another_clinics_number_is_not_found(patient: Patient) -> None:
    stranger = Client()
    stranger.force_login(builders.user(at=builders.clinic()))
    assert stranger.post(f"{page_of(patient)}calls/", {"agrees": "yes"}).status_code == 404
