from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from journeys.actions import NewJourney, start_journey
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.actions import open_tasks, opt_out, plan_attempts
from outreach.calls import call_now, claim_call, record_outcome
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from patients.actions import CardAnswers, RefusedError, StaleStateError, save_card, withdraw_consent
from patients.models import AddressStatus, Channel, ContactPoint
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def wanting_contact(**fields: Any) -> Step:
    return builders.step(contact_from=NOW, message_key="next_step", **fields)


def by_hand(step: Step) -> Step:
    """The step a person got instead."""
    return Step.objects.exclude(pk=step.pk).get(journey=step.journey, status=StepStatus.ACTIVE)


def a_call(**fields: Any) -> Attempt:
    return builders.attempt(channel=Channel.PHONE, **fields)


class TestOpenTasks:
    def test_a_step_that_wants_contact_gets_one_task_and_its_alarm_is_consumed(self) -> None:
        step = wanting_contact()
        assert (open_tasks(now=NOW), open_tasks(now=NOW)) == (1, 0)
        task = OutreachTask.objects.get()
        assert (task.step, task.patient, task.plan_from) == (step, step.journey.patient, NOW)
        assert (task.deadline_at, task.max_attempts, task.status) == (step.due_at, 4, TaskStatus.OPEN)
        step.refresh_from_db()
        assert step.contact_from is None

    def test_a_contact_of_tomorrow_waits(self) -> None:
        builders.step(contact_from=NOW + timedelta(seconds=1), message_key="next_step")
        assert open_tasks(now=NOW) == 0

    def test_a_step_that_has_ended_gets_no_task(self) -> None:
        step = wanting_contact()
        Step.objects.filter(pk=step.pk).update(status=StepStatus.ON_HOLD)
        open_tasks(now=NOW)
        assert not OutreachTask.objects.exists()

    def test_a_journey_without_a_patient_gets_no_task(self) -> None:
        step = wanting_contact()
        type(step.journey).objects.update(patient=None, status="unidentified")
        open_tasks(now=NOW)
        assert not OutreachTask.objects.exists()

    def test_the_open_task_of_a_step_is_kept(self) -> None:
        step = wanting_contact()
        first = builders.task(step)
        open_tasks(now=NOW)
        assert list(OutreachTask.objects.all()) == [first]

    def test_batches_take_everything(self) -> None:
        journey = builders.journey()
        for _n in range(5):
            builders.step(journey, contact_from=NOW, message_key="next_step")
        assert open_tasks(now=NOW, limit=2) == 5
        assert OutreachTask.objects.count() == 5


class TestPlan:
    def test_a_plan_is_inside_the_patients_window_on_her_channel(self) -> None:
        task = builders.task()
        evening = CardAnswers(Channel.WHATSAPP, ((0, time(16), time(20)),))
        save_card(task.patient, evening, now=NOW, by=None)
        assert plan_attempts(now=NOW) == 1
        attempt = Attempt.objects.get()
        assert (attempt.channel, attempt.status) == (Channel.WHATSAPP, AttemptStatus.PLANNED)
        assert attempt.send_at == datetime(2026, 3, 9, 14, 0, tzinfo=UTC)
        assert attempt.why == "asked"

    def test_the_clinics_quiet_hours_hold_for_a_patient_who_named_none(self) -> None:
        builders.task()
        plan_attempts(now=NOW + timedelta(hours=13))  # 23:00 on Monday
        assert Attempt.objects.get().send_at == datetime(2026, 3, 10, 7, 0, tzinfo=UTC)

    def test_a_channel_that_is_off_is_not_planned(self, settings: LazySettings) -> None:
        settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "off", "whatsapp": "off", "email": "off"}
        builders.task()
        plan_attempts(now=NOW)
        assert Attempt.objects.get().channel == Channel.PHONE

    def test_an_address_that_opted_out_or_is_bad_is_not_planned(self) -> None:
        task = builders.task()
        point = ContactPoint.objects.get()
        for channel in (Channel.SMS, Channel.WHATSAPP):
            withdraw_consent(task.patient, point, channel, now=NOW, words="STOP")
        plan_attempts(now=NOW)
        assert Attempt.objects.get().channel == Channel.PHONE
        ContactPoint.objects.update(status=AddressStatus.BAD)
        second = builders.task(builders.step(task.step.journey))
        plan_attempts(now=NOW)
        second.refresh_from_db()
        assert (second.status, second.outcome) == (TaskStatus.GIVEN_UP, "no_address")

    def test_an_optout_of_one_of_the_family_does_not_silence_the_others(self) -> None:
        mother = builders.task()
        child = builders.patient(mother.clinic, given_name="Noa")
        task = builders.task(builders.step(builders.journey(child)))
        withdraw_consent(mother.patient, ContactPoint.objects.get(), Channel.SMS, now=NOW, words="STOP")
        plan_attempts(now=NOW)
        channels = dict(Attempt.objects.values_list("task", "channel"))
        assert channels == {mother.pk: Channel.PHONE, task.pk: Channel.SMS}

    def test_an_impossible_card_becomes_a_step_for_a_person_and_the_step_keeps_its_clock(self) -> None:
        task = builders.task()
        night = CardAnswers(Channel.PHONE, ((5, time(2), time(3)),))
        save_card(task.patient, night, now=NOW, by=None)
        plan_attempts(now=NOW)
        assert not Attempt.objects.exists()
        hand = by_hand(task.step)
        assert (hand.owner_role, hand.kind, hand.about) == (OwnerRole.RECEPTIONIST, StepKind.CALL, task.step)
        task.step.refresh_from_db()
        assert task.step.status == StepStatus.ACTIVE

    def test_a_further_task_costs_only_its_own_row(self) -> None:
        clinic = builders.clinic()

        def queries_for(count: int) -> int:
            for _n in range(count):
                builders.task(builders.step(builders.journey(builders.patient(clinic))))
            with CaptureQueriesContext(connection) as captured:
                assert plan_attempts(now=NOW) == count
            return len(captured)

        one, three = queries_for(1), queries_for(3)
        assert three - one == 2 * 3  # savepoint, insert, release

    def test_the_task_of_a_step_that_ended_is_cancelled(self) -> None:
        task = builders.task()
        Step.objects.update(status=StepStatus.CANCELLED)
        plan_attempts(now=NOW)
        task.refresh_from_db()
        assert (task.status, Attempt.objects.count()) == (TaskStatus.CANCELLED, 0)


class TestCalls:
    def test_one_patient_is_called_by_one_person(self) -> None:
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

    def test_two_of_a_family_share_a_number_and_it_rings_once(self) -> None:
        first = a_call()
        child = builders.patient(first.clinic, given_name="Noa")
        other = a_call(of=builders.task(builders.step(builders.journey(child)), plan_from=None))
        claim_call(first, by=builders.user(), now=NOW)
        with pytest.raises(StaleStateError, match="Rina"):
            claim_call(other, by=builders.user(), now=NOW)

    def test_no_answer_is_silence_and_is_planned_anew(self) -> None:
        call = claim_call(a_call(), by=builders.user(), now=NOW)
        record_outcome(call, "no_answer", now=NOW)
        call.refresh_from_db()
        call.task.refresh_from_db()
        assert (call.status, call.outcome, call.task.plan_from) == (AttemptStatus.FAILED, "no_answer", NOW)
        call.task.step.refresh_from_db()
        assert call.task.step.status == StepStatus.ACTIVE

    def test_a_wrong_number_is_never_dialled_again(self) -> None:
        call = claim_call(a_call(), by=builders.user(), now=NOW)
        record_outcome(call, "wrong_number", now=NOW)
        assert ContactPoint.objects.get().status == AddressStatus.BAD
        plan_attempts(now=NOW)
        call.task.refresh_from_db()
        assert call.task.outcome == "no_address"

    def test_declined_needs_the_patients_own_words(self) -> None:
        call = claim_call(a_call(), by=builders.user(), now=NOW)
        with pytest.raises(RefusedError, match="own words"):
            record_outcome(call, "declined", now=NOW)
        record_outcome(call, "declined", now=NOW, note="we moved to Haifa")
        call.task.step.refresh_from_db()
        assert (call.task.step.outcome, call.task.step.note) == ("declined", "we moved to Haifa")

    def test_call_again_is_a_promise_with_that_time(self) -> None:
        call = claim_call(a_call(), by=builders.user(), now=NOW)
        at_six = NOW + timedelta(hours=8)
        record_outcome(call, "call_at", now=NOW, call_again_at=at_six)
        promise = Step.objects.get(kind=StepKind.PROMISE)
        assert (promise.due_at, promise.about) == (at_six, call.task.step)

    def test_prefers_a_message_changes_the_card(self) -> None:
        task = builders.task(plan_from=None)
        save_card(task.patient, CardAnswers(Channel.PHONE), now=NOW, by=None)
        call = claim_call(a_call(of=task), by=builders.user(), now=NOW)
        record_outcome(call, "prefers_message", now=NOW)
        plan_attempts(now=NOW + timedelta(hours=3))
        assert Attempt.objects.get(status=AttemptStatus.PLANNED).channel == Channel.SMS

    def test_asked_to_stop_cancels_what_is_queued_on_that_channel(self) -> None:
        sent = builders.attempt(status=AttemptStatus.SENT, sent_at=NOW)
        queued = builders.attempt(builders.task(builders.step(sent.task.step.journey), plan_from=None))
        opt_out(sent.patient, sent, now=NOW, words="STOP")
        queued.refresh_from_db()
        assert (queued.status, queued.outcome) == (AttemptStatus.CANCELLED, "opted_out")

    def test_an_outcome_of_a_lost_lease_is_refused(self) -> None:
        call = claim_call(a_call(), by=builders.user(), now=NOW)
        Attempt.objects.update(status=AttemptStatus.PLANNED, lease=None, lease_until=None)
        with pytest.raises(StaleStateError):
            record_outcome(call, "no_answer", now=NOW)

    def test_a_call_outside_the_plan_needs_a_reason_and_keeps_it(self) -> None:
        step = builders.step()
        user = builders.user()
        with pytest.raises(RefusedError, match="outside"):
            call_now(step, by=user, now=NOW, because="")
        call = call_now(step, by=user, now=NOW, because="she asked for it")
        assert (call.status, call.why) == (AttemptStatus.SENDING, "|she asked for it")


def test_spoken_ends_a_call_step_of_a_template() -> None:
    call_command("load_catalogue", verbosity=0)
    journey = start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW)
    template_step = journey.template.steps.get(key="call_today")  # type: ignore[union-attr]
    step = builders.step(journey, kind=StepKind.CALL, template_step=template_step)
    call = claim_call(a_call(of=builders.task(step, plan_from=None)), by=builders.user(), now=NOW)
    record_outcome(call, "spoken", now=NOW)
    step.refresh_from_db()
    assert step.outcome == "spoken"
