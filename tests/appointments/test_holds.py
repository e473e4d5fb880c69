"""The ends of holds: what they waited for has ended, or their time has come."""

import logging
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from appointments import actions
from appointments.actions import SlotTakenError
from appointments.holds import RETRY, describe_plan, move_to_first, settle_holds
from appointments.models import Appointment, AppointmentStatus, Practitioner
from appointments.options import times_and_why
from appointments.tasks import settle_holds as settle_holds_task
from journeys.models import Journey, JourneyStatus, Step, StepKind, StepStatus
from patients.actions import StaleStateError
from patients.models import Clinic
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
START = NOW + timedelta(days=2)  # Wednesday, 10:00 in Jerusalem
UNTIL = START - timedelta(hours=24)
# The institute gets three working days more (Friday morning), then there is the day between result and visit.
MOVED = timedelta(days=3)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PENDING, CANCELLED = AppointmentStatus.PENDING, AppointmentStatus.CANCELLED


def waiting_step(**fields: Any) -> Step:
    return builders.step(**{"kind": StepKind.AWAIT_RESULT, "due_at": NOW, **fields})


def hold(awaits: Step | None = None, **fields: Any) -> Appointment:
    who = awaits.journey.patient if awaits else builders.patient()
    given = {"status": PENDING, "awaits": awaits, "start": START, "hold_until": UNTIL}
    return builders.appointment(who, **{**given, **fields})


def free_time(doctor: Practitioner, *days: int) -> None:
    for day in days:
        builders.open_time(doctor, START + DAY * day)


def steps_of(journey: Journey, kind: StepKind) -> list[Step]:
    return list(journey.steps.filter(kind=kind, status=StepStatus.ACTIVE))


@pytest.mark.parametrize("status", [StepStatus.COMPLETED, StepStatus.CANCELLED])
def test_a_hold_whose_step_has_closed_is_released(status: StepStatus) -> None:
    ended = {"completed_at": NOW, "outcome": "not_done"} if status == StepStatus.COMPLETED else {}
    visit = hold(waiting_step(status=status, **ended))
    assert settle_holds(now=NOW) == 1
    visit.refresh_from_db()
    assert (visit.status, visit.ended_because) == (CANCELLED, "what it waited for has ended")
    assert visit.slot_uses.count() == 0
    assert visit.awaits is not None
    (told,) = steps_of(visit.awaits.journey, StepKind.TELL)
    assert (told.message_key, told.contact_from) == ("hold_released", NOW)
    assert settle_holds(now=NOW) == 0
    assert len(steps_of(visit.awaits.journey, StepKind.TELL)) == 1


def test_who_is_asked_for_another_date_is_not_told_twice_that_the_time_is_off() -> None:
    awaited = waiting_step(status=StepStatus.COMPLETED, completed_at=NOW, outcome="not_done")
    builders.step(awaited.journey, kind=StepKind.BOOK)
    hold(awaited)
    assert settle_holds(now=NOW) == 1
    assert steps_of(awaited.journey, StepKind.TELL) == []


@pytest.mark.parametrize("status", [StepStatus.ACTIVE, StepStatus.ON_HOLD])
def test_a_hold_that_still_waits_and_has_time_is_left_alone(status: StepStatus) -> None:
    visit = hold(waiting_step(status=status))
    assert settle_holds(now=UNTIL - MINUTE) == 0
    visit.refresh_from_db()
    assert visit.status == PENDING


def test_a_hold_of_minutes_is_released_when_they_are_over() -> None:
    visit = hold(hold_until=NOW + 5 * MINUTE)
    assert settle_holds(now=NOW + 4 * MINUTE) == 0
    assert settle_holds(now=NOW + 5 * MINUTE) == 1
    visit.refresh_from_db()
    assert (visit.status, visit.ended_because) == (CANCELLED, "not confirmed in time")


def test_a_late_result_moves_the_visit_to_the_next_fitting_time_and_the_patient_is_told() -> None:
    awaited = waiting_step()
    visit = hold(awaited)
    free_time(visit.practitioner, 1, 2, 3, 4)  # a day or two later would not help
    assert settle_holds(now=UNTIL) == 1
    visit.refresh_from_db()
    assert (visit.status, visit.start, visit.awaits) == (PENDING, START + MOVED, awaited)
    assert visit.hold_until == UNTIL + MOVED
    starts = visit.slot_uses.order_by("slot__start").values_list("slot__start", flat=True)
    assert list(starts) == [START + MOVED + n * MINUTE for n in (0, 10, 20)]
    (told,) = steps_of(awaited.journey, StepKind.TELL)
    assert (told.message_key, told.contact_from, told.owner_role) == ("hold_moved", UNTIL, "receptionist")
    assert [event.what for event in visit.events.all()] == ["moved", "moved_by_rule"]
    assert settle_holds(now=UNTIL) == 0


@pytest.mark.parametrize(("weekday", "later"), [(6, 1), (5, 0)])  # she can come on Sundays; on Saturdays
def test_it_is_moved_to_when_she_can_come_where_such_a_time_is_free(weekday: int, later: int) -> None:
    awaited = waiting_step()
    visit = hold(awaited)
    free_time(visit.practitioner, 2, 4)  # Friday would be too early; Sunday
    builders.open_time(visit.practitioner, START + MOVED, minutes=30)  # Saturday
    builders.comes(visit.patient, (weekday, time.min, time.max))
    assert settle_holds(now=UNTIL) == 1
    visit.refresh_from_db()
    assert visit.start == START + MOVED + later * DAY


def test_who_can_never_come_then_keeps_a_time_all_the_same() -> None:
    visit = hold(waiting_step())
    free_time(visit.practitioner, 3)
    builders.comes(visit.patient, (0, time(17), time.max))
    assert settle_holds(now=UNTIL) == 1
    visit.refresh_from_db()
    assert visit.start == START + MOVED


def test_the_new_time_leaves_as_long_between_the_promised_result_and_the_visit() -> None:
    visit = hold(waiting_step(due_at=UNTIL + 5 * DAY))
    free_time(visit.practitioner, 3, 4, 5, 6)
    settle_holds(now=UNTIL)
    visit.refresh_from_db()
    assert (visit.start, visit.hold_until) == (START + 5 * DAY, UNTIL + 5 * DAY)


def test_after_a_night_without_workers_the_hold_is_not_moved_into_its_own_past() -> None:
    visit = hold(waiting_step())
    free_time(visit.practitioner, *range(1, 8))
    settle_holds(now=UNTIL + DAY + HOUR)  # Wednesday; three working days later is Sunday
    visit.refresh_from_db()
    assert (visit.start, visit.hold_until) == (START + 6 * DAY, UNTIL + 6 * DAY)


def test_the_second_time_it_is_released_and_the_desk_finds_a_date() -> None:
    awaited = waiting_step()
    visit = hold(awaited)
    free_time(visit.practitioner, 3, 8)
    settle_holds(now=UNTIL)
    assert settle_holds(now=UNTIL + MOVED) == 1
    visit.refresh_from_db()
    assert (visit.status, visit.ended_because) == (CANCELLED, "the result did not come in time")
    with translation.override("he"):  # kept once, read by each in his own language
        assert visit.ended_words == "התוצאה לא הגיעה בזמן"
        told = [times_and_why(event) for event in visit.events.all()]
    assert told[-1] == ("", "התוצאה לא הגיעה בזמן")
    assert [why for times, why in told if times] == ["התוצאה מתעכבת"]
    assert visit.slot_uses.count() == 0
    (booking,) = steps_of(awaited.journey, StepKind.BOOK)
    assert (booking.message_key, booking.owner_role) == ("next_step", "receptionist")
    assert booking.due_at == UNTIL + MOVED + 2 * DAY  # Friday's next working day is Sunday
    assert len(steps_of(awaited.journey, StepKind.TELL)) == 1


def test_with_no_time_to_move_to_it_is_released_at_once_and_the_desk_finds_a_date() -> None:
    awaited = waiting_step()
    visit = hold(awaited)
    assert settle_holds(now=UNTIL) == 1
    visit.refresh_from_db()
    assert visit.status == CANCELLED
    assert len(steps_of(awaited.journey, StepKind.BOOK)) == 1
    assert steps_of(awaited.journey, StepKind.TELL) == []


def test_a_review_that_is_late_moves_the_visit_like_a_result_that_is_late() -> None:
    awaited = waiting_step(kind=StepKind.REVIEW)
    visit = hold(awaited)
    free_time(visit.practitioner, 3)
    settle_holds(now=UNTIL)
    visit.refresh_from_db()
    assert visit.start == START + MOVED


def test_each_of_many_holds_is_settled_in_one_tick() -> None:
    first = hold(waiting_step())
    doctor = first.practitioner
    for n in range(1, 4):
        who = builders.patient(doctor.clinic, phone="")
        hold(waiting_step(of=builders.journey(who)), practitioner=doctor, start=START + 30 * MINUTE * n)
    builders.open_time(doctor, START + MOVED + 2 * HOUR)  # room for two of the four
    assert settle_holds(now=UNTIL) == 4
    starts = Appointment.objects.filter(status=PENDING).order_by("start").values_list("start", flat=True)
    assert list(starts) == [START + MOVED + 2 * HOUR, START + MOVED + 2 * HOUR + 30 * MINUTE]
    assert Appointment.objects.filter(status=CANCELLED).count() == 2


def test_one_that_fails_is_tried_again_in_an_hour_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = hold(waiting_step(), hold_until=UNTIL - MINUTE)
    free_time(broken.practitioner, 3)
    Clinic.objects.filter(pk=broken.clinic_id).update(time_zone="Nowhere/Land")
    fine = hold(hold_until=UNTIL)
    with caplog.at_level(logging.ERROR):
        assert settle_holds(now=UNTIL) == 1
    broken.refresh_from_db()
    fine.refresh_from_db()
    assert (broken.status, broken.start, broken.hold_until) == (PENDING, START, UNTIL + RETRY)
    assert not broken.events.exists()
    assert fine.status == CANCELLED
    assert [record.message for record in caplog.records] == [
        f"Hold {broken.pk} could not be settled; it is tried again in an hour."
    ]
    assert settle_holds(now=UNTIL + RETRY - MINUTE) == 0


def test_a_closed_journey_is_not_asked_for_a_date() -> None:
    awaited = waiting_step(status=StepStatus.CANCELLED)
    Journey.objects.filter(pk=awaited.journey_id).update(status=JourneyStatus.CANCELLED, ended_at=NOW)
    visit = hold(awaited)
    settle_holds(now=UNTIL)
    visit.refresh_from_db()
    assert visit.status == CANCELLED
    assert not awaited.journey.steps.filter(kind=StepKind.BOOK).exists()


def test_a_hold_the_tick_has_moved_is_stale_for_whoever_saw_it_before() -> None:
    visit = hold(waiting_step())
    free_time(visit.practitioner, 3)
    builders.open_time(visit.practitioner, START + HOUR)
    settle_holds(now=UNTIL)
    with pytest.raises(StaleStateError):
        actions.move(visit, start=START + HOUR, now=UNTIL)


def test_a_look_that_is_out_of_date_costs_a_try_and_never_the_hold() -> None:
    visit = hold(waiting_step())
    free_time(visit.practitioner, 1, 2)
    other = builders.patient(visit.clinic, phone="", given_name="Noa")
    builders.appointment(other, practitioner=visit.practitioner, start=START + DAY)
    move_to_first(visit, [START + DAY, START + 2 * DAY], now=NOW)
    assert visit.start == START + 2 * DAY
    with pytest.raises(SlotTakenError) as taken:
        move_to_first(visit, [START + DAY], now=NOW)
    assert taken.value.taken_by == "Noa Levi"


def test_the_claim_walks_the_partial_index() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A table of no rows is scanned, whatever its index.
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "appointment_hold" in describe_plan(now=NOW)


def test_the_celery_shell_runs_the_tick() -> None:
    hold(hold_until=NOW)
    assert settle_holds_task() == 1
