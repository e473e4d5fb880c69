from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation
from django.utils.translation import gettext as _

from journeys import actions
from journeys.actions import AdHoc, NewJourney
from journeys.models import (
    EventKind,
    Journey,
    JourneyStatus,
    OwnerRole,
    Step,
    StepEvent,
    StepKind,
    StepStatus,
)
from journeys.queries import journeys_without_next_date
from patients.actions import RefusedError, StaleStateError
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def journey() -> Journey:
    call_command("load_catalogue")
    return actions.start_journey(builders.patient(), NewJourney("imaging_treatment", "Tooth 36"), now=NOW)


def active(journey: Journey) -> dict[str, Step]:
    return {step.key: step for step in journey.steps.filter(status=StepStatus.ACTIVE)}


def test_start_opens_the_entry_steps_side_by_side(journey: Journey) -> None:
    assert sorted(active(journey)) == ["await_result", "visit_institute"]
    assert StepEvent.objects.filter(kind=EventKind.OPENED).count() == 2


def test_deadlines_count_working_time_of_the_clinic(journey: Journey) -> None:
    # Monday 10:00 + 5 working days: Friday is open till 13:00, Saturday is shut
    assert active(journey)["await_result"].due_at == datetime(2026, 3, 15, 8, 0, tzinfo=UTC)


def test_arrival_opens_review_and_telling_and_closes_the_trip(journey: Journey) -> None:
    opened = actions.complete_step(active(journey)["await_result"], "received", now=NOW)
    assert sorted(step.key for step in opened) == ["inform_arrival", "review"]
    assert sorted(active(journey)) == ["inform_arrival", "review"]
    trip = journey.steps.get(template_step__key="visit_institute")
    assert trip.status == StepStatus.CANCELLED


def test_many_at_once_end_as_one_does(journey: Journey) -> None:
    """What opens, what closes, which promise is kept and which journey ends; what ended meanwhile stays."""
    others = [
        actions.start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW) for _n in range(3)
    ]
    *two, late = (active(other)["await_result"] for other in others)
    promised = AdHoc(StepKind.PROMISE, "We call back", NOW + timedelta(hours=4), about=two[0])
    promise = actions.add_step(others[0], promised, now=NOW)
    actions.cancel_steps([late], now=NOW)
    lone = builders.step(kind=StepKind.TELL)
    actions.complete_step(active(journey)["await_result"], "received", now=NOW)
    assert actions.complete_steps([*two, late], "received", now=NOW) == two
    assert actions.complete_steps([lone], "told", now=NOW) == [lone]
    for other in others[:2]:
        assert active(other).keys() == active(journey).keys()
    promise.refresh_from_db()
    lone.journey.refresh_from_db()
    assert (promise.outcome, lone.journey.status) == ("kept", JourneyStatus.COMPLETED)
    assert StepEvent.objects.filter(kind=EventKind.COMPLETED, step__in=two, detail="received").count() == 2
    assert active(others[2]).keys() == {"visit_institute"}


def test_telling_is_contacted_at_once_and_the_review_is_due_today(journey: Journey) -> None:
    actions.complete_step(active(journey)["await_result"], "received", now=NOW)
    steps = active(journey)
    assert steps["inform_arrival"].contact_from == NOW
    assert steps["review"].due_at == datetime(2026, 3, 9, 17, 0, tzinfo=UTC)  # 19:00, the close of the day
    assert steps["review"].contact_from is None


def test_completing_twice_is_refused_and_changes_nothing(journey: Journey) -> None:
    step = active(journey)["await_result"]
    actions.complete_step(step, "received", now=NOW)
    before = Step.objects.count()
    with pytest.raises(StaleStateError):
        actions.complete_step(step, "received", now=NOW)
    assert Step.objects.count() == before


def test_an_outcome_the_step_does_not_know_is_refused(journey: Journey) -> None:
    with pytest.raises(RefusedError, match="lost interest"):
        actions.complete_step(active(journey)["await_result"], "lost interest", now=NOW)


def test_a_missed_visit_opens_booking_again_as_a_second_round(journey: Journey) -> None:
    def finish(key: str, outcome: str) -> None:
        actions.complete_step(active(journey)[key], outcome, now=NOW)

    for key, outcome in [
        ("await_result", "received"),
        ("review", "treat_other"),
        ("book", "booked"),
        ("visit", "no_show"),
    ]:
        finish(key, outcome)
    assert active(journey)["book"].round == 2
    finish("book", "booked")
    assert active(journey)["visit"].round == 2


def test_the_last_step_ends_the_journey_and_starts_the_recall(journey: Journey) -> None:
    for key, outcome in [
        ("await_result", "received"),
        ("inform_arrival", "told"),
        ("review", "treat"),
        ("tell_decision", "confirmed"),
        ("visit", "attended"),
        ("thank", "told"),
    ]:
        actions.complete_step(active(journey)[key], outcome, now=NOW)
    journey.refresh_from_db()
    assert (journey.status, journey.ended_at) == (JourneyStatus.COMPLETED, NOW)
    recall = Journey.objects.get(template__key="recall")
    invite = recall.steps.get()
    assert invite.due_at is not None
    assert invite.contact_from == invite.due_at - timedelta(days=14)
    assert not journeys_without_next_date().exists()


def test_no_treatment_ends_without_a_recall(journey: Journey) -> None:
    for key, outcome in [
        ("await_result", "received"),
        ("inform_arrival", "told"),
        ("review", "no_treatment"),
        ("tell_no_treatment", "told"),
    ]:
        actions.complete_step(active(journey)[key], outcome, now=NOW)
    assert [j.status for j in Journey.objects.all()] == [JourneyStatus.COMPLETED]


def test_cancelling_ends_everything_open_with_the_reason(journey: Journey) -> None:
    actions.cancel_journey(journey, reason="moved to another town", now=NOW)
    assert not active(journey)
    details = StepEvent.objects.filter(kind=EventKind.CANCELLED).values_list("detail", flat=True)
    assert set(details) == {"moved to another town"}
    with pytest.raises(StaleStateError):
        actions.cancel_journey(journey, reason="again", now=NOW)


def promise(journey: Journey, **fields: Any) -> Step:
    new = AdHoc(StepKind.PROMISE, "Call back", NOW + timedelta(hours=2), **fields)
    return actions.add_step(journey, new, now=NOW)


def test_a_promise_about_a_step_is_kept_when_the_step_ends(journey: Journey) -> None:
    step = active(journey)["await_result"]
    made = promise(journey, about=step)
    actions.complete_step(step, "received", now=NOW)
    made.refresh_from_db()
    assert (made.status, made.outcome) == (StepStatus.COMPLETED, "kept")


def test_a_moved_deadline_starts_the_clock_anew(journey: Journey) -> None:
    step = active(journey)["await_result"]
    Step.objects.filter(pk=step.pk).update(due_at=NOW, stalled_at=NOW)
    actions.move_deadline(step, NOW + timedelta(days=1), now=NOW)
    step.refresh_from_db()
    assert (step.due_at, step.stalled_at) == (NOW + timedelta(days=1), None)


def test_snoozing_into_the_past_is_refused(journey: Journey) -> None:
    with pytest.raises(RefusedError, match="still to come"):
        actions.snooze_step(active(journey)["await_result"], NOW, now=NOW)


@pytest.mark.parametrize(
    "act",
    [
        lambda step: actions.hold_step(step, now=NOW),
        lambda step: actions.reassign_step(step, role=OwnerRole.MANAGER, now=NOW),
        lambda step: actions.move_deadline(step, NOW + timedelta(days=1), now=NOW),
        lambda step: actions.resume_step(step, due_at=NOW + timedelta(days=1), now=NOW),
    ],
    ids=["hold", "reassign", "move", "resume"],
)
def test_a_transition_from_another_state_is_refused(journey: Journey, act: Callable[[Step], None]) -> None:
    step = active(journey)["await_result"]
    actions.complete_step(step, "received", now=NOW)
    with pytest.raises(StaleStateError):
        act(step)


def test_hold_and_resume(journey: Journey) -> None:
    step = active(journey)["await_result"]
    actions.hold_step(step, now=NOW, reason="abroad")
    assert "await_result" not in active(journey)
    actions.resume_step(step, due_at=NOW + timedelta(days=9), now=NOW)
    assert active(journey)["await_result"].due_at == NOW + timedelta(days=9)


def test_an_ended_journey_takes_no_new_steps(journey: Journey) -> None:
    actions.cancel_journey(journey, reason="x", now=NOW)
    journey.refresh_from_db()
    with pytest.raises(RefusedError, match="start a new one"):
        promise(journey)


def test_an_unidentified_document_has_an_owner_and_a_clock() -> None:
    clinic = builders.clinic()
    step = actions.open_unidentified(clinic, AdHoc(StepKind.IDENTIFY, "Mail from institute", NOW), now=NOW)
    assert (step.journey.status, step.owner_role) == (JourneyStatus.UNIDENTIFIED, OwnerRole.RECEPTIONIST)


def test_our_own_titles_are_read_in_each_readers_language() -> None:
    patient = builders.patient(builders.clinic(language="he"))
    asked = actions.add_step(
        builders.journey(patient), AdHoc(StepKind.BOOK, lambda: _("Find a new date"), NOW), now=NOW
    )
    names = {}
    for language in ("en", "he", "ru", "ar"):
        with translation.override(language):
            names[language] = (Step.objects.get(pk=asked.pk).name, _("Find a new date"))
    assert all(read == said for read, said in names.values())
    assert (len({read for read, _said in names.values()}), asked.title) == (4, names["he"][0])


def test_what_a_person_wrote_stays_as_it_is() -> None:
    promised = actions.add_step(builders.journey(), AdHoc(StepKind.PROMISE, "Find a new date", NOW), now=NOW)
    with translation.override("he"):
        assert (promised.name, promised.names) == ("Find a new date", {})
    assert promised.events.get().detail == "Find a new date"
