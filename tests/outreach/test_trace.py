"""The decision trace: every rule that stops, moves or passes over a contact is written down when it does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction

from appointments.openings import SOONER
from journeys.models import Step, StepKind, StepStatus
from outreach import senders
from outreach.actions import opt_out_at, plan_attempts
from outreach.anew import plan_missed, plan_switched_off
from outreach.because import Because
from outreach.calls import call_now
from outreach.decision_models import Decision, DecisionKind
from outreach.dispatch import dispatch
from outreach.followup import HandOver
from outreach.models import Attempt, AttemptStatus, OutreachTask
from outreach.trace import StepTrace, trace_of
from outreach.trace_words import RULE_WORDS, Standing
from patients.actions import mark_address, withdraw_consent
from patients.models import AddressStatus, Channel, MaySay, Patient, PatientStatus, Relation
from tests import builders
from tests.conftest import NOW
from tests.standins.twilio import Twilio

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def decided(kind: DecisionKind) -> list[str]:
    return list(Decision.objects.filter(kind=kind).order_by("pk").values_list("rules", flat=True))


def passed() -> set[tuple[str, str]]:
    rows = Decision.objects.exclude(passed="").values_list("passed", flat=True)
    ways = [way.split(":") for row in rows for way in row.split()]
    return {(channel, rule) for channel, _point, rule in ways}


def traced(patient: Patient, **at: Any) -> StepTrace:
    (found,) = trace_of(patient, now=at.get("now", NOW))
    return found


def test_every_rule_has_words() -> None:
    assert set(RULE_WORDS) == set(Because)


def end_step(attempt: Attempt) -> None:
    Step.objects.filter(pk=attempt.task.step_id).update(status=StepStatus.CANCELLED)


def hold(attempt: Attempt) -> None:
    Step.objects.filter(pk=attempt.task.step_id).update(status=StepStatus.ON_HOLD)


def close(attempt: Attempt) -> None:
    Patient.objects.filter(pk=attempt.patient_id).update(status=PatientStatus.DECEASED)


def stop(attempt: Attempt) -> None:
    """Not through opt_out_at, which would cancel it: here the door itself has to see it."""
    withdraw_consent(attempt.patient, attempt.contact_point, attempt.channel, now=NOW, words="STOP")


def spoil(attempt: Attempt) -> None:
    mark_address(attempt.contact_point, AddressStatus.BAD, now=NOW)


def expire(attempt: Attempt) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(expires_at=NOW)


def ask_for_evenings(attempt: Attempt) -> None:
    card = attempt.patient.card
    card.windows.create(weekday=0, start="18:00", end="19:00")


def close_the_clinic(attempt: Attempt) -> None:
    attempt.clinic.hours.filter(kind="message").delete()
    attempt.clinic.hours.create(kind="message", weekday=0, start="15:00", end="16:00")


def rest(attempt: Attempt) -> None:
    attempt.clinic.closed_days.create(on=NOW.date(), name="A holiday")


def rest_from_this_morning(attempt: Attempt) -> None:
    attempt.clinic.closed_days.create(on=NOW.date(), name="The eve of a holiday", closes_at="09:00")


def be_where_it_is_night(attempt: Attempt) -> None:
    Patient.objects.filter(pk=attempt.patient_id).update(time_zone="America/New_York")


def remove_the_address(attempt: Attempt) -> None:
    attempt.patient.contacts.all().delete()


def be_over(attempt: Attempt) -> None:
    """It tells of a time that became free, and no such offer is left."""
    OutreachTask.objects.filter(pk=attempt.task_id).update(message_key=SOONER)


def lose_the_visit(attempt: Attempt) -> None:
    OutreachTask.objects.filter(pk=attempt.task_id).update(message_key="visit_reminder")


def lose_the_words(attempt: Attempt) -> None:
    OutreachTask.objects.filter(pk=attempt.task_id).update(message_key="no_such_message")


@pytest.mark.parametrize(
    ("happens", "rule"),
    [
        (end_step, Because.STEP_ENDED),
        (hold, Because.ON_HOLD),
        (close, Because.RECORD_CLOSED),
        (stop, Because.CONSENT),
        (spoil, Because.BAD_ADDRESS),
        (expire, Because.TOO_LATE),
        (ask_for_evenings, Because.WINDOW),
        (close_the_clinic, Because.CLINIC_HOURS),
        (rest, Because.REST_DAY),
        (rest_from_this_morning, Because.REST_EVE),
        (be_where_it_is_night, Because.LAW_HOURS),
        (remove_the_address, Because.ADDRESS_REMOVED),
        (be_over, Because.OFFER_OVER),
        (lose_the_visit, Because.VISIT_GONE),
        (lose_the_words, Because.NO_WORDS),
    ],
)
def test_what_is_stopped_at_the_door_says_by_which_rule(
    happens: Callable[[Attempt], None], rule: Because
) -> None:
    builders.messages_loaded()
    attempt = builders.attempt()
    happens(attempt)
    assert dispatch(now=NOW).sent == 0
    assert decided(DecisionKind.STOPPED) == [rule]
    (found,) = (each for each in trace_of(attempt.patient, now=NOW) if each.step.pk == attempt.task.step_id)
    (line,) = [line for line in found.lines if line.kind == DecisionKind.STOPPED]
    assert (line.at, line.channel, line.address, line.codes, line.words) == (
        NOW,
        "sms",
        "+972502345678",
        (rule,),
        str(RULE_WORDS[rule]),
    )


def test_a_shut_gate_stops_it_and_passes_over_every_way(twilio: Twilio) -> None:
    builders.messages_loaded()
    builders.attempt()
    dispatch(now=NOW)
    assert (decided(DecisionKind.STOPPED), twilio.taken) == ([Because.GATE], [])
    plan_attempts(now=NOW)
    assert ("sms", Because.GATE) in passed()


@pytest.mark.parametrize(
    ("changed", "way"),
    [
        ({"may_be_called": False}, ("phone", Because.NOT_CALLED)),
        ({"may_say": MaySay.CALL_BACK}, ("sms", Because.CALL_BACK_ONLY)),
        ({"relation": Relation.OTHER}, ("sms", Because.SOMEBODY_ELSE)),
        ({"relation": Relation.PARENT}, ("sms", Because.NO_LONGER_TOLD)),
    ],
)
def test_a_way_that_is_passed_over_says_why(changed: dict[str, Any], way: tuple[str, Because]) -> None:
    task = builders.task()
    task.patient.contacts.update(**changed)
    plan_attempts(now=NOW)
    assert way in passed()


def test_a_way_that_the_provider_refused_is_passed_over_the_next_time() -> None:
    task = builders.task()
    builders.attempt(task, status=AttemptStatus.FAILED, outcome="unfit", ended_at=NOW)
    plan_attempts(now=NOW)
    assert ("sms", Because.REFUSED_HERE) in passed()


def test_what_has_no_words_to_send_is_for_a_call_alone() -> None:
    own = builders.step(kind=StepKind.CALL, title="Answer: May I eat before?")
    builders.task(own)
    plan_attempts(now=NOW)
    assert ("sms", Because.CALLS_ONLY) in passed()


def test_a_channel_that_is_off_is_passed_over_by_its_name(settings: Any) -> None:
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "off"}
    task = builders.task()
    plan_attempts(now=NOW)
    (decision,) = Decision.objects.all()
    assert (decision.kind, decision.channel, decision.until) == (DecisionKind.PLANNED, "phone", NOW)
    (way,) = traced(task.patient).lines[0].passed
    assert (way.channel, way.address, way.words) == (
        "sms",
        "+972502345678",
        "the channel is off or lacks a key",
    )


def test_without_any_way_a_person_gets_it_with_the_ways_and_their_rules() -> None:
    task = builders.task()
    mark_address(task.patient.contacts.get().contact_point, AddressStatus.BAD, now=NOW)
    plan_attempts(now=NOW)
    assert decided(DecisionKind.HANDED_OVER) == [HandOver.NO_ADDRESS]
    assert passed() == {("sms", Because.BAD_ADDRESS), ("phone", Because.BAD_ADDRESS)}
    found = next(each for each in trace_of(task.patient, now=NOW) if each.step == task.step)
    assert (found.standing, found.because) == (Standing.WITH_A_PERSON, str(HandOver.NO_ADDRESS.label))


def test_a_stop_says_so_about_everything_that_was_queued() -> None:
    attempt = builders.attempt()
    opt_out_at(attempt.patient, attempt.contact_point, "sms", now=NOW, words="STOP")
    assert decided(DecisionKind.STOPPED) == [Because.STOP]


def test_a_call_that_nobody_made_says_so() -> None:
    builders.attempt(channel=Channel.PHONE, send_at=NOW - 3 * HOUR, expires_at=NOW - HOUR)
    plan_missed(now=NOW)
    assert decided(DecisionKind.STOPPED) == [Because.NOT_MADE]


def test_a_message_that_its_sender_did_not_take_in_time_says_so() -> None:
    builders.attempt(send_at=NOW - 3 * HOUR, expires_at=NOW - HOUR)
    plan_missed(now=NOW)
    assert decided(DecisionKind.STOPPED) == [Because.TOO_LATE]


def test_what_was_planned_on_a_channel_that_is_off_says_so(settings: LazySettings) -> None:
    builders.attempt(send_at=NOW + HOUR)
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "off"}
    plan_switched_off(now=NOW)
    assert decided(DecisionKind.STOPPED) == [Because.CHANNEL_OFF]


def test_a_call_outside_the_plan_takes_the_place_of_what_was_planned() -> None:
    planned = builders.attempt(send_at=NOW + HOUR)
    call_now(planned.task.step, by=builders.user(), now=NOW, because="she asked for it")
    assert decided(DecisionKind.STOPPED) == [Because.BY_HAND]
    lines = traced(planned.patient).lines
    assert [line.words for line in lines if line.channel == "phone"] == ["she asked for it"]


def test_a_sender_that_goes_down_says_so_about_what_it_would_have_sent(twilio: Twilio) -> None:
    attempt = builders.attempt()
    for _n in range(senders.LIMIT):
        senders.failed("sms", "unreachable", now=NOW)
    assert (decided(DecisionKind.STOPPED), attempt.channel) == ([Because.SENDER_DOWN], "sms")


def test_a_step_on_hold_is_put_off_once_however_often_it_is_looked_at() -> None:
    task = builders.task()
    Step.objects.filter(pk=task.step_id).update(status=StepStatus.ON_HOLD)
    for hours in range(4):
        plan_attempts(now=NOW + hours * HOUR)
    assert decided(DecisionKind.PUT_OFF) == [Because.ON_HOLD]


def test_a_planned_contact_says_why_and_what_moved_it_and_then_what_became_of_it() -> None:
    builders.messages_loaded()
    late = NOW + 11 * HOUR  # 21:00 in Jerusalem
    task = builders.task(plan_from=late, deadline_at=NOW + timedelta(days=3))
    plan_attempts(now=late)
    attempt = Attempt.objects.get()
    assert attempt.send_at > late
    (planned,) = traced(task.patient, now=late).lines
    assert (planned.kind, planned.until) == ("planned", attempt.send_at)
    assert "outside the clinic's hours for this" in planned.words
    dispatch(now=attempt.send_at)
    assert [line.kind for line in traced(task.patient, now=attempt.send_at).lines] == ["planned", "sent"]


@pytest.mark.parametrize(
    ("fields", "record", "standing"),
    [
        ({}, "active", Standing.NO_MESSAGE),
        ({"message_key": "next_step"}, "active", Standing.NOT_ASKED),
        ({"message_key": "next_step", "contact_from": NOW + HOUR}, "active", Standing.NOT_YET),
        ({"message_key": "next_step", "contact_from": NOW - HOUR}, "active", Standing.TAKEN_UP),
        (
            {"message_key": "next_step", "contact_from": NOW + HOUR, "status": StepStatus.ON_HOLD},
            "active",
            Standing.RESTS,
        ),
        (
            {"message_key": "next_step", "opened_at": NOW, "status": StepStatus.CANCELLED},
            "active",
            Standing.STEP_ENDED,
        ),
        ({"message_key": "next_step", "contact_from": NOW + HOUR}, "deceased", Standing.RECORD_CLOSED),
    ],
)
def test_a_step_for_which_nothing_was_ever_planned_is_answered_too(
    fields: dict[str, Any], record: str, standing: Standing
) -> None:
    builders.step(**fields)
    Patient.objects.update(status=record)
    found = traced(Patient.objects.get())
    assert (found.standing, found.lines) == (standing, [])
    assert (found.at is not None) == (standing in {Standing.NOT_YET, Standing.TAKEN_UP})


def test_a_contact_from_before_decisions_were_kept_is_still_explained() -> None:
    builders.attempt(
        status=AttemptStatus.FAILED, outcome="unfit", why="asked untried", send_at=NOW - HOUR, ended_at=NOW
    )
    planned, failed = traced(Patient.objects.get()).lines
    assert planned.words == "the channel the patient asked for, a time not tried before"
    assert (failed.kind, failed.words) == (
        "failed",
        "The address or the text cannot go out on this channel.",
    )


def test_the_trace_costs_the_same_for_one_step_and_for_three(django_assert_num_queries: Any) -> None:
    task = builders.task()
    plan_attempts(now=NOW)
    with django_assert_num_queries(5):
        assert len(trace_of(task.patient, now=NOW)) == 1
    for _n in range(2):
        builders.task(builders.step(task.step.journey))
    plan_attempts(now=NOW)
    with django_assert_num_queries(5):
        assert len(trace_of(task.patient, now=NOW)) == 3


@pytest.mark.parametrize("kind", [DecisionKind.STOPPED, DecisionKind.PUT_OFF, DecisionKind.HANDED_OVER])
def test_nothing_is_decided_against_a_contact_without_a_rule(kind: DecisionKind) -> None:
    step = builders.step()
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(step=step, kind=kind, at=NOW)


@pytest.mark.parametrize("wrong", [{"kind": "guessed"}, {"kind": "planned", "channel": "pigeon"}])
def test_a_decision_names_a_kind_and_a_channel_that_there_are(wrong: dict[str, str]) -> None:
    step = builders.step()
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(step=step, at=NOW, rules="gate", **wrong)


def test_with_nothing_wrong_the_same_message_leaves_and_nothing_is_decided_against_it() -> None:
    builders.messages_loaded()
    attempt = builders.attempt()
    assert dispatch(now=NOW).sent == 1
    assert (traced(attempt.patient).standing, Decision.objects.count()) == (Standing.SENT, 0)
