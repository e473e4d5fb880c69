"""Learned hours: they choose among what is open, beat only our own habits, and say in the plan that they did."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings, strategies as st

from outreach.actions import plan_attempts
from outreach.by_hand import message_now
from outreach.learned import HOUR_BANDS
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply
from outreach.planning import GiveUp, Option, Past, Plan, Rules, Why, next_attempt
from outreach.queries import why_words
from patients.actions import CardAnswers, save_card
from patients.models import Channel, Patient, ServiceCard
from patients.windows import ALWAYS, Hours, WeeklyWindow, is_open
from tests import builders
from tests.conftest import NOW
from tests.outreach.test_planning import Situation, situations

ZONE = "Asia/Jerusalem"
DAY = timedelta(days=1)
EVENING = (16, 20)
CLINIC = Hours.of(ZONE, [WeeklyWindow(day, time(9), time(19)) for day in range(7)], {})
LEARNED = Rules(ZONE, frozenset({4, 5}), learned=EVENING)


def local(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def plan(
    *options: Option, past: tuple[Past, ...] = (), rules: Rules = LEARNED, deadline: datetime | None = None
) -> Plan:
    until = deadline or NOW + DAY * 7
    answer = next_attempt(list(options), past, rules=rules, not_before=NOW, deadline=until)
    assert isinstance(answer, Plan)
    return answer


CALL = Option("phone", 1, (CLINIC,), 0)
MORNINGS = Hours.of(ZONE, [WeeklyWindow(day, time(9), time(12)) for day in range(7)], {})


@pytest.mark.parametrize(
    ("options", "past", "deadline", "expected", "learned"),
    [
        ([CALL], (), None, "phone 2026-03-09T16:00", True),
        # nothing is open in those hours: as ever
        ([Option("phone", 1, (CLINIC, MORNINGS), 0)], (), None, "phone 2026-03-09T10:00", False),
        # nor is it put off past the deadline
        ([CALL], (), "2026-03-09T15:00", "phone 2026-03-09T10:00", False),
        # the channel she asked for comes first, in whatever hours it is open
        (
            [Option("phone", 1, (CLINIC, MORNINGS), 0, asked=True), Option("sms", 2, (CLINIC,), 1)],
            (),
            None,
            "phone 2026-03-09T10:00",
            False,
        ),
        # what got no answer is not done again while another way is open
        (
            [CALL],
            (Past("phone", 1, local("2026-03-08T17:00"), "no_answer"),),
            None,
            "phone 2026-03-13T16:00",
            True,
        ),
    ],
    ids=["waits for them", "never open then", "the deadline", "what she asked for", "not the same again"],
)
def test_learned_hours_choose_among_what_is_open(
    options: list[Option], past: tuple[Past, ...], deadline: str | None, expected: str, learned: bool
) -> None:
    found = plan(*options, past=past, deadline=local(deadline) if deadline else None)
    at = found.send_at.astimezone(ZoneInfo(ZONE))
    assert f"{found.channel} {at:%Y-%m-%dT%H:%M}" == expected
    assert (Why.LEARNED in found.why, found.learned) == (learned, EVENING if learned else None)


def test_a_learned_plan_expires_with_its_hours() -> None:
    late = Hours.of(ZONE, ALWAYS, {})
    assert plan(Option("phone", 1, (late,), 0)).expires_at == local("2026-03-09T20:00")


@settings(max_examples=150)
@given(situations(), st.sampled_from(HOUR_BANDS))
def test_learned_hours_open_no_window_and_close_none(situation: Situation, band: tuple[int, int]) -> None:
    options, past, rules, now = situation
    until = now + DAY * 3

    def answer(learned: tuple[int, int] | None) -> Plan | GiveUp:
        chosen = replace(rules, learned=learned)
        return next_attempt(options, past, rules=chosen, not_before=now, deadline=until)

    usual, found = answer(None), answer(band)
    if isinstance(usual, GiveUp) or isinstance(found, GiveUp):
        assert usual == found
        return
    option = next(o for o in options if (o.channel, o.contact_point) == (found.channel, found.contact_point))
    assert is_open(found.send_at, *option.hours)
    assert is_open(found.expires_at - timedelta(seconds=1), *option.hours)
    assert found.send_at >= now
    assert (found.send_at < until) == (usual.send_at < until)
    assert found.channel == usual.channel
    hour = found.send_at.astimezone(ZoneInfo(rules.zone)).hour
    assert (Why.LEARNED in found.why) == (band[0] <= hour < band[1])
    assert Why.LEARNED not in usual.why


def answers_in_the_evening(patient: Patient) -> OutreachTask:
    """Three messages answered at six in the evening, each on its own day; and a task that waits for its plan."""
    earlier = builders.task(builders.step(builders.journey(patient)), plan_from=None)
    for days in (20, 30, 40):
        sent = local("2026-03-09T17:30") - DAY * days
        made = builders.attempt(
            earlier, status=AttemptStatus.DELIVERED, send_at=sent, called_at=sent, sent_at=sent
        )
        reply = {"clinic": patient.clinic, "patient": patient, "attempt": made, "channel": Channel.SMS}
        Reply.objects.create(at=sent + timedelta(minutes=30), **reply)
    OutreachTask.objects.filter(pk=earlier.pk).update(status="done", ended_at=NOW)
    return builders.task(builders.step(builders.journey(patient)), deadline_at=NOW + DAY * 7)


def planned(task: OutreachTask) -> Attempt:
    plan_attempts(now=NOW)
    return Attempt.objects.select_related("patient__clinic").get(task=task, status=AttemptStatus.PLANNED)


@pytest.mark.django_db
def test_a_patient_who_told_us_nothing_is_reached_when_she_mostly_answers() -> None:
    attempt = planned(answers_in_the_evening(builders.patient()))
    assert attempt.send_at == local("2026-03-09T16:00")
    assert why_words(attempt) == "answers mostly between 16:00 and 20:00: learned, not told"
    api = builders.api(builders.user(at=attempt.clinic))
    shown = api.get(f"/api/v1/outreach-tasks/{attempt.task.public_id}/").json()
    assert [each["why"] for each in shown["attempts"]] == [["learned"]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "told",
    [
        CardAnswers("", ((0, time(9), time(12)),), "he"),
        CardAnswers("", ((0, time(0), time.max),), "he", hours_told=False),
        CardAnswers(Channel.SMS, (), "he", days_told=True, hours_told=True),
    ],
    ids=["hours of her own", "days of her own", "any hour suits"],
)
def test_what_she_told_us_beats_what_we_learned(told: CardAnswers) -> None:
    patient = builders.patient()
    save_card(patient, told, now=NOW, by=builders.user())
    attempt = planned(answers_in_the_evening(patient))
    assert (attempt.send_at, "learned" in attempt.why) == (NOW, False)


@pytest.mark.django_db
def test_an_offer_and_a_message_sent_by_hand_do_not_wait_for_learned_hours() -> None:
    task = answers_in_the_evening(builders.patient())
    ServiceCard.objects.update(days_told=False, hours_told=False)
    OutreachTask.objects.filter(pk=task.pk).update(plan_from=None)
    task.step.message_key = "next_step"
    task.step.save()
    sent = message_now(task.step, call=None, now=NOW, by=builders.user(), not_before=NOW)
    assert (sent.send_at, "learned" in sent.why) == (NOW, False)
    offered = answers_in_the_evening(builders.patient(phone="0547654321"))
    OutreachTask.objects.filter(pk=offered.pk).update(message_key="sooner_time")
    assert planned(offered).send_at == NOW


@pytest.mark.django_db
def test_what_was_learned_of_many_costs_no_query_more() -> None:
    counts = []
    for n in (1, 3):
        clinic = builders.clinic()
        for k in range(n):
            answers_in_the_evening(builders.patient(clinic, phone=f"050-234-5{n}{k}0"))
        with CaptureQueriesContext(connection) as seen:
            assert plan_attempts(now=NOW) == n
        counts.append(sum(query["sql"].startswith("SELECT") for query in seen))
    assert counts[0] == counts[1]
