"""A reply that says on which channel and from when to write: her card, the plan by it, and our word to her."""

from datetime import time, timedelta
from typing import Any

import pytest

from journeys.models import Step, StepKind
from outreach.channels.inbound import Said
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply
from outreach.replies import receive_reply
from patients.actions import CardAnswers, save_card, withdraw_consent
from patients.models import AddressKind, ContactWindow, Patient, PatientContact, Relation, ServiceCard
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
WORDS = "can't talk, write me on WhatsApp after 5"
SUNDAY_TO_TUESDAY = (6, 0, 1)


@pytest.fixture
def patient() -> Patient:
    """Who was written to by SMS, and is to be called in the morning."""
    builders.messages_loaded()
    who = builders.patient(language="en")
    windows = tuple((day, time(8), time(12)) for day in SUNDAY_TO_TUESDAY)
    save_card(who, CardAnswers("sms", windows, may_tell="Mother"), now=NOW, by=None)
    builders.on_whatsapp(who)
    step = builders.step(builders.journey(who), kind=StepKind.RECALL, message_key="recall")
    task = builders.task(step, plan_from=None, message_key="recall")
    builders.attempt(
        task, status="sent", sent_at=NOW, called_at=NOW - timedelta(hours=1), ended_at=NOW, outcome=""
    )
    return who


def wrote(words: str = WORDS, **more: Any) -> str:
    return receive_reply(Said("sms", "phone", "+972502345678", words, at=NOW, **more), now=NOW)


def test_her_card_follows_her_words_and_she_is_told(patient: Patient) -> None:
    assert wrote() == "write_at"
    card = ServiceCard.objects.get(patient=patient)
    assert (card.channel, card.source, card.told_at, card.told_to) == ("whatsapp", "patient", NOW, None)
    assert (card.may_tell, card.days_told, card.hours_told) == ("Mother", True, True)
    windows = ContactWindow.objects.filter(card=card).values_list("weekday", "start", "end")
    assert set(windows) == {(day, time(17), time.max) for day in SUNDAY_TO_TUESDAY}
    dispatch(now=NOW)
    told = Attempt.objects.exclude(body="").get()
    assert (told.channel, told.status) == ("sms", "sent")
    assert "we write by WhatsApp after 17:00" in told.body
    reply = Reply.objects.get()
    assert (reply.body, reply.meaning, reply.matter) == (WORDS, "write_at", None)
    assert not Step.objects.filter(kind=StepKind.CALL).exists()


def test_what_was_planned_otherwise_is_planned_anew(patient: Patient) -> None:
    other = builders.task(builders.step(builders.journey(patient)), plan_from=None)
    call = builders.attempt(other, channel="phone", send_at=NOW + timedelta(hours=1))
    wrote()
    call.refresh_from_db()
    assert call.status == AttemptStatus.CANCELLED
    to_plan = OutreachTask.objects.filter(patient=patient, plan_from=NOW)
    assert to_plan.count() == 2  # and what she was written about comes that way, too


def test_a_card_without_days_keeps_the_days_to_be_asked(patient: Patient) -> None:
    save_card(patient, CardAnswers("sms", days_told=False, hours_told=False), now=NOW, by=None)
    wrote()
    card = ServiceCard.objects.get(patient=patient)
    assert (card.days_told, card.windows.count()) == (False, 7)


def left_to_a_person(words: str = WORDS, **more: Any) -> bool:
    card = ServiceCard.objects.get()
    result = wrote(words, **more)
    same = ServiceCard.objects.get().told_at == card.told_at and ServiceCard.objects.get().channel == "sms"
    return result == "reply" and same and Reply.objects.get().matter is not None


def test_an_identity_is_never_guessed_from_a_number(patient: Patient) -> None:
    PatientContact.objects.filter(contact_point__kind=AddressKind.WHATSAPP).delete()
    assert left_to_a_person()


def test_nor_taken_from_a_relative_nor_changed_from_a_relatives_number(patient: Patient) -> None:
    ties = PatientContact.objects.filter(patient=patient)
    ties.filter(contact_point__kind=AddressKind.WHATSAPP).update(relation=Relation.PARENT)
    assert left_to_a_person()
    Reply.objects.all().delete()
    ties.update(relation=Relation.SELF)
    ties.filter(contact_point__kind=AddressKind.PHONE).update(relation=Relation.PARENT)
    assert left_to_a_person()


def test_what_she_stopped_there_before_is_a_persons_to_ask(patient: Patient) -> None:
    point = patient.contacts.get(contact_point__kind=AddressKind.WHATSAPP).contact_point
    withdraw_consent(patient, point, "whatsapp", now=NOW, words="STOP")
    assert left_to_a_person()


def test_where_nothing_is_to_come_a_person_writes(patient: Patient) -> None:
    OutreachTask.objects.update(status="done", outcome="x", ended_at=NOW)
    assert left_to_a_person()


@pytest.mark.parametrize(
    "words", ["can't talk after 5, write me on WhatsApp", "write me on WhatsApp tomorrow after 5"]
)
def test_what_leaves_anything_open_changes_nothing(patient: Patient, words: str) -> None:
    assert left_to_a_person(words)


def test_what_anybody_may_have_written_changes_nothing(patient: Patient) -> None:
    assert left_to_a_person(may_act=False)
