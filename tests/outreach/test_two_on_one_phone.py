"""A mother with two children on one phone, each with a visit: what she answers is about the child she means."""

from datetime import timedelta
from typing import Any

import pytest

from appointments.models import Appointment
from journeys.models import StepKind, StepStatus
from outreach.channels.inbound import Said
from outreach.models import Attempt, AttemptStatus, Reply
from outreach.replies import receive_reply
from patients.actions import add_address
from patients.models import AddressKind, Patient, Relation
from patients.queries import withdrawn
from tests import builders
from tests.conftest import NOW
from tests.outreach.test_brought import by_telegram, by_whatsapp
from tests.standins import telegram
from tests.standins.meta import Meta
from tests.standins.telegram import Telegram

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
HOUR = timedelta(hours=1)
VALUES = {"sms": "+972502345678", "whatsapp": "972502345678", "telegram": "777"}
KINDS = {"sms": AddressKind.PHONE, "whatsapp": AddressKind.WHATSAPP, "telegram": AddressKind.TELEGRAM}


def child(of: Patient | None, name: str, channel: str, *, asked_at: Any, reference: str = "") -> Appointment:
    """With a visit of which the mother was asked whether it suits, on that channel."""
    clinic = of.clinic if of else builders.clinic()
    patient = builders.patient(clinic, given_name=name, phone="")
    tie = add_address(patient, KINDS[channel], VALUES[channel], relation=Relation.PARENT)
    made: Appointment = builders.appointment(patient, start=NOW + (48 if of else 72) * HOUR)
    journey = builders.journey(patient)
    made.step = builders.step(journey, kind=StepKind.VISIT, due_at=made.end)
    made.made_at = NOW - timedelta(days=30)
    made.save(update_fields=["step", "made_at"])
    reminded = builders.task(made.step, plan_from=None, message_key="visit_reminder")
    builders.attempt(
        reminded,
        channel=channel,
        contact_point=tie.contact_point,
        status=AttemptStatus.SENT,
        sent_at=asked_at,
        called_at=asked_at,
        provider_reference=reference,
    )
    return made


def both(channel: str, *, older_at: Any = NOW - 2 * HOUR) -> tuple[Appointment, Appointment]:
    ben = child(None, "Ben", channel, asked_at=older_at, reference="11")
    return ben, child(ben.patient, "Tamar", channel, asked_at=NOW - HOUR, reference="12")


def is_as_it_was(visit: Appointment) -> bool:
    visit.refresh_from_db()
    return visit.status == "booked" and visit.confirmed_at is None


@pytest.mark.parametrize("words", ["Yes", "No", "Another time"])
def test_a_bare_word_after_two_questions_is_about_neither_until_a_person_has_asked(words: str) -> None:
    ben, tamar = both("sms")
    assert receive_reply(Said("sms", "phone", VALUES["sms"], words, at=NOW), now=NOW) == "unknown_writer"
    assert is_as_it_was(ben)
    assert is_as_it_was(tamar)
    reply = Reply.objects.get()
    assert reply.matter is not None
    assert (reply.patient, reply.body, reply.matter.status) == (None, words, StepStatus.ACTIVE)


def test_once_one_is_answered_the_word_is_about_the_other() -> None:
    ben, tamar = both("sms")
    answered = Attempt.objects.get(patient=ben.patient)
    builders_reply = {"clinic": ben.patient.clinic, "patient": ben.patient, "attempt": answered}
    Reply.objects.create(**builders_reply, channel="sms", at=NOW - HOUR, body="Yes", meaning="confirm")
    receive_reply(Said("sms", "phone", VALUES["sms"], "Yes", at=NOW), now=NOW)
    tamar.refresh_from_db()
    assert (is_as_it_was(ben), tamar.confirmed_at) == (True, NOW)


def test_a_question_of_last_week_is_not_meant_any_more() -> None:
    ben, tamar = both("sms", older_at=NOW - timedelta(days=7))
    receive_reply(Said("sms", "phone", VALUES["sms"], "Yes", at=NOW), now=NOW)
    tamar.refresh_from_db()
    assert (is_as_it_was(ben), tamar.confirmed_at) == (True, NOW)


def quoted_on_whatsapp(number: str, words: str) -> None:
    context = {"from": "97235550142", "id": number}
    by_whatsapp(type="text", text={"body": words}, context=context)


def quoted_on_telegram(number: str, words: str) -> None:
    quoted = {"message_id": int(number), "from": {"id": 1, "is_bot": True}}
    by_telegram(message={**telegram.message(words), "reply_to_message": quoted})


def quoted(channel: str, number: str, words: str) -> None:
    {"whatsapp": quoted_on_whatsapp, "telegram": quoted_on_telegram}[channel](number, words)


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
def test_who_answers_under_a_message_means_that_child(whatsapp: Meta, bot: Telegram, channel: str) -> None:
    ben, tamar = both(channel)
    quoted(channel, "11", "no")
    ben.refresh_from_db()
    assert (ben.status, is_as_it_was(tamar)) == ("cancelled", True)


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
def test_under_a_message_that_we_do_not_know_nothing_is_given_away(
    whatsapp: Meta, bot: Telegram, channel: str
) -> None:
    ben, tamar = both(channel)
    quoted(channel, "99", "no")
    assert is_as_it_was(ben)
    assert is_as_it_was(tamar)
    assert Reply.objects.get().matter is not None


@pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
def test_stop_under_a_message_that_we_do_not_know_stops_the_last(
    whatsapp: Meta, bot: Telegram, channel: str
) -> None:
    ben, tamar = both(channel)
    quoted(channel, "99", "STOP")
    refused = set(withdrawn(channel=channel).values_list("patient", flat=True))
    assert refused == {tamar.patient_id}
    assert is_as_it_was(ben)


def test_her_own_words_that_she_quotes_say_nothing(whatsapp: Meta) -> None:
    only = child(None, "Ben", "whatsapp", asked_at=NOW - HOUR, reference="11")
    by_whatsapp(type="text", text={"body": "yes"}, context={"from": "972502345678", "id": "wamid.0"})
    only.refresh_from_db()
    assert only.confirmed_at == NOW
