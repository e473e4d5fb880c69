from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.actions import cancel_for_steps, open_tasks, opt_out, plan_attempts
from outreach.anew import plan_missed, plan_switched_off
from outreach.calls import task_for
from outreach.models import Attempt, AttemptStatus, MessageTemplate, OutreachTask, TaskStatus
from patients.actions import CardAnswers, add_address, save_card, withdraw_consent
from patients.models import AddressKind, AddressStatus, Channel, ContactPoint, Patient, Purpose, Relation
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

    @pytest.mark.parametrize(
        ("texts", "purpose"),
        [
            ({}, Purpose.SERVICE),
            ({"ours": Purpose.MARKETING}, Purpose.MARKETING),
            ({"ours": Purpose.SERVICE, "own": Purpose.MARKETING}, Purpose.SERVICE),
            ({"ours": Purpose.MARKETING, "own": Purpose.SERVICE}, Purpose.MARKETING),
            ({"own": Purpose.MARKETING}, Purpose.MARKETING),
            ({"another clinic's": Purpose.MARKETING}, Purpose.SERVICE),
        ],
        ids=lambda texts: ", ".join(texts) or "none" if isinstance(texts, dict) else "",
    )
    def test_the_class_is_that_of_the_messages_key_and_no_clinics_own_text_changes_it(
        self, texts: dict[str, Purpose], purpose: Purpose
    ) -> None:
        by_tick, by_hand = wanting_contact(), builders.step(message_key="next_step")
        whose = {"ours": (None, None), "own": (by_tick.clinic, by_hand.clinic)}
        for name, given in texts.items():
            for clinic in set(whose.get(name, (builders.clinic(),))):
                for language in ("en", "he"):
                    row = {"key": "next_step", "language": language, "body": "x", "purpose": given}
                    MessageTemplate.objects.create(clinic=clinic, **row)
        open_tasks(now=NOW)
        patient = by_hand.journey.patient
        assert patient is not None
        task_for(by_hand, patient, now=NOW)
        assert set(OutreachTask.objects.values_list("step", "purpose")) == {
            (by_tick.pk, purpose),
            (by_hand.pk, purpose),
        }

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
        builders.on_whatsapp(task.patient)
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

    @pytest.mark.parametrize(
        ("kind", "day"),
        [(StepKind.TELL, 9), (StepKind.CONFIRM, 9), (StepKind.PROMISE, 9), (StepKind.RECALL, 10)],
    )
    def test_news_is_told_today_and_an_invitation_waits_for_the_daily_cap(
        self, kind: StepKind, day: int
    ) -> None:
        journey = builders.journey()
        for minutes in (30, 60):
            earlier = builders.task(builders.step(journey), plan_from=None)
            at = NOW - timedelta(minutes=minutes)
            builders.attempt(earlier, status=AttemptStatus.SENT, send_at=at, sent_at=at)
        builders.task(builders.step(journey, kind=kind))
        plan_attempts(now=NOW)
        assert Attempt.objects.get(status=AttemptStatus.PLANNED).send_at.day == day

    @pytest.mark.parametrize("limit", [200, 1])
    def test_what_is_planned_together_keeps_the_daily_cap(self, limit: int) -> None:
        journey = builders.journey()
        for _n in range(3):
            builders.task(builders.step(journey))
        assert plan_attempts(now=NOW, limit=limit) == 3
        days = Attempt.objects.order_by("send_at").values_list("send_at__day", flat=True)
        assert list(days) == [9, 9, 10]

    def test_a_patients_plans_fill_nobody_elses_day(self) -> None:
        for _n in range(3):
            builders.task()
        plan_attempts(now=NOW)
        assert {attempt.send_at.day for attempt in Attempt.objects.all()} == {9}

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

    def test_a_further_task_costs_only_its_own_rows(self) -> None:
        clinic = builders.clinic()

        def queries_for(count: int) -> int:
            for _n in range(count):
                builders.task(builders.step(builders.journey(builders.patient(clinic))))
            with CaptureQueriesContext(connection) as captured:
                assert plan_attempts(now=NOW) == count
            return len(captured)

        one, three = queries_for(1), queries_for(3)
        assert three - one == 2 * 4  # savepoint, the attempt, what was decided, release

    def test_a_step_on_hold_is_looked_at_again(self) -> None:
        task = builders.task()
        Step.objects.update(status=StepStatus.ON_HOLD)
        plan_attempts(now=NOW)
        task.refresh_from_db()
        assert (task.status, task.plan_from) == (TaskStatus.OPEN, NOW + timedelta(hours=1))

    def test_a_task_that_cannot_be_planned_stops_no_other(self) -> None:
        poisoned, sound = builders.task(), builders.task()
        Patient.objects.filter(pk=poisoned.patient_id).update(time_zone="Nowhere/At_all")
        assert plan_attempts(now=NOW) == 1
        poisoned.refresh_from_db()
        assert (poisoned.plan_from, Attempt.objects.get().task) == (NOW + timedelta(hours=1), sound)

    def test_our_own_failures_use_up_no_attempt(self) -> None:
        task = builders.task()
        for _n in range(5):
            builders.attempt(task, status=AttemptStatus.FAILED, outcome="unreachable", called_at=NOW)
        plan_attempts(now=NOW)
        planned = Attempt.objects.get(status=AttemptStatus.PLANNED)
        assert (planned.channel, planned.send_at) == (Channel.SMS, NOW)

    def test_a_childs_guardians_are_told_and_a_grown_up_is_told_alone(self) -> None:
        child = builders.patient(birth_date=date(2010, 3, 10))
        own = child.contacts.get()
        mother = add_address(child, AddressKind.PHONE, "+972547654321", relation=Relation.PARENT)
        for birthday, tie in ((NOW + timedelta(days=1), mother), (NOW, own)):
            born = birthday.date().replace(year=2008)
            Patient.objects.update(birth_date=born)
            builders.task(builders.step(builders.journey(child)))
            plan_attempts(now=NOW)
            assert Attempt.objects.latest("pk").contact_point == tie.contact_point

    def test_somebody_else_may_be_called_and_is_never_written_to(self) -> None:
        patient = builders.patient()
        patient.contacts.update(relation=Relation.OTHER)
        builders.task(builders.step(builders.journey(patient)))
        plan_attempts(now=NOW)
        assert Attempt.objects.get().channel == Channel.PHONE

    def test_the_task_of_a_step_that_ended_is_cancelled(self) -> None:
        task = builders.task()
        Step.objects.update(status=StepStatus.CANCELLED)
        plan_attempts(now=NOW)
        task.refresh_from_db()
        assert (task.status, Attempt.objects.count()) == (TaskStatus.CANCELLED, 0)


class TestStop:
    def test_asked_to_stop_cancels_what_is_queued_on_that_channel(self) -> None:
        sent = builders.attempt(status=AttemptStatus.SENT, sent_at=NOW)
        queued = builders.attempt(builders.task(builders.step(sent.task.step.journey), plan_from=None))
        opt_out(sent.patient, sent, now=NOW, words="STOP")
        queued.refresh_from_db()
        assert (queued.status, queued.outcome) == (AttemptStatus.CANCELLED, "opted_out")


class TestSweeps:
    def test_what_was_planned_about_an_ended_step_is_let_go(self) -> None:
        call, going_on = a_call(), a_call()
        Step.objects.filter(pk=call.task.step_id).update(status=StepStatus.CANCELLED)
        assert (cancel_for_steps(now=NOW), cancel_for_steps(now=NOW)) == (1, 0)
        call.refresh_from_db()
        call.task.refresh_from_db()
        going_on.refresh_from_db()
        assert (call.status, call.task.status) == (AttemptStatus.CANCELLED, TaskStatus.CANCELLED)
        assert going_on.status == AttemptStatus.PLANNED

    @pytest.mark.parametrize("channel", [Channel.PHONE, Channel.SMS])
    def test_what_was_not_made_in_its_window_is_planned_anew(self, channel: Channel) -> None:
        missed = builders.attempt(channel=channel, send_at=NOW - timedelta(hours=2), expires_at=NOW)
        in_time = builders.attempt(channel=channel)
        assert (plan_missed(now=NOW), plan_missed(now=NOW)) == (1, 0)
        missed.refresh_from_db()
        missed.task.refresh_from_db()
        in_time.refresh_from_db()
        assert (missed.outcome, missed.task.plan_from) == ("replanned", NOW)
        assert in_time.status == AttemptStatus.PLANNED
        assert plan_attempts(now=NOW) == 1

    def test_what_was_planned_on_a_channel_that_is_off_now_goes_another_way(
        self, settings: LazySettings
    ) -> None:
        stranded, call = builders.attempt(send_at=NOW + timedelta(days=1)), a_call()
        assert plan_switched_off(now=NOW) == 0
        settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "off"}
        assert (plan_switched_off(now=NOW), plan_switched_off(now=NOW)) == (1, 0)
        assert plan_attempts(now=NOW) == 1
        anew = Attempt.objects.get(task=stranded.task, status=AttemptStatus.PLANNED)
        assert anew.channel == Channel.PHONE
        call.refresh_from_db()
        assert call.status == AttemptStatus.PLANNED
