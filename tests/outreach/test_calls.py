"""Calls: one person rings one patient, and each outcome is a policy."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from appointments.models import Appointment, AppointmentStatus
from journeys import actions
from journeys.actions import NewJourney, start_journey
from journeys.models import Journey, JourneyStatus, Step, StepKind, StepStatus
from outreach.actions import plan_attempts
from outreach.because import Because
from outreach.calls import call_now, claim_call, record_outcome
from outreach.dispatch import LEASE, take
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply, TaskStatus
from patients.actions import (
    CardAnswers,
    RefusedError,
    StaleStateError,
    add_address,
    save_card,
    withdraw_consent,
)
from patients.models import AddressKind, AddressStatus, Channel, Consent, ContactPoint, Patient, Relation
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def a_call(**fields: Any) -> Attempt:
    return builders.attempt(channel=Channel.PHONE, **fields)


def made(step: Step) -> Attempt:
    """A call about the step, in the hands of somebody."""
    return claim_call(a_call(of=builders.task(step, plan_from=None)), by=builders.user(), now=NOW)


@pytest.fixture
def decided() -> Journey:
    """Decided: the visit is booked for tomorrow, and the patient is asked to confirm it."""
    call_command("load_catalogue", verbosity=0)
    journey = start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.AWAIT_RESULT), "received", now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.REVIEW), "treat", now=NOW)
    builders.appointment(journey.patient, step=journey.steps.get(kind=StepKind.VISIT))
    return journey


def test_one_patient_is_called_by_one_person() -> None:
    first, second = a_call(), builders.user(first_name="Dan")
    rina = builders.user()
    claim_call(first, by=rina, now=NOW)
    other = builders.attempt(
        builders.task(builders.step(first.task.step.journey), plan_from=None), channel=Channel.PHONE
    )
    with pytest.raises(StaleStateError, match="Rina"):
        claim_call(other, by=second, now=NOW)
    with pytest.raises(StaleStateError):
        claim_call(first, by=second, now=NOW)


def test_two_of_a_family_share_a_number_and_it_rings_once() -> None:
    first = a_call()
    child = builders.patient(first.clinic, given_name="Noa")
    other = a_call(of=builders.task(builders.step(builders.journey(child)), plan_from=None))
    claim_call(first, by=builders.user(), now=NOW)
    with pytest.raises(StaleStateError, match="Rina"):
        claim_call(other, by=builders.user(), now=NOW)


def test_no_answer_is_silence_and_is_planned_anew() -> None:
    call = claim_call(a_call(), by=builders.user(), now=NOW)
    record_outcome(call, "no_answer", now=NOW)
    call.refresh_from_db()
    call.task.refresh_from_db()
    assert (call.status, call.outcome, call.task.plan_from) == (AttemptStatus.FAILED, "no_answer", NOW)
    call.task.step.refresh_from_db()
    assert call.task.step.status == StepStatus.ACTIVE


def test_a_wrong_number_is_never_dialled_again() -> None:
    call = claim_call(a_call(), by=builders.user(), now=NOW)
    record_outcome(call, "wrong_number", now=NOW)
    assert ContactPoint.objects.get().status == AddressStatus.BAD
    plan_attempts(now=NOW)
    call.task.refresh_from_db()
    assert call.task.outcome == "no_address"


def test_declined_needs_the_patients_own_words() -> None:
    call = claim_call(a_call(), by=builders.user(), now=NOW)
    with pytest.raises(RefusedError, match="own words"):
        record_outcome(call, "declined", now=NOW)
    record_outcome(call, "declined", now=NOW, note="we moved to Haifa")
    call.task.step.refresh_from_db()
    assert (call.task.step.outcome, call.task.step.note) == ("declined", "we moved to Haifa")


def test_call_again_is_a_promise_with_that_time() -> None:
    call = claim_call(a_call(), by=builders.user(), now=NOW)
    at_six = NOW + timedelta(hours=8)
    record_outcome(call, "call_at", now=NOW, call_again_at=at_six)
    promise = Step.objects.get(kind=StepKind.PROMISE)
    assert (promise.due_at, promise.about) == (at_six, call.task.step)


def test_prefers_a_message_changes_the_card() -> None:
    task = builders.task(plan_from=None)
    save_card(task.patient, CardAnswers(Channel.PHONE), now=NOW, by=None)
    call = claim_call(a_call(of=task), by=builders.user(), now=NOW)
    record_outcome(call, "prefers_message", now=NOW)
    plan_attempts(now=NOW + timedelta(hours=3))
    assert Attempt.objects.get(status=AttemptStatus.PLANNED).channel == Channel.SMS


def test_an_outcome_of_a_lost_lease_is_refused() -> None:
    call = claim_call(a_call(), by=builders.user(), now=NOW)
    Attempt.objects.update(status=AttemptStatus.PLANNED, lease=None, lease_until=None)
    with pytest.raises(StaleStateError):
        record_outcome(call, "no_answer", now=NOW)


def test_a_call_outside_the_plan_needs_a_reason_and_keeps_it() -> None:
    step = builders.step()
    user = builders.user()
    with pytest.raises(RefusedError, match="outside"):
        call_now(step, by=user, now=NOW, because="")
    call = call_now(step, by=user, now=NOW, because="she asked for it")
    assert (call.status, call.why) == (AttemptStatus.SENDING, "|she asked for it")


@pytest.mark.parametrize(
    ("hours", "zone", "words"),
    [
        (12, "", "from 08:00 to 21:00 by the patient's clock, and it is 22:00 there"),
        (-3, "", "it is 07:00 there"),
        (0, "America/New_York", "it is 04:00 there"),
    ],
)
def test_no_reason_opens_the_hours_that_the_country_keeps_shut(hours: int, zone: str, words: str) -> None:
    step = builders.step()
    Patient.objects.update(time_zone=zone)
    planned = builders.attempt(builders.task(step, plan_from=None))
    with pytest.raises(RefusedError, match=words):
        call_now(step, by=builders.user(), now=NOW + timedelta(hours=hours), because="she asked for it")
    planned.refresh_from_db()
    assert planned.status == AttemptStatus.PLANNED


def test_spoken_ends_a_call_step_of_a_template() -> None:
    call_command("load_catalogue", verbosity=0)
    journey = start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW)
    template_step = journey.template.steps.get(key="call_today")  # type: ignore[union-attr]
    step = builders.step(journey, kind=StepKind.CALL, template_step=template_step)
    call = claim_call(a_call(of=builders.task(step, plan_from=None)), by=builders.user(), now=NOW)
    record_outcome(call, "spoken", now=NOW)
    step.refresh_from_db()
    assert step.outcome == "spoken"


def test_a_call_during_a_message_waits_for_it() -> None:
    message = builders.attempt()
    take(message.pk, message.reference, now=NOW, lasts=LEASE)
    with pytest.raises(StaleStateError, match="a message"):
        call_now(message.task.step, by=builders.user(), now=NOW, because="she asked for it")


def test_a_promised_call_speaks_of_what_it_is_about() -> None:
    about = builders.step(message_key="recall")
    promise = builders.step(about.journey, kind=StepKind.PROMISE, about=about)
    call_now(promise, by=builders.user(), now=NOW, because="promised")
    assert OutreachTask.objects.get().message_key == "recall"


def test_a_kept_promise_to_call_ends_what_it_was_about() -> None:
    about = builders.step(kind=StepKind.TELL)
    promise = builders.step(about.journey, kind=StepKind.PROMISE, about=about)
    record_outcome(made(promise), "spoken", now=NOW)
    assert set(Step.objects.values_list("kind", "outcome")) == {("promise", "kept"), ("tell", "told")}


def test_who_asks_us_to_stop_is_not_contacted_on_any_way_any_more() -> None:
    call = claim_call(a_call(), by=builders.user(), now=NOW)
    elsewhere = builders.attempt(builders.task(builders.step(call.task.step.journey), plan_from=None))
    record_outcome(call, "asked_to_stop", now=NOW, note="leave me alone")
    for attempt in (call, elsewhere):
        attempt.task.refresh_from_db()
        assert (attempt.task.status, attempt.task.outcome) == (TaskStatus.CANCELLED, "asked_to_stop")
    elsewhere.refresh_from_db()
    assert elsewhere.status == AttemptStatus.CANCELLED
    assert set(Consent.objects.values_list("channel", flat=True)) == {"phone", "sms", "voice"}
    assert Step.objects.filter(status=StepStatus.ACTIVE).count() == 2  # with their owners and clocks


def test_a_declined_visit_is_free_for_somebody_else_and_nobody_asks_again(decided: Journey) -> None:
    step = decided.steps.get(kind=StepKind.CONFIRM)
    record_outcome(made(step), "declined", now=NOW, note="it is too much money for me now")
    assert Appointment.objects.get().status == AppointmentStatus.CANCELLED
    step.refresh_from_db()
    decided.refresh_from_db()
    assert (step.outcome, decided.status) == ("declined", JourneyStatus.COMPLETED)
    assert Reply.objects.get().body == "it is too much money for me now"


def test_a_visit_confirmed_on_the_phone_is_confirmed(decided: Journey) -> None:
    step = decided.steps.get(kind=StepKind.CONFIRM)
    record_outcome(made(step), "confirmed", now=NOW)
    step.refresh_from_db()
    assert (step.outcome, Appointment.objects.get().confirmed_at) == ("confirmed", NOW)


def test_nothing_is_booked_without_a_time() -> None:
    call_command("load_catalogue", verbosity=0)
    journey = start_journey(builders.patient(), NewJourney("next_stage"), now=NOW)
    with pytest.raises(RefusedError, match="Choose its time"):
        record_outcome(made(journey.steps.get()), "booked", now=NOW)


def test_a_message_is_promised_only_on_a_channel_that_is_on(settings: LazySettings) -> None:
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "off", "whatsapp": "console", "email": "console"}
    call = claim_call(a_call(), by=builders.user(), now=NOW)
    builders.on_whatsapp(call.patient)
    record_outcome(call, "prefers_message", now=NOW)
    call.patient.card.refresh_from_db()
    assert (call.patient.card.channel, call.patient.card.told_at) == (Channel.WHATSAPP, NOW)


def test_nobody_rings_a_number_while_a_machine_rings_it() -> None:
    rings = builders.attempt(
        channel=Channel.VOICE, status=AttemptStatus.SENT, called_at=NOW, sent_at=NOW, ended_at=NOW
    )
    call = a_call(of=builders.task(builders.step(rings.task.step.journey), plan_from=None))
    with pytest.raises(StaleStateError, match="rings there at this moment"):
        claim_call(call, by=builders.user(), now=NOW)
    Attempt.objects.filter(pk=rings.pk).update(status=AttemptStatus.DELIVERED)
    assert claim_call(call, by=builders.user(), now=NOW).status == AttemptStatus.SENDING


def test_a_machine_whose_end_was_never_told_holds_nobody_up_for_long() -> None:
    rings = builders.attempt(
        channel=Channel.VOICE, status=AttemptStatus.SENT, called_at=NOW, sent_at=NOW, ended_at=NOW
    )
    call = a_call(of=builders.task(builders.step(rings.task.step.journey), plan_from=None))
    assert claim_call(call, by=builders.user(), now=NOW + timedelta(minutes=3)).called_at is None


def test_where_she_refused_calls_her_other_number_is_called_and_no_planned_call_is_taken() -> None:
    call = a_call()
    other = add_address(call.patient, AddressKind.PHONE, "+972541111111", rank=2).contact_point
    rina = builders.user()
    withdraw_consent(call.patient, call.contact_point, Channel.PHONE, now=NOW, words="not at home")
    with pytest.raises(StaleStateError, match="not to be called at this number"):
        claim_call(call, by=rina, now=NOW)
    call.refresh_from_db()
    assert (call.status, call.decisions.get().rules) == (AttemptStatus.CANCELLED, Because.CONSENT)
    by_hand = call_now(call.task.step, by=rina, now=NOW, because="asked")
    assert by_hand.contact_point == other
    record_outcome(by_hand, "no_answer", now=NOW)
    withdraw_consent(call.patient, other, Channel.PHONE, now=NOW, words="nowhere")
    with pytest.raises(RefusedError, match="no number"):
        call_now(call.task.step, by=rina, now=NOW, because="asked")


def test_whose_mother_is_told_no_more_is_called_herself() -> None:
    """She is eighteen today, and her mother's number is tried first."""
    today = builders.patient(birth_date=NOW.date().replace(year=NOW.year - 18))
    today.contacts.update(rank=2)
    add_address(today, AddressKind.PHONE, "+972541111111", relation=Relation.PARENT, rank=1)
    step = builders.step(builders.journey(today))
    made = call_now(step, by=builders.user(), now=NOW, because="asked")
    assert made.contact_point == today.contacts.get(relation=Relation.SELF).contact_point
