from datetime import date, time, timedelta

import pytest

from appointments import queries
from appointments.models import Slot
from patients.windows import Hours, WeeklyWindow
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MONDAY, TUESDAY = 0, 1


def test_appointments_are_visible_to_members_of_their_clinic_only() -> None:
    visit = builders.appointment()
    inside, outside = builders.user(at=visit.clinic), builders.user(at=builders.clinic())
    assert list(queries.appointments_visible_to(inside)) == [visit]
    assert list(queries.appointments_visible_to(outside)) == []


def test_practitioners_are_visible_to_members_of_their_clinic_while_they_receive() -> None:
    doctor = builders.practitioner()
    builders.practitioner(doctor.clinic, is_active=False)
    inside, outside = builders.user(at=doctor.clinic), builders.user(at=builders.clinic())
    assert list(queries.practitioners_visible_to(inside)) == [doctor]
    assert list(queries.practitioners_visible_to(outside)) == []


def test_free_cells_are_open_untaken_and_in_the_range() -> None:
    doctor = builders.practitioner()
    cells = builders.open_time(doctor, NOW, minutes=50)
    builders.open_time(builders.practitioner(doctor.clinic), NOW)
    builders.appointment(
        builders.patient(doctor.clinic), practitioner=doctor, start=NOW + 10 * MINUTE, minutes=10
    )
    Slot.objects.filter(pk=cells[2].pk).update(is_closed=True)
    found = queries.free_cells(doctor, NOW, NOW + 40 * MINUTE)
    assert [cell.key for cell in found] == [cells[0].pk, cells[3].pk]


def test_found_times_fit_and_do_not_overlap() -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, NOW, minutes=60)
    found = queries.find_times(doctor, 20, after=NOW + 5 * MINUTE, before=NOW + HOUR)
    assert found == [NOW + 10 * MINUTE, NOW + 30 * MINUTE]


def test_found_times_may_lie_far_ahead_but_not_beyond_the_end() -> None:
    doctor = builders.practitioner()
    far = NOW + timedelta(days=20)
    builders.open_time(doctor, far)
    assert queries.find_times(doctor, 60, after=NOW, before=far + MINUTE) == [far]
    assert queries.find_times(doctor, 60, after=NOW, before=far) == []


def test_a_visit_across_the_edge_of_what_is_read_at_once_is_found() -> None:
    doctor = builders.practitioner()
    start = NOW + queries.LOOK_AT - 10 * MINUTE
    builders.open_time(doctor, start, minutes=30)
    assert queries.find_times(doctor, 30, after=NOW, before=NOW + timedelta(days=9)) == [start]


def test_found_times_lie_wholly_within_the_hours_asked_for() -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, NOW, minutes=120)  # Monday 10:00 to 12:00 in Jerusalem
    mornings = Hours.of("Asia/Jerusalem", [WeeklyWindow(MONDAY, time(10, 30), time(11, 30))], {})
    other_day = Hours.of("Asia/Jerusalem", [WeeklyWindow(TUESDAY, time(8), time(18))], {})
    end = NOW + timedelta(days=1)
    assert queries.find_times(doctor, 40, within=(mornings,), after=NOW, before=end) == [NOW + 30 * MINUTE]
    assert queries.find_times(doctor, 40, within=(mornings, other_day), after=NOW, before=end) == []


def test_no_more_times_are_given_than_asked_for() -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, NOW, minutes=120)
    assert len(queries.find_times(doctor, 10, after=NOW, before=NOW + 2 * HOUR, limit=4)) == 4


def test_a_day_is_as_long_as_the_local_day() -> None:
    doctor = builders.practitioner()
    first, last = queries.bounds_of(doctor, date(2026, 3, 27), date(2026, 3, 27))
    assert last - first == timedelta(hours=23)
    first, last = queries.bounds_of(doctor, date(2026, 10, 25), date(2026, 10, 25))
    assert last - first == timedelta(hours=25)
