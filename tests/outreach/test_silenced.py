"""After STOP one last word, and START as the way back; both are lines of the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings

from journeys.models import JourneyStatus, Step, StepKind, StepStatus
from outreach.actions import plan_attempts
from outreach.channels.inbound import Said
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply
from outreach.replies import receive_reply
from patients.actions import add_address
from patients.models import AddressKind, Consent, Patient, Relation
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PHONE = "+972502345678"


@pytest.fixture
def patient() -> Patient:
    builders.messages_loaded()
    return builders.patient(language="ru")


def wrote(words: str, *, at: datetime = NOW) -> str:
    return receive_reply(Said("sms", "phone", PHONE, words, at=at), now=at)


def ledger(patient: Patient) -> list[tuple[str, str, bool]]:
    rows = Consent.objects.filter(patient=patient).order_by("pk")
    return [(row.status, row.how, row.superseded_at is None) for row in rows]


def ticks(at: datetime) -> None:
    dispatch(now=at)
    plan_attempts(now=at)


def test_stop_is_confirmed_once_in_her_language_and_nothing_else_leaves(patient: Patient) -> None:
    queued = builders.attempt(
        builders.task(builders.step(builders.journey(patient)), plan_from=None), send_at=NOW
    )
    assert wrote("СТОП") == "stop"
    ticks(NOW)
    wrote("stop!")
    ticks(NOW + timedelta(minutes=1))
    last = Attempt.objects.filter(sent_at__isnull=False).get()
    assert last.task.message_key == "stopped"
    assert "больше не будем писать вам сюда" in last.body
    assert "START" in last.body
    queued.refresh_from_db()
    assert queued.status == AttemptStatus.CANCELLED
    told = Step.objects.get(kind=StepKind.TELL)
    assert (told.status, told.journey.status) == (StepStatus.COMPLETED, JourneyStatus.COMPLETED)
    assert not Step.objects.filter(kind=StepKind.CALL).exists()


def test_start_opens_the_address_again_and_the_ledger_keeps_both(patient: Patient) -> None:
    wrote("STOP")
    ticks(NOW)
    assert wrote("Start", at=NOW + timedelta(hours=1)) == "start"
    assert ledger(patient) == [("withdrawn", "STOP", False), ("granted", "Start", True)]
    step = builders.step(builders.journey(patient))
    builders.task(step, plan_from=NOW + timedelta(hours=1))
    plan_attempts(now=NOW + timedelta(hours=1))
    assert Attempt.objects.get(task__step=step).channel == "sms"
    assert Reply.objects.order_by("-pk")[0].meaning == "start"


def test_stop_after_start_is_confirmed_again(patient: Patient) -> None:
    for minute, words in enumerate(("STOP", "START", "STOP")):
        wrote(words, at=NOW + timedelta(minutes=minute))
        ticks(NOW + timedelta(minutes=minute))
    assert OutreachTask.objects.filter(message_key="stopped", status="done").count() == 2
    assert [status for status, _how, _current in ledger(patient)] == ["withdrawn", "granted", "withdrawn"]


@pytest.mark.parametrize("words", ["START", "התחל", "Старт", "ابدأ"])
def test_the_way_back_is_known_in_four_languages(patient: Patient, words: str) -> None:
    wrote("STOP")
    assert wrote(words) == "start"


@pytest.mark.parametrize("words", ["When do we start?", "start"])
def test_who_was_not_silenced_is_read_by_a_person(patient: Patient, words: str) -> None:
    assert wrote(words) == "reply"
    assert ledger(patient) == []


def test_inside_a_sentence_it_brings_nothing_back(patient: Patient) -> None:
    wrote("STOP")
    assert wrote("when do we start?") == "reply"
    assert [status for status, _how, _current in ledger(patient)] == ["withdrawn"]


def test_on_a_shared_phone_only_who_stopped_begins_again(patient: Patient) -> None:
    other = builders.patient(patient.clinic, given_name="Ben", phone="")
    add_address(other, AddressKind.PHONE, PHONE, relation=Relation.PARENT)
    for hours, who in ((3, other), (2, patient)):
        task = builders.task(builders.step(builders.journey(who)), plan_from=None)
        builders.attempt(task, status="sent", sent_at=NOW, called_at=NOW - timedelta(hours=hours))
    wrote("STOP")
    ticks(NOW)
    wrote("START", at=NOW + timedelta(minutes=1))
    assert [status for status, _how, _current in ledger(patient)] == ["withdrawn", "granted"]
    assert ledger(other) == []


def test_at_night_the_last_word_is_left_out(patient: Patient) -> None:
    night = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)
    wrote("STOP", at=night)
    ticks(night)
    ticks(night + timedelta(hours=10))
    assert not Attempt.objects.filter(sent_at__isnull=False).exists()
    assert not Step.objects.filter(status=StepStatus.ACTIVE).exists()


def test_during_the_safe_start_it_goes_to_listed_addresses_alone(
    patient: Patient, settings: LazySettings
) -> None:
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "twilio"}
    settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = settings.TWILIO_FROM = "x"
    wrote("STOP")
    assert not Attempt.objects.exists()
    assert [status for status, _how, _current in ledger(patient)] == ["withdrawn"]
