"""Which row of the grid a thing stands in: changes of the clock, breaks, two visits at one time."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from appointments.actions import fill_slots
from appointments.day import SHUT, Chosen, Column, Day, day_of_doctors
from appointments.models import Appointment, Practitioner
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MINUTE, TODAY = timedelta(minutes=1), date(2026, 3, 9)
MORNING = datetime(2026, 3, 9, 7, 0, tzinfo=NOW.tzinfo)  # 9:00 in Jerusalem


def day(doctor: Practitioner, on: date = TODAY, **asked: Any) -> Day:
    found = day_of_doctors(
        doctor.clinic,
        [doctor],
        Appointment.objects.all(),
        on=on,
        **{"chosen": Chosen(), "now": MORNING, **asked},
    )
    assert found is not None
    return found


def rows(column: Column) -> list[tuple[str, int, int]]:
    return [(entry.look, entry.row, entry.span) for entry in column.entries]


def test_break_and_late_begin_are_closed_time() -> None:
    doctor = builders.practitioner()
    builders.schedule(doctor, start=time(9, 30), end=time(10))
    builders.schedule(doctor, start=time(10, 30), end=time(11))
    fill_slots(NOW, days=1)
    assert rows(day(doctor).columns[0]) == [("shut", 1, 3), ("free", 4, 3), ("shut", 7, 3), ("free", 10, 3)]


def test_night_the_clock_leaps_has_an_hour_less() -> None:
    doctor = builders.practitioner()
    builders.schedule(doctor, weekday=4, start=time(1), end=time(4))
    leap = date(2026, 3, 27)
    fill_slots(NOW, days=20)
    found = day(doctor, leap)
    assert [f"{hour:%H}" for _row, hour in found.hours] == ["23", "00", "01"]  # 1:00, 3:00 and 4:00 there
    assert rows(found.columns[0]) == [("free", 1, 3), ("free", 4, 3), ("free", 7, 3), ("free", 10, 3)]


def test_time_of_one_who_did_not_come_belongs_to_whoever_has_it_now() -> None:
    doctor = builders.practitioner()
    missed = builders.appointment(
        builders.patient(doctor.clinic), practitioner=doctor, start=MORNING, status="noshow"
    )
    assert rows(day(doctor).columns[0])[0] == ("missed", 1, 3)
    second = builders.patient(doctor.clinic, phone="")
    instead = builders.appointment(second, practitioner=doctor, start=MORNING + 10 * MINUTE, minutes=10)
    found = day(doctor)
    assert [entry.visit for entry in found.columns[0].entries if entry.visit] == [instead]
    assert [visit for visit, _room in found.visits] == [missed, instead]


def test_long_closed_time_is_cut_to_the_longest_length_there_is() -> None:
    doctor = builders.practitioner(builders.clinic(cell_minutes=5))
    builders.schedule(doctor, start=time(0), end=time(1))
    builders.schedule(doctor, start=time(11), end=time(12))
    fill_slots(NOW - timedelta(days=1), days=2)
    assert [row for row in rows(day(doctor).columns[0]) if row[0] == SHUT] == [
        ("shut", 13, 96),
        ("shut", 109, 24),
    ]


def test_doctor_who_works_here_no_more_stays_on_days_with_visits() -> None:
    doctor = builders.practitioner()
    gone = builders.practitioner(doctor.clinic, name="Dr Gone", is_active=False)
    builders.appointment(builders.patient(doctor.clinic), practitioner=gone, start=MORNING)
    assert [column.doctor for column in day(doctor).columns] == [gone]


def test_visit_off_the_grid_fills_the_rows_it_touches() -> None:
    doctor = builders.practitioner()
    builders.appointment(builders.patient(doctor.clinic), practitioner=doctor, start=MORNING + 5 * MINUTE)
    assert rows(day(doctor).columns[0])[0] == ("booked", 1, 4)


def test_day_of_a_doctor_of_another_clinic_is_none() -> None:
    doctor, stranger = builders.practitioner(), builders.practitioner()
    everything = Appointment.objects.all()
    assert (
        day_of_doctors(doctor.clinic, [doctor], everything, on=TODAY, chosen=Chosen(stranger.pk), now=NOW)
        is None
    )
