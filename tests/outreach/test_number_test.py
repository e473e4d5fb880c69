"""The test message: sent now to that address and no other, once, and over when it did not leave."""

from datetime import time, timedelta

import pytest
from django.conf import LazySettings

from journeys.models import JourneyStatus, Step, StepStatus
from outreach.actions import opt_out, plan_attempts
from outreach.at_once import channels_at
from outreach.channels import (
    TRANSPORTS,
    Abilities,
    ChannelError,
    Message,
    Receipt,
    Trouble,
    WhenUnclear,
)
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.number_test import AT_THE_DESK, send_test, sent_to
from outreach.reach import Reach
from patients.actions import CardAnswers, RefusedError, mark_address, save_card, withdraw_consent
from patients.addresses import TieAnswers, add_tie, change_tie
from patients.models import AddressStatus, Channel, Patient, PatientContact
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


class Refusing:
    """A provider that does not take the message."""

    abilities = Abilities(WhenUnclear.REPEAT)
    secrets: tuple[str, ...] = ()

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble

    def send(self, message: Message) -> Receipt:
        raise ChannelError(self.trouble)


@pytest.fixture
def patient() -> Patient:
    builders.messages_loaded()
    return builders.patient(language="en")


def tie_of(patient: Patient) -> PatientContact:
    return patient.contacts.select_related("contact_point", "patient__clinic").order_by("rank")[0]


def test_it_leaves_now_though_her_own_window_is_closed(patient: Patient) -> None:
    save_card(patient, CardAnswers("sms", ((5, time(2), time(3)),), "en"), now=NOW, by=None)
    attempt = send_test(builders.on_whatsapp(patient), Channel.WHATSAPP, now=NOW, by=builders.user())
    assert dispatch(now=NOW).sent == 1
    attempt.refresh_from_db()
    assert (attempt.status, attempt.channel) == (AttemptStatus.SENT, Channel.WHATSAPP)
    assert attempt.body.startswith("Hello Dana, this is Alon Clinic. You asked us to write here.")
    assert "Please save 03-555-0142." in attempt.body
    step = Step.objects.get()
    assert (step.status, step.outcome) == (StepStatus.COMPLETED, "told")
    assert (step.journey.status, OutreachTask.objects.get().status) == (
        JourneyStatus.COMPLETED,
        TaskStatus.DONE,
    )


@pytest.mark.parametrize("language", ["en", "he", "ru", "ar"])
def test_it_has_words_in_every_language(language: str) -> None:
    builders.messages_loaded()
    patient = builders.patient(language=language)
    send_test(tie_of(patient), Channel.SMS, now=NOW, by=builders.user())
    dispatch(now=NOW)
    assert Attempt.objects.get().language == language


def test_pressed_twice_it_is_sent_once(patient: Patient) -> None:
    first = send_test(tie_of(patient), Channel.SMS, now=NOW, by=builders.user())
    assert send_test(tie_of(patient), Channel.SMS, now=NOW, by=builders.user()) == first
    dispatch(now=NOW)
    again = send_test(tie_of(patient), Channel.SMS, now=NOW, by=builders.user())
    assert list(sent_to(patient)) == [again, first]


def test_what_she_withdrew_and_the_hours_of_the_law_hold(patient: Patient) -> None:
    tie = tie_of(patient)
    with pytest.raises(RefusedError, match="hour"):
        send_test(tie, Channel.SMS, now=NOW + timedelta(hours=13), by=builders.user())
    withdraw_consent(patient, tie.contact_point, Channel.SMS, now=NOW, words="STOP")
    with pytest.raises(RefusedError, match="not to write"):
        send_test(tie, Channel.SMS, now=NOW, by=builders.user())
    assert not Attempt.objects.exists()


def test_it_goes_only_where_something_may_be_written(patient: Patient, settings: LazySettings) -> None:
    assert channels_at(tie_of(patient)) == [Channel.SMS]
    assert channels_at(builders.on_whatsapp(patient)) == [Channel.WHATSAPP]
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "console", "whatsapp": "off", "email": "off"}
    assert channels_at(tie_of(patient)) == [Channel.SMS]
    change_tie(tie_of(patient), TieAnswers(may_say="call_back"))
    assert channels_at(tie_of(patient)) == []
    with pytest.raises(RefusedError, match="Choose another"):
        send_test(tie_of(patient), Channel.SMS, now=NOW, by=builders.user())
    change_tie(tie_of(patient), TieAnswers())
    mark_address(tie_of(patient).contact_point, AddressStatus.BAD, now=NOW)
    assert channels_at(tie_of(patient)) == []


@pytest.mark.parametrize(
    ("trouble", "address"),
    [
        (Trouble.NO_SUCH_ADDRESS, AddressStatus.BAD),
        (Trouble.REFUSED, AddressStatus.UNVERIFIED),
        (Trouble.BUSY, AddressStatus.UNVERIFIED),
    ],
)
def test_one_that_is_refused_is_over_and_goes_to_no_other_address(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, trouble: Trouble, address: str
) -> None:
    add_tie(patient, "phone", "054-765-4321", TieAnswers())
    monkeypatch.setitem(TRANSPORTS, "console", Refusing(trouble))
    send_test(tie_of(patient), Channel.SMS, now=NOW, by=builders.user())
    dispatch(now=NOW)
    later = NOW + timedelta(minutes=2)
    assert plan_attempts(now=later) == 0
    assert [attempt.status for attempt in Attempt.objects.all()] == [AttemptStatus.FAILED]
    assert tie_of(patient).contact_point.status == address
    assert (OutreachTask.objects.get().status, Step.objects.count()) == (TaskStatus.CANCELLED, 1)
    assert (Step.objects.get().status, Step.objects.get().outcome) == (StepStatus.COMPLETED, "not_needed")


def test_a_stop_on_the_way_ends_it_without_another_way(patient: Patient) -> None:
    attempt = send_test(tie_of(patient), Channel.SMS, now=NOW, by=builders.user())
    opt_out(patient, attempt, now=NOW, words="STOP")
    assert plan_attempts(now=NOW) == 0
    assert dispatch(now=NOW).sent == 0
    assert [each.status for each in Attempt.objects.all()] == [AttemptStatus.CANCELLED]
    assert OutreachTask.objects.get().status == TaskStatus.CANCELLED


def test_nobody_gets_it_after_she_has_left(patient: Patient) -> None:
    send_test(tie_of(patient), Channel.SMS, now=NOW, by=builders.user())
    assert dispatch(now=NOW + AT_THE_DESK).sent == 0
    assert plan_attempts(now=NOW + AT_THE_DESK) == 0
    assert Attempt.objects.get().status == AttemptStatus.CANCELLED


def test_a_test_counts_as_no_contact(patient: Patient) -> None:
    send_test(tie_of(patient), Channel.SMS, now=NOW, by=builders.user())
    dispatch(now=NOW)
    task = builders.task(builders.step(builders.journey(patient)))
    (read,) = Reach.among([task.pk], now=NOW).tasks
    assert Reach.among([task.pk], now=NOW).past(read) == []
