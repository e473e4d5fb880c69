"""A chase is counted once a call; a promise always finds a journey to live in, and is passed on when broken."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from journeys.actions import cancel_journey, complete_step
from journeys.chases import Promise, log_chase, make_promise, step_at_fault_of
from journeys.models import (
    EventKind,
    Journey,
    JourneyStatus,
    LostBecause,
    OwnerRole,
    Step,
    StepEvent,
    StepKind,
    StepStatus,
)
from journeys.watch import watch_steps
from patients.actions import RefusedError
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def chased() -> list[tuple[int, str]]:
    return list(StepEvent.objects.filter(kind=EventKind.CHASED).values_list("step_id", "detail"))


def test_a_chase_is_counted_against_the_step_at_fault() -> None:
    step = builders.step(kind=StepKind.AWAIT_RESULT)
    assert log_chase(step, now=NOW, words="where are my images?") is True
    assert chased() == [(step.pk, "where are my images?")]


def test_a_second_press_is_the_same_call_and_its_words_are_kept() -> None:
    step = builders.step()
    other = builders.step(builders.journey(step.journey.patient))
    assert log_chase(step, now=NOW) is True
    assert log_chase(step, now=NOW + MINUTE / 2) is False
    assert log_chase(other, now=NOW + MINUTE / 2, words="since Wednesday!") is False
    assert chased() == [(step.pk, "")]
    assert StepEvent.objects.get(kind=EventKind.NOTED).detail == "since Wednesday!"
    assert log_chase(step, now=NOW + MINUTE) is True  # she calls again
    assert len(chased()) == 2


def test_two_patients_who_call_in_one_minute_are_two_chases() -> None:
    clinic = builders.clinic()
    for number in ("050-234-5678", "050-234-5679"):
        assert log_chase(builders.step(builders.journey(builders.patient(clinic, phone=number))), now=NOW)
    assert len(chased()) == 2


def test_the_step_at_fault_of_a_patient_is_ours_and_open() -> None:
    journey = builders.journey()
    builders.step(journey, kind=StepKind.AWAIT_PATIENT, owner_role=OwnerRole.PATIENT, due_at=NOW - HOUR * 9)
    late = builders.step(journey, kind=StepKind.REVIEW, owner_role=OwnerRole.DOCTOR, due_at=NOW - HOUR)
    assert step_at_fault_of(builders.patient(builders.clinic()), now=NOW) is None
    assert journey.patient is not None
    assert step_at_fault_of(journey.patient, now=NOW) == late


def test_a_confirmation_the_patient_has_heard_about_is_not_our_fault() -> None:
    step = builders.step(kind=StepKind.CONFIRM, due_at=NOW - HOUR)
    assert step.journey.patient is not None
    assert step_at_fault_of(step.journey.patient, now=NOW) == step
    StepEvent.objects.create(step=step, kind=EventKind.CONTACTED, at=NOW)
    assert step_at_fault_of(step.journey.patient, now=NOW) is None


def test_a_promise_joins_the_most_pressing_open_journey() -> None:
    patient, rina = builders.patient(), builders.user()
    builders.step(builders.journey(patient), due_at=NOW + HOUR * 9)
    pressing = builders.step(builders.journey(patient), due_at=NOW + HOUR).journey
    made = make_promise(
        patient, Promise("the images", NOW + HOUR, OwnerRole.RECEPTIONIST, rina), now=NOW, by=rina
    )
    assert (made.journey, made.kind, made.owner) == (pressing, StepKind.PROMISE, rina)
    assert made.events.get().kind == EventKind.PROMISED


def test_a_promise_joins_what_is_kept_from_the_parents_only_where_it_is_about_that() -> None:
    patient = builders.patient()
    kept = builders.step(builders.journey(patient, is_confidential=True), due_at=NOW + HOUR).journey
    told = builders.journey(patient)
    assert make_promise(patient, Promise("an answer", NOW + HOUR), now=NOW).journey == told
    assert make_promise(patient, Promise("the other", NOW + HOUR), journey=kept, now=NOW).journey == kept


def test_the_same_promise_pressed_twice_is_one() -> None:
    patient = builders.patient()
    first, second = (make_promise(patient, Promise("x", NOW + HOUR), now=NOW) for _press in range(2))
    assert first == second
    assert make_promise(patient, Promise("x", NOW + HOUR * 2), now=NOW) != first


@pytest.mark.parametrize("status", [None, JourneyStatus.COMPLETED, JourneyStatus.CANCELLED])
def test_a_patient_with_nothing_open_gets_a_journey_that_ends_with_the_promise(status: str | None) -> None:
    patient = builders.patient()
    ended = builders.journey(patient, status=status, ended_at=NOW) if status else None
    made = make_promise(patient, Promise("ask about the bill", NOW + HOUR), journey=ended, now=NOW)
    assert made.journey != ended
    assert (made.journey.name, made.journey.template) == ("ask about the bill", None)
    complete_step(made, "kept", now=NOW)
    made.journey.refresh_from_db()
    assert made.journey.status == JourneyStatus.COMPLETED


def test_a_promise_about_what_was_kept_from_the_parents_is_kept_after_its_end() -> None:
    ended = builders.journey(is_confidential=True, status=JourneyStatus.COMPLETED, ended_at=NOW)
    assert ended.patient is not None
    told = builders.step(builders.journey(ended.patient)).journey
    made = make_promise(ended.patient, Promise("an answer", NOW + HOUR), journey=ended, now=NOW)
    assert made.journey not in (ended, told)
    assert made.journey.is_confidential


def test_a_broken_promise_is_passed_to_the_manager_once() -> None:
    made = make_promise(builders.patient(), Promise("call back", NOW + HOUR), now=NOW)
    watch_steps(now=NOW + HOUR - MINUTE)
    made.refresh_from_db()
    assert made.owner_role == OwnerRole.RECEPTIONIST
    for _tick in range(2):
        watch_steps(now=NOW + HOUR)
    made.refresh_from_db()
    assert (made.owner_role, made.passed_on_from) == (OwnerRole.MANAGER, OwnerRole.RECEPTIONIST)
    assert (made.stalled_at, made.status) == (NOW + HOUR, StepStatus.ACTIVE)
    assert made.events.filter(kind=EventKind.ESCALATED).count() == 1


def test_a_step_is_declined_only_with_words() -> None:
    step = builders.step()
    with pytest.raises(RefusedError, match="own words"):
        complete_step(step, "declined", now=NOW, note="  ")
    step.refresh_from_db()
    assert step.status == StepStatus.ACTIVE
    with pytest.raises(IntegrityError), transaction.atomic():
        Step.objects.filter(pk=step.pk).update(status="completed", completed_at=NOW, outcome="declined")
    complete_step(step, "declined", now=NOW, note="too far for me")
    assert Step.objects.get(pk=step.pk).outcome == "declined"


@pytest.mark.parametrize(
    "broken",
    [
        {"lost_because": LostBecause.OWN_WORDS, "lost_words": "no"},  # and still active
        {"status": "cancelled", "ended_at": NOW, "lost_because": LostBecause.OWN_WORDS},  # without the words
        {"status": "cancelled", "ended_at": NOW, "lost_because": "a_guess"},
    ],
)
def test_a_journey_is_lost_only_for_a_reason(broken: dict[str, object]) -> None:
    journey = builders.journey()
    with pytest.raises(IntegrityError), transaction.atomic():
        Journey.objects.filter(pk=journey.pk).update(**broken)


def test_a_journey_is_not_cancelled_without_a_reason() -> None:
    journey = builders.journey()
    with pytest.raises(RefusedError, match="why"):
        cancel_journey(journey, reason=" ", now=NOW)
    assert Journey.objects.get().status == JourneyStatus.ACTIVE
