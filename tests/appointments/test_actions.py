"""What happens to a visit after it was made, and to the journey it belongs to."""

from collections.abc import Callable
from copy import copy
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from appointments import actions, ties
from appointments.actions import SlotTakenError, Visit
from appointments.models import Appointment, AppointmentStatus
from journeys.actions import NewJourney, complete_step, start_journey
from journeys.models import Journey, JourneyStatus, Step, StepKind, StepStatus
from patients.actions import RefusedError, StaleStateError
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
START = NOW + timedelta(days=3)
MINUTE = timedelta(minutes=1)
PENDING, BOOKED = AppointmentStatus.PENDING, AppointmentStatus.BOOKED
CANCELLED, NOSHOW = AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW


@pytest.fixture
def journey() -> Journey:
    """The dental story: waits for images, with a doctor who receives on the day."""
    call_command("load_catalogue")
    return start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW)


def open_step(journey: Journey, kind: StepKind) -> Step:
    return journey.steps.get(kind=kind, status=StepStatus.ACTIVE)


def visit_for(journey: Journey, **fields: Any) -> Visit:
    assert journey.patient is not None
    doctor = fields.pop("practitioner", None) or builders.practitioner(journey.clinic)
    wanted = Visit(journey.patient, doctor, **{"start": START, "minutes": 30, **fields})
    builders.open_time(doctor, wanted.start, minutes=60)
    return wanted


def held(journey: Journey) -> Appointment:
    awaited = open_step(journey, StepKind.AWAIT_RESULT)
    until = START - timedelta(hours=24)
    return actions.hold(visit_for(journey), awaits=awaited, until=until, now=NOW)


def decided(journey: Journey, decision: str) -> tuple[Step, list[Step]]:
    """The result came and the doctor decided; returns the review and what it opened."""
    awaited = open_step(journey, StepKind.AWAIT_RESULT)
    complete_step(awaited, "received", now=NOW)
    review = open_step(journey, StepKind.REVIEW)
    actions.repoint(awaited, review, now=NOW)
    return review, complete_step(review, decision, now=NOW)


def booked(journey: Journey) -> Appointment:
    """A hold that became a visit, with its VISIT step."""
    held(journey)
    review, opened = decided(journey, "treat")
    return actions.settle(review, opened, keep=True, now=NOW)[0]


def test_a_kept_hold_is_booked_and_its_visit_step_is_due_when_it_ends(journey: Journey) -> None:
    visit = booked(journey)
    step = open_step(journey, StepKind.VISIT)
    visit.refresh_from_db()
    assert (visit.status, visit.hold_until, visit.step) == (BOOKED, None, step)
    assert step.due_at == visit.end
    assert step.contact_from == visit.end - timedelta(days=3)
    assert [event.what for event in visit.events.all()] == ["pending", "booked"]
    assert visit.slot_uses.count() == 3


@pytest.mark.parametrize(
    ("before", "by_then"),
    [
        (timedelta(days=30), None),
        (timedelta(hours=20), timedelta(hours=2)),
        (timedelta(hours=1), timedelta(minutes=30)),
    ],
)
def test_nobody_is_asked_to_confirm_a_visit_after_it(
    journey: Journey, before: timedelta, by_then: timedelta | None
) -> None:
    """The limit of the step is a working day; a visit may be nearer than that."""
    held(journey)
    Appointment.objects.update(hold_until=NOW)
    Appointment.objects.update(start=NOW + before, end=NOW + before + timedelta(minutes=30))
    review, opened = decided(journey, "treat")
    limit = open_step(journey, StepKind.CONFIRM).due_at
    visit = actions.settle(review, opened, keep=True, now=NOW)[0]
    asked = open_step(journey, StepKind.CONFIRM)
    assert asked.due_at == (limit if by_then is None else visit.start - by_then)
    assert asked.contact_from == NOW


def test_a_hold_not_needed_is_released_and_its_time_is_free(journey: Journey) -> None:
    hold = held(journey)
    review, opened = decided(journey, "no_treatment")
    released = actions.settle(review, opened, keep=False, now=NOW)
    hold.refresh_from_db()
    assert (released, hold.status) == ([hold], CANCELLED)
    assert (hold.ended_because, hold.slot_uses.count()) == ("not needed after all", 0)
    other = builders.patient(journey.clinic, phone="")
    assert actions.book(Visit(other, hold.practitioner, START, 30), now=NOW).pk


def test_a_hold_follows_from_the_result_to_its_review(journey: Journey) -> None:
    hold = held(journey)
    awaited = open_step(journey, StepKind.AWAIT_RESULT)
    review = builders.step(journey, kind=StepKind.REVIEW)
    assert actions.repoint(awaited, review, now=NOW) == 1
    assert actions.repoint(awaited, review, now=NOW) == 0
    hold.refresh_from_db()
    assert hold.awaits == review


def test_settling_twice_changes_nothing_more(journey: Journey) -> None:
    visit = booked(journey)
    review = journey.steps.get(kind=StepKind.REVIEW)
    assert actions.settle(review, [], keep=False, now=NOW) == []
    visit.refresh_from_db()
    assert visit.status == BOOKED


def test_a_second_kept_hold_gets_a_step_of_its_own(journey: Journey) -> None:
    held(journey)
    held(journey)
    review, opened = decided(journey, "treat")
    visits = actions.settle(review, opened, keep=True, now=NOW)
    assert {visit.step for visit in visits} == set(
        journey.steps.filter(kind=StepKind.VISIT, status=StepStatus.ACTIVE, due_at=visits[0].end)
    )
    assert len({visit.step_id for visit in visits}) == 2


def test_booking_for_a_step_ends_it_and_links_the_visit_it_opens(journey: Journey) -> None:
    _review, _opened = decided(journey, "treat_other")
    step = open_step(journey, StepKind.BOOK)
    visit = actions.book_for_step(step, visit_for(journey), now=NOW)
    step.refresh_from_db()
    assert (step.status, step.outcome) == (StepStatus.COMPLETED, "booked")
    assert visit.step == open_step(journey, StepKind.VISIT)
    assert open_step(journey, StepKind.VISIT).due_at == visit.end


def test_another_time_moves_the_visit_there_is(journey: Journey) -> None:
    visit = booked(journey)
    complete_step(open_step(journey, StepKind.CONFIRM), "another_time", now=NOW)
    later = visit_for(journey, practitioner=visit.practitioner, start=START + timedelta(days=1), minutes=40)
    moved = actions.book_for_step(open_step(journey, StepKind.BOOK), later, now=NOW)
    assert (moved, moved.start, moved.end) == (visit, later.start, later.end)
    assert open_step(journey, StepKind.VISIT).due_at == later.end
    assert moved.slot_uses.count() == 4
    assert Appointment.objects.count() == 1


def test_a_step_outside_the_template_holds_again_while_the_result_is_awaited(journey: Journey) -> None:
    ties.ask_to_book(journey, now=NOW)
    visit = actions.book_for_step(open_step(journey, StepKind.BOOK), visit_for(journey), now=NOW)
    assert (visit.status, visit.awaits) == (PENDING, open_step(journey, StepKind.AWAIT_RESULT))
    assert visit.hold_until == START - timedelta(hours=24)


def test_a_step_outside_the_template_moves_the_hold_there_is(journey: Journey) -> None:
    hold = held(journey)
    ties.ask_to_book(journey, now=NOW)
    later = visit_for(journey, practitioner=hold.practitioner, start=START + timedelta(days=1))
    visit = actions.book_for_step(open_step(journey, StepKind.BOOK), later, now=NOW)
    assert (visit, visit.status, visit.start) == (hold, PENDING, later.start)
    assert not journey.steps.filter(kind=StepKind.BOOK, status=StepStatus.ACTIVE).exists()


def test_a_journey_without_a_template_goes_on_until_its_visit() -> None:
    journey = builders.journey()
    ties.ask_to_book(journey, now=NOW)
    visit = actions.book_for_step(open_step(journey, StepKind.BOOK), visit_for(journey), now=NOW)
    assert visit.step == open_step(journey, StepKind.VISIT)
    actions.fulfil(visit, now=START)
    journey.refresh_from_db()
    assert journey.status == JourneyStatus.COMPLETED


def test_booking_is_asked_for_once_and_only_in_an_open_journey() -> None:
    journey = builders.journey()
    ties.ask_to_book(journey, now=NOW)
    ties.ask_to_book(journey, now=NOW)
    step = journey.steps.get()
    assert (step.kind, step.message_key, step.contact_from) == (StepKind.BOOK, "next_step", NOW)
    ended = builders.journey(status=JourneyStatus.COMPLETED, ended_at=NOW)
    ties.ask_to_book(ended, now=NOW)
    assert not ended.steps.exists()


def test_a_taken_time_leaves_the_step_open(journey: Journey) -> None:
    decided(journey, "treat_other")
    wanted = visit_for(journey)
    builders.appointment(practitioner=wanted.practitioner, start=START)
    step = open_step(journey, StepKind.BOOK)
    with pytest.raises(SlotTakenError):
        actions.book_for_step(step, wanted, now=NOW)
    assert open_step(journey, StepKind.BOOK) == step


def test_a_hold_that_moves_takes_the_end_of_its_hold_along(journey: Journey) -> None:
    hold = held(journey)
    builders.open_time(hold.practitioner, START + timedelta(days=2))
    actions.move(hold, start=START + timedelta(days=2), now=NOW, because="she asked")
    hold.refresh_from_db()
    assert (hold.start, hold.end) == (START + timedelta(days=2), START + timedelta(days=2, minutes=30))
    assert hold.hold_until == START + timedelta(days=1)
    event = hold.events.get(what="moved")
    assert event.detail == "2026-03-12 08:00 -> 2026-03-14 08:00 UTC she asked"


def test_a_hold_moved_near_lasts_until_its_visit(journey: Journey) -> None:
    hold = held(journey)
    builders.open_time(hold.practitioner, NOW + timedelta(hours=2))
    actions.move(hold, start=NOW + timedelta(hours=2), now=NOW)
    assert hold.hold_until == NOW + timedelta(hours=2)


def test_a_moved_visit_frees_the_old_time_and_must_be_confirmed_anew(journey: Journey) -> None:
    visit = booked(journey)
    actions.confirm(visit, now=NOW)
    builders.open_time(visit.practitioner, START, minutes=60)
    actions.move(visit, start=START + 20 * MINUTE, now=NOW)  # keeps one cell of the old time
    visit.refresh_from_db()
    assert (visit.confirmed_at, open_step(journey, StepKind.VISIT).due_at) == (None, visit.end)
    starts = visit.slot_uses.order_by("slot__start").values_list("slot__start", flat=True)
    assert list(starts) == [START + n * MINUTE for n in (20, 30, 40)]


def test_a_visit_can_move_to_a_colleague() -> None:
    visit = builders.appointment()
    colleague = builders.practitioner(visit.clinic)
    builders.open_time(colleague, visit.start)
    actions.move(visit, start=visit.start, practitioner=colleague, now=NOW)
    visit.refresh_from_db()
    assert visit.practitioner == colleague
    assert {use.slot.practitioner for use in visit.slot_uses.all()} == {colleague}


def test_a_move_to_a_taken_time_changes_nothing() -> None:
    visit = builders.appointment()
    other = builders.appointment(
        builders.patient(visit.clinic, phone=""), practitioner=visit.practitioner, start=visit.end
    )
    before = Appointment.objects.filter(pk=visit.pk).values().get()
    with pytest.raises(SlotTakenError) as taken:
        actions.move(visit, start=other.start, now=NOW)
    assert taken.value.taken_by == other.patient.full_name
    assert Appointment.objects.filter(pk=visit.pk).values().get() == before
    assert (visit.start, visit.slot_uses.count()) == (before["start"], 3)


def test_two_visits_cannot_trade_places_by_accident() -> None:
    """Cells are taken before any are given back, so both are refused and neither waits for the other."""
    one = builders.appointment()
    two = builders.appointment(
        builders.patient(one.clinic, phone=""), practitioner=one.practitioner, start=one.end
    )
    for visit, start in [(one, two.start), (two, one.start)]:
        with pytest.raises(SlotTakenError):
            actions.move(visit, start=start, now=NOW)


@pytest.mark.parametrize(
    "status", [CANCELLED, NOSHOW, AppointmentStatus.FULFILLED, AppointmentStatus.ARRIVED]
)
def test_only_a_visit_to_come_can_move(status: str) -> None:
    visit = builders.appointment(status=status)
    builders.open_time(visit.practitioner, visit.end)
    with pytest.raises(StaleStateError):
        actions.move(visit, start=visit.end, now=NOW)


@pytest.mark.parametrize(
    ("act", "outcome", "status"),
    [
        (lambda visit: actions.cancel(visit, because="ill", now=START), "cancelled", CANCELLED),
        (lambda visit: actions.no_show(visit, now=START), "no_show", NOSHOW),
    ],
)
def test_a_visit_that_does_not_happen_opens_rebooking_and_frees_its_time(
    journey: Journey, act: Callable[[Appointment], None], outcome: str, status: str
) -> None:
    visit = booked(journey)
    act(visit)
    visit.refresh_from_db()
    assert (visit.status, visit.slot_uses.count()) == (status, 0)
    assert visit.step is not None
    assert visit.step.outcome == outcome
    assert open_step(journey, StepKind.BOOK).message_key == "next_step"


def test_a_visit_outside_the_template_that_does_not_happen_opens_rebooking_too() -> None:
    journey = builders.journey()
    step = builders.step(journey, kind=StepKind.VISIT)
    visit = builders.appointment(journey.patient, step=step)
    actions.no_show(visit, now=visit.start)
    journey.refresh_from_db()
    assert journey.status == JourneyStatus.ACTIVE
    assert open_step(journey, StepKind.BOOK).due_at


def test_the_reason_of_a_cancellation_is_kept() -> None:
    visit = builders.appointment()
    actions.cancel(visit, because="moved abroad", now=NOW, by=builders.user(at=visit.clinic))
    visit.refresh_from_db()
    assert visit.ended_because == "moved abroad"
    assert [(event.what, event.detail) for event in visit.events.all()] == [("cancelled", "moved abroad")]


def test_nobody_is_absent_before_the_visit_begins() -> None:
    visit = builders.appointment()
    with pytest.raises(RefusedError, match="not begun"):
        actions.no_show(visit, now=visit.start - MINUTE)


def test_a_visit_that_took_place_ends_its_step_as_attended(journey: Journey) -> None:
    visit = booked(journey)
    actions.arrive(visit, now=START)
    assert open_step(journey, StepKind.VISIT) == visit.step
    actions.fulfil(visit, now=START + 30 * MINUTE)
    visit.refresh_from_db()
    assert (visit.status, visit.slot_uses.count()) == (AppointmentStatus.FULFILLED, 3)
    assert visit.step is not None
    assert visit.step.outcome == "attended"
    assert [event.what for event in visit.events.all()] == ["pending", "booked", "arrived", "fulfilled"]


def test_a_step_that_somebody_ended_already_does_not_stop_the_visit(journey: Journey) -> None:
    visit = booked(journey)
    complete_step(open_step(journey, StepKind.VISIT), "attended", now=START)
    actions.fulfil(visit, now=START)
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.FULFILLED


def test_one_who_comes_late_after_all_gets_the_time_back_and_needs_no_new_date(journey: Journey) -> None:
    visit = booked(journey)
    actions.no_show(visit, now=START)
    actions.arrive(visit, now=START + 10 * MINUTE)
    visit.refresh_from_db()
    assert (visit.status, visit.slot_uses.count()) == (AppointmentStatus.ARRIVED, 3)
    assert visit.step == open_step(journey, StepKind.VISIT)
    assert not journey.steps.filter(kind=StepKind.BOOK, status=StepStatus.ACTIVE).exists()


def test_one_who_comes_late_to_a_time_given_away_hears_so() -> None:
    visit = builders.appointment()
    actions.no_show(visit, now=visit.start)
    builders.appointment(
        builders.patient(visit.clinic, phone="", given_name="Noa"),
        practitioner=visit.practitioner,
        start=visit.start,
    )
    with pytest.raises(SlotTakenError) as taken:
        actions.arrive(visit, now=visit.start)
    assert taken.value.taken_by == "Noa Levi"
    visit.refresh_from_db()
    assert visit.status == NOSHOW


def test_the_patient_confirms_the_time_she_saw_and_may_say_so_twice() -> None:
    visit = builders.appointment()
    seen = copy(visit)
    actions.confirm(visit, now=NOW)
    actions.confirm(visit, now=NOW + MINUTE)
    visit.refresh_from_db()
    assert visit.confirmed_at == NOW
    assert visit.events.filter(what="confirmed").count() == 1
    builders.open_time(visit.practitioner, visit.end)
    actions.move(visit, start=visit.end, now=NOW)
    with pytest.raises(StaleStateError):
        actions.confirm(seen, now=NOW)


STALE: list[Callable[[Appointment], object]] = [
    lambda visit: actions.cancel(visit, because="", now=START),
    lambda visit: actions.no_show(visit, now=START),
    lambda visit: actions.fulfil(visit, now=START),
    lambda visit: actions.arrive(visit, now=START),
    lambda visit: actions.confirm(visit, now=START),
    lambda visit: actions.move(visit, start=visit.end, now=NOW),
]


@pytest.mark.parametrize("first", [CANCELLED, AppointmentStatus.FULFILLED, NOSHOW])
@pytest.mark.parametrize("second", STALE)
def test_whoever_acts_on_what_has_changed_is_told_and_changes_nothing(
    first: str, second: Callable[[Appointment], object]
) -> None:
    """The screen showed a booked visit; somebody else ended it before the click."""
    visit = builders.appointment()
    builders.open_time(visit.practitioner, visit.end)
    Appointment.objects.update(status=first)
    before = Appointment.objects.values().get()
    with pytest.raises(StaleStateError):
        second(visit)
    assert Appointment.objects.values().get() == before
    assert visit.slot_uses.count() == 3
    assert not visit.events.exists()


def test_a_move_of_what_somebody_has_moved_is_stale() -> None:
    visit = builders.appointment()
    seen = copy(visit)
    builders.open_time(visit.practitioner, visit.end, minutes=90)
    actions.move(visit, start=visit.end, now=NOW)
    with pytest.raises(StaleStateError):
        actions.move(seen, start=visit.end + 30 * MINUTE, now=NOW)
