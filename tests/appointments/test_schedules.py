"""Weekly hours and their exceptions: cells follow at once, visits are never lost, rooms have one doctor."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from appointments import actions, schedules
from appointments.cells import fill_slots
from appointments.displaced import ask_to_move_all
from appointments.models import (
    Appointment,
    AppointmentStatus,
    ExceptionKind,
    Practitioner,
    Schedule,
    ScheduleException,
)
from appointments.tasks import fill_slots as fill_slots_task
from journeys.models import Journey, Step, StepKind, StepStatus
from patients.actions import RefusedError
from patients.models import ClosedDay, Patient
from tests import builders
from tests.appointments.pages import DAY, MINUTE, TOMORROW_9, visit_at
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
TUESDAY = date(2026, 3, 10)
AWAY, CHANGED, EXTRA = ExceptionKind.AWAY, ExceptionKind.CHANGED, ExceptionKind.EXTRA


def exception(of: Practitioner, kind: str = AWAY, **fields: Any) -> ScheduleException:
    given = {"first_on": TUESDAY, "last_on": TUESDAY}
    return ScheduleException(practitioner=of, kind=kind, **{**given, **fields})


def hours(of: Practitioner, on: date = TUESDAY) -> list[str]:
    """The open stretches of a day, as read on the clinic's clock."""
    found: list[list[Any]] = []
    cells = of.slots.filter(start__date=on, is_closed=False).order_by("start")
    for start, end in cells.values_list("start", "end"):
        if found and found[-1][1] == start:
            found[-1][1] = end
        else:
            found.append([start, end])
    local = timedelta(hours=2)
    return [f"{start + local:%H:%M}-{end + local:%H:%M}" for start, end in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": AWAY}, []),
        ({"kind": AWAY, "start": time(10), "end": time(11)}, ["09:00-10:00", "11:00-12:00"]),
        ({"kind": CHANGED, "start": time(14), "end": time(16)}, ["14:00-16:00"]),
        ({"kind": EXTRA, "start": time(14), "end": time(16)}, ["09:00-12:00", "14:00-16:00"]),
        ({"kind": EXTRA, "start": time(11), "end": time(13)}, ["09:00-13:00"]),
        ({"kind": AWAY, "first_on": date(2026, 3, 1), "last_on": date(2026, 3, 9)}, ["09:00-12:00"]),
    ],
)
def test_an_exception_holds_at_once_and_after_the_next_filling(
    doctor: Practitioner, fields: dict[str, Any], expected: list[str]
) -> None:
    made = exception(doctor, **fields)
    assert schedules.add_exception(made, now=NOW) == 0
    assert hours(doctor) == expected
    fill_slots(NOW, days=9)
    assert hours(doctor) == expected
    assert hours(doctor, TUESDAY + DAY) == ["09:00-12:00"]
    schedules.remove_exception(made, now=NOW)
    assert hours(doctor) == ["09:00-12:00"]


def test_changed_hours_over_a_week_open_no_day_off_and_extra_hours_do(doctor: Practitioner) -> None:
    friday = date(2026, 3, 13)
    week = {"first_on": TUESDAY, "last_on": friday, "start": time(14), "end": time(16)}
    made = exception(doctor, CHANGED, **week)
    schedules.add_exception(made, now=NOW)
    assert (hours(doctor), hours(doctor, friday)) == (["14:00-16:00"], [])
    schedules.remove_exception(made, now=NOW)
    schedules.add_exception(exception(doctor, EXTRA, **week), now=NOW)
    assert hours(doctor, friday) == ["14:00-16:00"]


def test_a_visit_the_exception_covers_asks_to_be_moved_and_the_patient_is_told(
    doctor: Practitioner, patient: Patient
) -> None:
    doctor.clinic.language = "en"
    doctor.clinic.save()
    visit = visit_at(patient, doctor, TOMORROW_9)
    by = builders.user(at=doctor.clinic)
    assert schedules.add_exception(exception(doctor), now=NOW, by=by) == 1
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.BOOKED
    asked = Step.objects.get(kind=StepKind.BOOK, status=StepStatus.ACTIVE)
    assert asked.title == "Move the visit of Tue 10 Mar 09:00: Dr Cohen does not receive then"
    assert (asked.message_key, asked.contact_from, asked.about) == ("visit_to_move", NOW, visit.step)
    assert asked.due_at
    assert asked.due_at <= visit.start
    assert ask_to_move_all(Appointment.objects.all(), now=NOW) == 0


def test_moving_it_ends_the_asking_and_so_does_booking_from_today(
    doctor: Practitioner, patient: Patient
) -> None:
    first = visit_at(patient, doctor, TOMORROW_9)
    second = visit_at(builders.patient(doctor.clinic, phone=""), doctor, TOMORROW_9 + 60 * MINUTE)
    schedules.add_exception(exception(doctor), now=NOW)
    first.refresh_from_db()
    actions.move(first, start=TOMORROW_9 + DAY, now=NOW)
    (asked,) = Step.objects.filter(kind=StepKind.BOOK, status=StepStatus.ACTIVE)
    new = actions.Visit(second.patient, doctor, TOMORROW_9 + 2 * DAY, 30)
    assert actions.book_for_step(asked, new, now=NOW) == second
    second.refresh_from_db()
    assert second.start == TOMORROW_9 + 2 * DAY
    assert not Step.objects.filter(kind=StepKind.BOOK, status=StepStatus.ACTIVE).exists()
    assert hours(doctor) == []


def test_the_visit_asked_about_is_moved_and_not_an_earlier_one_of_the_journey(
    doctor: Practitioner, patient: Patient
) -> None:
    journey = builders.journey(patient)
    due = TOMORROW_9 + DAY
    steps = [builders.step(journey, kind=StepKind.VISIT, due_at=due) for _n in range(2)]
    earlier = visit_at(patient, doctor, NOW + 60 * MINUTE, step=steps[0])
    covered = visit_at(patient, doctor, TOMORROW_9, step=steps[1])
    schedules.add_exception(exception(doctor), now=NOW)
    asked = Step.objects.get(kind=StepKind.BOOK)
    moved = actions.book_for_step(asked, actions.Visit(patient, doctor, TOMORROW_9 + DAY, 30), now=NOW)
    earlier.refresh_from_db()
    assert (moved, earlier.start) == (covered, NOW + 60 * MINUTE)


def test_a_held_visit_is_asked_about_and_a_time_kept_for_minutes_is_not(
    doctor: Practitioner, patient: Patient
) -> None:
    awaited = builders.step(builders.journey(patient), kind=StepKind.AWAIT_RESULT)
    visit_at(patient, doctor, TOMORROW_9, "pending", awaits=awaited, hold_until=TOMORROW_9)
    visit_at(patient, doctor, TOMORROW_9 + 60 * MINUTE, "pending", hold_until=NOW + 5 * MINUTE)
    assert schedules.add_exception(exception(doctor), now=NOW) == 1
    assert Step.objects.get(kind=StepKind.BOOK).about == awaited


def test_a_day_closed_later_is_found_by_the_night_run(doctor: Practitioner, patient: Patient) -> None:
    visit_at(patient, doctor, TOMORROW_9 + 370 * DAY)  # far from the days that are filled
    builders.appointment(patient, practitioner=doctor, start=TOMORROW_9)
    ClosedDay.objects.create(clinic=doctor.clinic, on=TUESDAY, name="Strike")
    fill_slots(NOW)
    assert ask_to_move_all(Appointment.objects.all(), now=NOW) == 1
    assert Journey.objects.count() == 1
    assert fill_slots_task() >= 0


def test_a_time_in_the_closed_hours_is_refused_with_the_reason(
    doctor: Practitioner, patient: Patient
) -> None:
    schedules.add_exception(exception(doctor), now=NOW)
    with pytest.raises(RefusedError, match="outside the hours of Dr Cohen"):
        actions.book(actions.Visit(patient, doctor, TOMORROW_9, 30), now=NOW)


# Rooms


def rule(of: Practitioner, room: Any, **fields: Any) -> Schedule:
    given = {"weekday": 1, "start": time(9), "end": time(12), "valid_from": NOW.date()}
    return Schedule(practitioner=of, location=room, **{**given, **fields})


def test_a_room_has_one_doctor_at_a_time_and_the_words_say_who(doctor: Practitioner) -> None:
    room = doctor.schedules.get(weekday=1).location
    colleague = builders.practitioner(doctor.clinic, name="Dr Shaham")
    with pytest.raises(RefusedError) as refused:
        schedules.add_hours(rule(colleague, room, start=time(11, 50), end=time(14)), now=NOW)
    assert str(refused.value) == (
        f"Dr Cohen has {room.name} then, first on Tue 10 Mar 11:50. Choose another room or other hours."
    )
    assert not colleague.schedules.exists()
    schedules.add_hours(rule(colleague, room, start=time(12), end=time(14)), now=NOW)
    with pytest.raises(RefusedError, match=f"Dr Shaham has {room.name} then"):
        schedules.add_exception(
            exception(doctor, EXTRA, start=time(13), end=time(15), location=room), now=NOW
        )
    room.is_exclusive = False
    room.save()
    schedules.add_exception(exception(doctor, EXTRA, start=time(13), end=time(15), location=room), now=NOW)


def test_a_room_left_for_a_day_may_be_given_to_somebody_else_and_not_taken_back(
    doctor: Practitioner,
) -> None:
    room = doctor.schedules.get(weekday=1).location
    colleague = builders.practitioner(doctor.clinic, name="Dr Shaham")
    away = exception(doctor)
    schedules.add_exception(away, now=NOW)
    schedules.add_exception(exception(colleague, EXTRA, start=time(9), end=time(10), location=room), now=NOW)
    assert hours(colleague) == ["09:00-10:00"]
    with pytest.raises(RefusedError, match="Dr Shaham has"):
        schedules.remove_exception(away, now=NOW)
    assert hours(doctor) == []


def test_ended_hours_have_no_cells_and_their_visits_ask_to_be_moved(
    doctor: Practitioner, patient: Patient
) -> None:
    visit_at(patient, doctor, TOMORROW_9)
    tuesdays = doctor.schedules.get(weekday=1)
    assert schedules.end_hours(tuesdays, last_on=NOW.date(), now=NOW) == 1
    assert hours(doctor) == []
    assert hours(doctor, TUESDAY + DAY) == ["09:00-12:00"]


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "ill"},
        {"first_on": date(2026, 3, 11)},
        {"start": time(9)},
        {"end": time(9)},
        {"start": time(9), "end": time(9)},
        {"kind": CHANGED},
        {"kind": EXTRA, "end": time(9)},
    ],
)
def test_an_exception_without_sense_is_not_stored(doctor: Practitioner, broken: dict[str, Any]) -> None:
    fields = {"kind": AWAY, "made_at": NOW, **broken}
    with pytest.raises(IntegrityError), transaction.atomic():
        exception(doctor, **fields).save()


def test_an_exception_longer_than_a_year_is_refused(doctor: Practitioner) -> None:
    with pytest.raises(RefusedError, match="a year at most"):
        schedules.add_exception(exception(doctor, last_on=TUESDAY + timedelta(days=366)), now=NOW)
