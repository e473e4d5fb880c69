"""What an administrator has to answer for: channels in some countries, news and offers everywhere."""

import pytest
from django.db import IntegrityError, transaction

from outreach.actions import opt_out_at, plan_attempts
from outreach.attested import answer_for, may_use, take_back, to_answer_for
from outreach.because import Because
from outreach.decision_models import Decision
from outreach.dispatch import dispatch
from outreach.door import nothing_forbids
from outreach.models import Attempt, OutreachTask
from outreach.number_test import send_test
from outreach.provider_models import OFFERS, Attestation
from outreach.reach import Reach
from patients.actions import RefusedError, record_consent
from patients.models import Channel, Clinic, ConsentStatus, Purpose
from patients.queries import refusals_at
from tests import builders
from tests.conftest import NOW
from tests.standins.meta import Meta
from tests.standins.twilio import Twilio

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(whatsapp: Meta) -> Attempt:
    """A message on WhatsApp in Russia, where a clinic has to answer for it."""
    builders.messages_loaded()
    patient = builders.patient(builders.clinic(country="RU"), phone="+972502345678")
    tie = builders.on_whatsapp(patient)
    builders.opened(patient.clinic)
    builders.provider_answered(patient.clinic, Channel.WHATSAPP)
    task = builders.task(builders.step(builders.journey(patient)), plan_from=None)
    return builders.attempt(task, channel=Channel.WHATSAPP, contact_point=tie.contact_point)


@pytest.fixture
def offer(twilio: Twilio) -> Attempt:
    builders.messages_loaded()
    made = builders.attempt()
    builders.opened(made.clinic)
    OutreachTask.objects.update(purpose=Purpose.MARKETING)
    return made


def ways(task: OutreachTask) -> set[str]:
    reach = Reach.among([task.pk], now=NOW)
    return {option.channel for option in reach.options(reach.tasks[0])}


def stopped() -> list[str]:
    return [str(decision.rules) for decision in Decision.objects.filter(kind="stopped")]


def begins(attempt: Attempt) -> bool:
    clinic = Clinic.objects.get(pk=attempt.clinic_id)
    return Attempt.objects.filter(*nothing_forbids(attempt.channel, [clinic]).values()).exists()


def test_the_country_says_what_has_to_be_answered_for() -> None:
    assert to_answer_for(Clinic(country="RU")) == ["telegram", "whatsapp", OFFERS]
    assert to_answer_for(Clinic(country="IL")) == [OFFERS]


def test_until_somebody_answers_for_it_nothing_is_planned_or_leaves_there(
    attempt: Attempt, whatsapp: Meta
) -> None:
    assert Channel.WHATSAPP not in ways(attempt.task)
    assert not begins(attempt)
    assert dispatch(now=NOW).sent == 0
    assert whatsapp.taken == []
    assert stopped() == [Because.NOT_ANSWERED_FOR]


def test_once_an_administrator_answers_for_it_nothing_stops_it(attempt: Attempt, whatsapp: Meta) -> None:
    answer_for(attempt.clinic, Channel.WHATSAPP, now=NOW, by=builders.user())
    assert Channel.WHATSAPP in ways(attempt.task)
    assert begins(attempt)
    dispatch(now=NOW)
    assert stopped() == []


def test_taken_back_it_is_off_again(attempt: Attempt, whatsapp: Meta) -> None:
    answer_for(attempt.clinic, Channel.WHATSAPP, now=NOW, by=builders.user())
    take_back(attempt.clinic, Channel.WHATSAPP)
    assert not may_use(attempt.clinic, Channel.WHATSAPP)
    assert not begins(attempt)


def test_another_clinics_answer_opens_nothing_here(attempt: Attempt) -> None:
    answer_for(builders.clinic(country="RU"), Channel.WHATSAPP, now=NOW, by=builders.user())
    assert not begins(attempt)


def test_what_is_written_by_hand_is_refused_with_the_cure(attempt: Attempt) -> None:
    tie = attempt.patient.contacts.get(contact_point=attempt.contact_point)
    with pytest.raises(RefusedError, match="answer for this channel first, under Channels"):
        send_test(tie, Channel.WHATSAPP, now=NOW, by=builders.user())


def test_nothing_else_can_be_answered_for() -> None:
    with pytest.raises(RefusedError):
        answer_for(builders.clinic(), Channel.SMS, now=NOW, by=builders.user())


def test_offers_go_to_nobody_until_the_clinic_wants_them(offer: Attempt, twilio: Twilio) -> None:
    assert not begins(offer)
    assert dispatch(now=NOW).sent == 0
    assert stopped() == [Because.OFFERS_OFF]


def test_offers_go_only_to_who_asked_for_them(offer: Attempt, twilio: Twilio) -> None:
    answer_for(offer.clinic, OFFERS, now=NOW, by=builders.user())
    assert ways(offer.task) == set()
    assert not begins(offer)
    assert dispatch(now=NOW).sent == 0
    assert stopped() == [Because.OFFERS_NOT_WANTED]
    record_consent(
        offer.patient,
        offer.contact_point,
        offer.channel,
        ConsentStatus.GRANTED,
        now=NOW,
        purpose=Purpose.MARKETING,
        words="Yes, news please",
    )
    assert ways(offer.task) == {Channel.SMS}
    plan_attempts(now=NOW)
    assert dispatch(now=NOW).sent == 1


def test_after_stop_she_gets_no_offers_there_either(offer: Attempt) -> None:
    answer_for(offer.clinic, OFFERS, now=NOW, by=builders.user())
    here = (offer.patient, offer.contact_point, offer.channel)
    record_consent(*here, ConsentStatus.GRANTED, now=NOW, purpose=Purpose.MARKETING, words="Yes, news please")
    assert begins(offer)
    opt_out_at(*here, now=NOW, words="STOP")
    assert not begins(offer)
    record_consent(*here, ConsentStatus.GRANTED, now=NOW, words="START")  # about her care
    assert not begins(offer)
    assert refusals_at(offer.patient) == {}


def test_a_message_about_her_care_needs_no_such_answer(attempt: Attempt, offer: Attempt) -> None:
    OutreachTask.objects.update(purpose=Purpose.SERVICE)
    assert begins(offer)


def test_the_database_keeps_one_answer_of_what_is_known() -> None:
    clinic = builders.clinic()
    Attestation.objects.create(clinic=clinic, what=OFFERS, at=NOW)
    for what in (OFFERS, "fax"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Attestation.objects.create(clinic=clinic, what=what, at=NOW)
