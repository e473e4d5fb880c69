"""Two records that were one person: she is answered and obeyed under the one she has now."""

from datetime import timedelta

import pytest

from journeys.models import Step, StepKind, StepStatus
from outreach.answers import answer
from outreach.closing import merge_records, record_death
from outreach.models import Reply
from patients.actions import record_consent
from patients.models import Channel, ConsentStatus, Patient
from tests import builders
from tests.conftest import NOW
from tests.outreach.test_replies import by_sms, silenced, task_of, told
from tests.outreach.test_webhooks import after, say, sent_attempt
from tests.standins.twilio import Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def two() -> tuple[Patient, Patient]:
    into = builders.patient()
    duplicate = builders.patient(into.clinic)
    told(of=task_of(duplicate))
    return duplicate, into


@pytest.mark.parametrize("is_before", [True, False])
def test_a_stop_holds_for_her_whenever_the_records_are_merged(twilio: Twilio, is_before: bool) -> None:
    duplicate, into = two()
    if is_before:
        by_sms("STOP")
    merge_records(duplicate, into, now=NOW)
    if not is_before:
        by_sms("STOP")
    assert (into.pk, "sms") in silenced()


def test_what_she_has_allowed_since_stays_allowed(twilio: Twilio) -> None:
    duplicate, into = two()
    by_sms("STOP")
    point, later = into.contacts.get().contact_point, NOW + timedelta(minutes=1)
    record_consent(into, point, Channel.SMS, ConsentStatus.GRANTED, now=later)
    merge_records(duplicate, into, now=NOW + timedelta(hours=1))
    assert (into.pk, "sms") not in silenced()


def test_her_words_are_read_under_the_record_she_has_now(twilio: Twilio) -> None:
    duplicate, into = two()
    merge_records(duplicate, into, now=NOW)
    by_sms("When is it?")
    reply = Reply.objects.select_related("step__journey").get()
    assert reply.step is not None
    assert (reply.patient, reply.step.journey.patient) == (into, into)


def test_her_thanks_are_kept_under_the_record_she_has_now(twilio: Twilio) -> None:
    duplicate, into = two()
    merge_records(duplicate, into, now=NOW)
    by_sms("Thank you")
    reply = Reply.objects.get()
    assert (reply.meaning, reply.patient) == ("thanks", into)


def test_what_she_asks_on_the_page_of_the_other_record_is_read_as_well() -> None:
    duplicate, into = two()
    step = Step.objects.get(journey__patient=duplicate)
    merge_records(duplicate, into, now=NOW)
    step.refresh_from_db()
    for _twice in range(2):
        answer(step, "ask", now=NOW, channel="page", body="When is it?")
    asked = Step.objects.filter(kind=StepKind.CALL, title__contains="When is it?")
    assert [(each.journey.patient, each.status) for each in asked] == [(into, StepStatus.ACTIVE)]
    assert set(Reply.objects.values_list("patient", flat=True)) == {into.pk}


def test_two_merges_lead_to_one_record_in_one_step() -> None:
    duplicate, into = two()
    third = builders.patient(into.clinic)
    merge_records(duplicate, into, now=NOW)
    merge_records(into, third, now=NOW)
    duplicate.refresh_from_db()
    assert duplicate.merged_into == third


def test_what_did_not_reach_her_is_told_by_a_person_under_the_record_she_has_now(twilio: Twilio) -> None:
    into = builders.patient()
    duplicate = builders.patient(into.clinic)
    attempt = sent_attempt(of=task_of(duplicate))
    merge_records(duplicate, into, now=NOW)
    say(attempt, "undelivered", ErrorCode="30003")
    assert after(attempt) == "failed"
    calls = Step.objects.filter(kind=StepKind.CALL, about=attempt.task.step)
    assert [step.journey.patient for step in calls] == [into]


def test_nobody_is_asked_to_reach_the_dead_when_a_message_was_not_delivered(twilio: Twilio) -> None:
    patient = builders.patient()
    attempt = sent_attempt(of=task_of(patient))
    record_death(patient, "her son", now=NOW, by=builders.user())
    say(attempt, "undelivered", ErrorCode="30003")
    assert after(attempt) == "failed"
    assert not Step.objects.filter(about=attempt.task.step).exists()
