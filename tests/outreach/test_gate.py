"""A safe start: until the gate is open, only the listed addresses get messages, whatever was planned."""

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction

from outreach.actions import plan_attempts
from outreach.dispatch import LEASE, dispatch, take
from outreach.door import nothing_forbids
from outreach.gate import allow, disallow, is_open, open_gate, shut_gate
from outreach.models import Attempt, AttemptStatus
from outreach.number_test import send_test
from outreach.provider_models import AllowedAddress, Gate, ProviderEvent, Sender
from patients.actions import RefusedError
from patients.models import Channel
from tests import builders
from tests.conftest import NOW
from tests.standins.twilio import Twilio

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(twilio: Twilio) -> Attempt:
    builders.messages_loaded()
    return builders.attempt()


def test_shut_nothing_leaves_and_the_patient_is_called_instead(attempt: Attempt, twilio: Twilio) -> None:
    dispatch(now=NOW)
    attempt.refresh_from_db()
    assert (attempt.status, twilio.requests) == (AttemptStatus.CANCELLED, [])
    plan_attempts(now=NOW)
    assert Attempt.objects.get(status=AttemptStatus.PLANNED).channel == Channel.PHONE


def test_a_listed_address_gets_it_and_no_other(attempt: Attempt, twilio: Twilio) -> None:
    allow(attempt.clinic, "phone", "050-234-5678")
    other = builders.patient(attempt.clinic, phone="054-765-4321")
    builders.attempt(builders.task(builders.step(builders.journey(other)), plan_from=None))
    dispatch(now=NOW)
    assert [taken["to"] for taken in twilio.taken] == ["+972502345678"]


def test_another_clinics_list_and_gate_open_nothing_here(attempt: Attempt, twilio: Twilio) -> None:
    other = builders.clinic()
    allow(other, "phone", "050-234-5678")
    open_gate(other, now=NOW, by=builders.user())
    dispatch(now=NOW)
    assert twilio.requests == []


def test_a_test_at_the_desk_is_refused_with_the_reason_and_the_cure(twilio: Twilio) -> None:
    tie = builders.patient().contacts.select_related("contact_point", "patient__clinic").get()
    with pytest.raises(RefusedError, match="A manager adds this one under Channels"):
        send_test(tie, "sms", now=NOW, by=builders.user())
    allow(tie.patient.clinic, "phone", "050-234-5678")
    assert send_test(tie, "sms", now=NOW, by=builders.user()).channel == Channel.SMS


def test_open_it_leaves_and_shut_again_it_does_not(attempt: Attempt, twilio: Twilio) -> None:
    by = builders.user()
    open_gate(attempt.clinic, now=NOW, by=by)
    assert is_open(attempt.clinic)
    shut_gate(attempt.clinic, by=by)
    dispatch(now=NOW)
    assert (is_open(attempt.clinic), twilio.requests) == (False, [])
    open_gate(attempt.clinic, now=NOW, by=by)
    plan_attempts(now=NOW)
    dispatch(now=NOW)
    assert len(twilio.taken) == 1


def test_shut_between_the_look_and_the_call_it_does_not_leave(attempt: Attempt, twilio: Twilio) -> None:
    """The statement that begins the call asks once more."""
    builders.opened(attempt.clinic)
    take(attempt.pk, attempt.reference, now=NOW, lasts=LEASE)
    shut_gate(attempt.clinic, by=builders.user())
    begins = Attempt.objects.filter(*nothing_forbids(attempt.channel, [attempt.clinic]).values())
    assert not begins.exists()
    allow(attempt.clinic, "phone", "050-234-5678")
    assert begins.exists()


def test_what_only_this_machine_shows_needs_no_gate(attempt: Attempt, settings: LazySettings) -> None:
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "console"}
    assert dispatch(now=NOW).sent == 1


def test_the_list_holds_addresses_that_exist(attempt: Attempt) -> None:
    with pytest.raises(RefusedError):
        allow(attempt.clinic, "phone", "12")
    allow(attempt.clinic, "phone", "050-234-5678")
    allow(attempt.clinic, "phone", "+972 50 234 5678")
    listed = AllowedAddress.objects.get()
    disallow(builders.clinic(), listed.pk)
    assert AllowedAddress.objects.exists()
    disallow(attempt.clinic, listed.pk)
    assert not AllowedAddress.objects.exists()


def test_the_database_keeps_what_must_be_once() -> None:
    clinic = builders.clinic()
    given = {"provider": "twilio", "event_id": "SM1:sent", "received_at": NOW}
    for make in (
        lambda: Gate.objects.create(clinic=clinic),
        lambda: Sender.objects.create(channel="sms"),
        lambda: ProviderEvent.objects.create(**given),
        lambda: AllowedAddress.objects.create(clinic=clinic, kind="phone", value="+1"),
    ):
        make()
        with pytest.raises(IntegrityError), transaction.atomic():
            make()
    for wrong in (
        lambda: Sender.objects.create(channel="fax"),
        lambda: Sender.objects.create(channel="email", down_since=NOW),
        lambda: AllowedAddress.objects.create(clinic=clinic, kind="fax", value="+2"),
        lambda: ProviderEvent.objects.create(**{**given, "event_id": "x"}, worked_at=NOW, work_from=NOW),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()
