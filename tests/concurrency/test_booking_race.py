"""Many people at one calendar at the same moment, each with a connection of their own.

Nothing is awaited but the barrier: all start together, and whatever order the database lets them through in,
every cell has one taker, every transition one winner, and nobody sees an error but the words for the screen.
"""

from collections import Counter
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count

from appointments import actions, schedules
from appointments.actions import SlotTakenError, Visit, fill_slots
from appointments.holds import settle_holds
from appointments.keeping import book_kept, keep_for_minutes
from appointments.models import (
    Appointment,
    AppointmentStatus,
    ExceptionKind,
    Practitioner,
    Schedule,
    ScheduleException,
    Slot,
    SlotUse,
)
from journeys.actions import NewJourney, complete_step, start_journey
from journeys.models import Step, StepKind, StepStatus
from patients.actions import RefusedError, StaleStateError
from patients.models import Patient
from tests import builders
from tests.builders import at
from tests.conftest import NOW

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]
START = NOW + timedelta(days=2)
UNTIL = START - timedelta(hours=24)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RACERS = 20
PENDING, BOOKED = AppointmentStatus.PENDING, AppointmentStatus.BOOKED


def race(*calls: Callable[[], Any]) -> list[Any]:
    """Run all at once, each in a thread with its own connection; what each returned, or raised."""
    results: list[Any] = [None] * len(calls)
    start = Barrier(len(calls))

    def run(n: int, call: Callable[[], Any]) -> None:
        connection.ensure_connection()
        start.wait(timeout=60)
        try:
            results[n] = call()
        except Exception as error:  # noqa: BLE001 - the test looks at every error there is
            results[n] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(n, call)) for n, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return results


def unexpected(results: list[Any], *expected: type[Exception]) -> list[Any]:
    return [each for each in results if isinstance(each, Exception) and not isinstance(each, expected)]


def people(at: Practitioner, number: int = RACERS) -> list[Patient]:
    return [builders.patient(at.clinic, phone="", given_name=f"Patient {n}") for n in range(number)]


def cells_of(appointment: Appointment) -> list[timedelta]:
    uses = SlotUse.objects.filter(appointment=appointment, slot__practitioner=appointment.practitioner_id)
    starts = uses.order_by("slot__start").values_list("slot__start", flat=True)
    return [start - appointment.start for start in starts]


def assert_every_visit_has_its_cells_and_no_cell_two_takers() -> None:
    """House.md 10, read from the rows: what takes time has exactly its cells, the rest has none."""
    for appointment in Appointment.objects.all():
        length = (appointment.end - appointment.start) // (10 * MINUTE)
        takes_time = appointment.status in {PENDING, BOOKED, "arrived", "fulfilled"}
        assert cells_of(appointment) == [10 * MINUTE * n for n in range(length if takes_time else 0)]
    assert not Slot.objects.annotate(takers=Count("use")).filter(takers__gt=1).exists()


@pytest.mark.parametrize("minutes", [10, 40])
def test_of_twenty_racing_holds_one_wins_and_the_rest_hear_who_and_what_is_free(minutes: int) -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, START, minutes=240)
    patients = people(doctor)
    for _round in range(5):
        results = race(
            *(
                partial(actions.hold, Visit(who, doctor, START, minutes), awaits=None, until=UNTIL, now=NOW)
                for who in patients
            )
        )
        winners = [each for each in results if isinstance(each, Appointment)]
        losers = [each for each in results if isinstance(each, SlotTakenError)]
        assert unexpected(results, SlotTakenError) == []
        assert (len(winners), len(losers)) == (1, RACERS - 1)
        assert {(each.taken_by, each.is_held) for each in losers} == {(winners[0].patient.full_name, True)}
        step = minutes * MINUTE
        assert {tuple(each.free) for each in losers} == {(START + step, START + 2 * step, START + 3 * step)}
        assert_every_visit_has_its_cells_and_no_cell_two_takers()
        actions.cancel(winners[0], because="next round", now=NOW)


def test_visits_that_overlap_in_a_chain_never_deadlock_and_never_share_a_cell() -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, START, minutes=240)
    patients = people(doctor)
    results = race(
        *(
            partial(actions.book, Visit(who, doctor, START + 10 * MINUTE * n, 40), now=NOW)
            for n, who in enumerate(patients)
        )
    )
    assert unexpected(results, SlotTakenError) == []
    won = [each.start for each in results if isinstance(each, Appointment)]
    for n in range(RACERS):  # and nobody is refused for a time that nobody got
        assert any(abs(start - START - 10 * MINUTE * n) < 40 * MINUTE for start in won)
    assert_every_visit_has_its_cells_and_no_cell_two_takers()


def test_the_same_request_sent_by_many_at_once_is_carried_out_once() -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, START)
    visit = Visit(builders.patient(doctor.clinic), doctor, START, 30)
    results = race(*[lambda: actions.book(visit, now=NOW, request_key="tap")] * 8)
    assert {each.pk for each in results} == {Appointment.objects.get().pk}


def test_visits_that_change_places_in_a_ring_are_all_refused_and_none_waits_for_ever() -> None:
    """Everybody holds what somebody else asks for; the first to let go would be stuck."""
    doctor = builders.practitioner()
    starts = [START + 30 * MINUTE * n for n in range(6)]
    visits = [
        builders.appointment(who, practitioner=doctor, start=start)
        for who, start in zip(people(doctor, 6), starts, strict=True)
    ]
    for _round in range(20):
        places = zip(visits, [*starts[1:], starts[0]], strict=True)
        results = race(*(partial(actions.move, visit, start=start, now=NOW) for visit, start in places))
        assert [type(each) for each in results] == [SlotTakenError] * 6
    assert_every_visit_has_its_cells_and_no_cell_two_takers()


TRANSITIONS: list[Callable[[Appointment], object]] = [
    lambda visit: actions.cancel(visit, because="race", now=START),
    lambda visit: actions.no_show(visit, now=START),
    lambda visit: actions.arrive(visit, now=START),
    lambda visit: actions.fulfil(visit, now=START),
    lambda visit: actions.move(visit, start=START + 60 * MINUTE, now=NOW),
]


@pytest.mark.parametrize("transition", TRANSITIONS, ids=["cancel", "no_show", "arrive", "fulfil", "move"])
def test_of_many_doing_the_same_one_wins_and_the_others_are_told(
    transition: Callable[[Appointment], object],
) -> None:
    visit = _booked_visit()
    results = race(*(partial(transition, copy(visit)) for _n in range(6)))
    assert unexpected(results, StaleStateError) == []
    assert results.count(None) == 1
    assert_every_visit_has_its_cells_and_no_cell_two_takers()


def _booked_visit() -> Appointment:
    """A visit of a real journey, with its VISIT step, and free time an hour later."""
    call_command("load_catalogue")
    doctor = builders.practitioner()
    builders.open_time(doctor, START, minutes=120)
    journey = start_journey(builders.patient(doctor.clinic), NewJourney("first_visit"), now=NOW)
    assert journey.patient is not None
    step = journey.steps.get(kind=StepKind.BOOK)
    return actions.book_for_step(step, Visit(journey.patient, doctor, START, 30), now=NOW)


def test_of_everybody_doing_something_else_one_wins_and_the_journey_keeps_a_next_step() -> None:
    visit = _booked_visit()
    results = race(*(partial(act, copy(visit)) for act in TRANSITIONS))
    assert unexpected(results, StaleStateError) == []
    assert results.count(None) >= 1
    visit.refresh_from_db()
    assert visit.step is not None
    open_steps = Counter(visit.step.journey.steps.filter(status=StepStatus.ACTIVE).values_list("kind"))
    assert sum(open_steps.values()) == 1
    assert_every_visit_has_its_cells_and_no_cell_two_takers()


def test_a_double_click_on_confirm_is_one_confirmation() -> None:
    visit = builders.appointment(start=START)
    results = race(*(partial(actions.confirm, copy(visit), now=NOW) for _n in range(6)))
    assert results == [None] * 6
    assert visit.events.filter(what="confirmed").count() == 1


def _held_visits(number: int) -> list[Appointment]:
    """Holds of one doctor whose time has come, and free time for all of them on each of three later days."""
    doctor = builders.practitioner()
    visits = []
    for n, who in enumerate(people(doctor, number)):
        awaited = builders.step(builders.journey(who), kind=StepKind.AWAIT_RESULT, due_at=NOW)
        visits.append(
            builders.appointment(
                who,
                practitioner=doctor,
                start=START + 30 * MINUTE * n,
                status=PENDING,
                awaits=awaited,
                hold_until=UNTIL + 30 * MINUTE * n,
            )
        )
    for day in range(4, 6):
        builders.open_time(doctor, START + DAY * day, minutes=30 * number)
    return visits


def test_workers_that_settle_the_same_holds_together_move_each_once() -> None:
    visits = _held_visits(12)
    results = race(*[partial(settle_holds, now=UNTIL + 6 * HOUR)] * 4)
    assert unexpected(results) == []
    assert sum(results) == len(visits)
    for visit in visits:
        visit.refresh_from_db()
        assert visit.status == PENDING
        assert visit.start.date() > START.date()
        assert visit.events.filter(what="moved_by_rule").count() == 1
        assert visit.awaits is not None
        assert visit.awaits.journey.steps.filter(kind=StepKind.TELL).count() == 1
    assert_every_visit_has_its_cells_and_no_cell_two_takers()


@pytest.mark.parametrize("keep", [True, False])
def test_the_doctor_decides_while_the_tick_moves_the_hold(*, keep: bool) -> None:
    """The decision counts, whoever was first, and the VISIT step is due when the visit really ends."""
    visits = _held_visits(4)

    opened = {}
    for visit in visits:
        assert visit.awaits is not None
        opened[visit.pk] = builders.step(visit.awaits.journey, kind=StepKind.VISIT)

    def decide(visit: Appointment) -> None:
        assert visit.awaits is not None
        complete_step(visit.awaits, "done", now=UNTIL)
        actions.settle(visit.awaits, [], keep=keep, now=UNTIL)

    tick = partial(settle_holds, now=UNTIL + 6 * HOUR)
    results = race(*(partial(decide, visit) for visit in visits), tick, tick)
    assert unexpected(results) == []
    settle_holds(now=UNTIL + 6 * HOUR)
    for visit in visits:
        visit.refresh_from_db()
        step = opened[visit.pk]
        step.refresh_from_db()
        if keep and visit.status == BOOKED:
            assert (visit.step, step.due_at) == (step, visit.end)
        else:
            assert visit.status == AppointmentStatus.CANCELLED
    assert_every_visit_has_its_cells_and_no_cell_two_takers()


def _end_and_release(awaited: Step) -> None:
    complete_step(awaited, "done", now=NOW)
    actions.settle(awaited, [], keep=False, now=NOW)


def test_no_hold_is_left_waiting_for_a_step_that_ended_the_same_moment() -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, START, minutes=120)
    for _round in range(5):
        who = builders.patient(doctor.clinic, phone="")
        awaited = builders.step(builders.journey(who), kind=StepKind.AWAIT_RESULT)
        builders.step(awaited.journey)

        wanted = Visit(who, doctor, START, 30)
        hold = partial(actions.hold, wanted, awaits=awaited, until=UNTIL, now=NOW)
        results = race(partial(_end_and_release, awaited), hold)
        assert unexpected(results, StaleStateError) == []
        assert not Appointment.objects.filter(status=PENDING).exists()


def test_calendars_filled_by_many_at_once_are_as_filled_by_one(caplog: pytest.LogCaptureFixture) -> None:
    doctor = builders.practitioner()
    builders.schedule(doctor)
    results = race(*[lambda: fill_slots(NOW, days=21)] * 4)
    assert unexpected(results) == []
    assert caplog.records == []
    assert fill_slots(NOW, days=21) == 0
    assert Slot.objects.count() == 4 * 18


def test_a_visit_booked_while_its_hours_are_taken_away_stays_whole(caplog: pytest.LogCaptureFixture) -> None:
    doctor = builders.practitioner()
    rule = builders.schedule(doctor)
    patients = people(doctor, 6)
    fill_slots(NOW, days=21)
    first = Slot.objects.filter(start__gt=START).earliest("start").start
    rule.end = rule.start.replace(minute=30)
    rule.save()
    book = (
        partial(actions.book, Visit(who, doctor, first + 30 * MINUTE * n, 30), now=NOW)
        for n, who in enumerate(patients)
    )
    results = race(*book, partial(fill_slots, NOW, days=21))
    assert unexpected(results, RefusedError) == []
    assert caplog.records == []
    assert_every_visit_has_its_cells_and_no_cell_two_takers()
    free = Slot.objects.filter(use__isnull=True, is_closed=False, start__gte=first, start__lt=first + DAY)
    assert {cell.start - first for cell in free} <= {n * MINUTE for n in (0, 10, 20)}


def test_of_many_who_keep_one_time_one_has_it_and_only_that_one_books_it() -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, START)
    desks = [builders.user(at=doctor.clinic) for _n in range(8)]
    visit = Visit(builders.patient(doctor.clinic), doctor, START, 30)
    results = race(*(partial(keep_for_minutes, visit, now=NOW, by=desk) for desk in desks))
    assert unexpected(results, SlotTakenError) == []
    (kept,) = [each for each in results if isinstance(each, Appointment)]
    saved = race(*(partial(book_kept, visit, None, now=NOW, by=desk) for desk in desks))
    assert unexpected(saved, SlotTakenError) == []
    assert [each.made_by for each in saved if isinstance(each, Appointment)] == [kept.made_by]
    assert Appointment.objects.get().status == BOOKED
    assert_every_visit_has_its_cells_and_no_cell_two_takers()


def test_saving_a_kept_time_while_its_minutes_end_books_it_or_says_it_was_taken() -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, START)
    rina = builders.user(at=doctor.clinic)
    visit = Visit(builders.patient(doctor.clinic), doctor, START, 30)
    over = NOW + 5 * MINUTE
    for _round in range(5):
        keep_for_minutes(visit, now=NOW, by=rina)
        results = race(partial(book_kept, visit, None, now=over, by=rina), partial(settle_holds, now=over))
        assert unexpected(results) == []
        made = Appointment.objects.get(status=BOOKED)
        assert_every_visit_has_its_cells_and_no_cell_two_takers()
        actions.cancel(made, because="next round", now=NOW)
        assert not Appointment.objects.filter(status=PENDING).exists()


def test_every_visit_booked_while_the_doctor_takes_leave_is_refused_or_asks_to_be_moved() -> None:
    doctor = builders.practitioner()
    builders.schedule(doctor)
    fill_slots(NOW, days=21)
    first = Slot.objects.filter(start__gt=START).earliest("start").start
    away = ScheduleException(
        practitioner=doctor, kind=ExceptionKind.AWAY, first_on=first.date(), last_on=first.date()
    )
    book = (
        partial(actions.book, Visit(who, doctor, first + 30 * MINUTE * n, 30), now=NOW)
        for n, who in enumerate(people(doctor, 6))
    )
    results = race(*book, partial(schedules.add_exception, away, now=NOW))
    assert unexpected(results, RefusedError) == []
    assert_every_visit_has_its_cells_and_no_cell_two_takers()
    asked = Step.objects.filter(kind=StepKind.BOOK, status=StepStatus.ACTIVE)
    assert asked.count() == Appointment.objects.count()
    assert not Slot.objects.filter(start__date=first.date(), is_closed=False).exists()


def test_of_two_doctors_given_one_room_at_once_one_gets_it() -> None:
    first = builders.practitioner()
    second = builders.practitioner(first.clinic, name="Dr Shaham")
    room = builders.location(first.clinic)
    results = race(
        *(
            partial(
                schedules.add_hours,
                Schedule(
                    practitioner=doctor,
                    location=room,
                    weekday=0,
                    start=at(9),
                    end=at(12),
                    valid_from=NOW.date(),
                ),
                now=NOW,
            )
            for doctor in (first, second)
        )
    )
    assert unexpected(results, RefusedError) == []
    assert Schedule.objects.count() == 1
