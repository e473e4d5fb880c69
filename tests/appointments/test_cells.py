"""Calendars cut into cells: from schedules and closed days, again and again, never across a visit."""

import logging
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from appointments.actions import fill_slots
from appointments.models import AppointmentStatus, Practitioner, Slot
from appointments.tasks import fill_slots as fill_slots_task
from patients.models import Clinic, ClosedDay
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 16, 7, 0, tzinfo=NOW.tzinfo)  # 9:00 in Jerusalem, a week after NOW
MINUTE, WEEK = timedelta(minutes=1), timedelta(days=7)


def doctor(**fields: Any) -> Practitioner:
    found = builders.practitioner()
    builders.schedule(found, **fields)
    return found


def starts(of: Practitioner, on: date = date(2026, 3, 16)) -> list[str]:
    cells = of.slots.filter(start__date=on, is_closed=False).order_by("start")
    return [f"{start + timedelta(hours=2):%H:%M}" for start in cells.values_list("start", flat=True)]


def visit_at(of: Practitioner, start: datetime, minutes: int = 10) -> Any:
    return builders.appointment(
        builders.patient(of.clinic, phone=""), practitioner=of, start=start, minutes=minutes
    )


def test_the_days_ahead_are_cut_into_cells_of_the_grid() -> None:
    found = doctor(end=time(9, 30))
    assert fill_slots(NOW, days=8) == 6
    assert starts(found) == ["09:00", "09:10", "09:20"]
    assert {slot.end - slot.start for slot in Slot.objects.all()} == {10 * MINUTE}
    assert found.schedules.get().filled_until == date(2026, 3, 17)


def test_filling_again_makes_nothing_and_changes_nothing() -> None:
    doctor()
    assert fill_slots(NOW) == 9 * 18
    before = list(Slot.objects.order_by("pk").values())
    assert fill_slots(NOW) == 0
    assert list(Slot.objects.order_by("pk").values()) == before


def test_a_day_later_one_more_day_is_filled() -> None:
    doctor(end=time(9, 30))
    fill_slots(NOW, days=6)
    assert fill_slots(NOW + timedelta(days=1), days=6) == 3


def test_closed_days_have_no_cells_eves_have_fewer_and_exceptions_have_all() -> None:
    found = doctor(end=time(10))
    days: list[dict[str, Any]] = [{}, {"closes_at": time(9, 30)}, {"is_open": True}]
    for week, fields in enumerate(days):
        on = (MONDAY + WEEK * week).date()
        ClosedDay.objects.create(clinic=found.clinic, on=on, name="Holiday", **fields)
    fill_slots(NOW)
    assert starts(found) == []
    assert starts(found, (MONDAY + WEEK).date()) == ["09:00", "09:10", "09:20"]
    assert len(found.slots.filter(start__date=(MONDAY + 2 * WEEK).date())) == 6


def test_a_day_that_closes_later_on_keeps_only_the_cells_in_use_and_offers_none() -> None:
    found = doctor(end=time(9, 30))
    fill_slots(NOW)
    visit = visit_at(found, MONDAY + 10 * MINUTE)
    closed = ClosedDay.objects.create(clinic=found.clinic, on=MONDAY.date(), name="Strike")
    fill_slots(NOW)
    assert starts(found) == []
    assert visit.slot_uses.get().slot.is_closed
    closed.delete()
    assert fill_slots(NOW) == 2
    assert starts(found) == ["09:00", "09:10", "09:20"]


def test_a_new_grid_leaves_visits_where_they_are_and_makes_nothing_across_them() -> None:
    found = doctor(end=time(10))
    fill_slots(NOW)
    visit = visit_at(found, MONDAY + 20 * MINUTE)
    Clinic.objects.update(cell_minutes=15)
    fill_slots(NOW)
    cells = found.slots.filter(start__date=MONDAY.date()).order_by("start")
    assert [(cell.start - MONDAY, cell.end - MONDAY) for cell in cells] == [
        (first * MINUTE, last * MINUTE) for first, last in [(0, 15), (20, 30), (30, 45), (45, 60)]
    ]
    assert visit.slot_uses.get().slot.is_closed


def test_overlapping_schedules_never_make_overlapping_cells() -> None:
    found = doctor(end=time(9, 30))
    builders.schedule(found, start=time(9, 5), end=time(9, 55))
    fill_slots(NOW)
    assert starts(found) == ["09:00", "09:10", "09:20", "09:35", "09:45"]


def test_a_cancelled_visit_does_not_keep_its_cells() -> None:
    found = doctor(end=time(9, 30))
    builders.appointment(
        builders.patient(found.clinic), practitioner=found, start=MONDAY, status=AppointmentStatus.CANCELLED
    )
    fill_slots(NOW)
    found.schedules.update(start=time(9, 10))
    fill_slots(NOW)
    assert starts(found) == ["09:10", "09:20"]


def test_one_who_receives_no_more_has_no_free_cells() -> None:
    found = doctor(end=time(9, 30))
    fill_slots(NOW)
    visit_at(found, MONDAY)
    Practitioner.objects.update(is_active=False)
    fill_slots(NOW)
    assert starts(found) == []
    assert found.slots.count() == 1


def test_a_schedule_holds_between_its_dates() -> None:
    found = doctor(end=time(9, 10), valid_from=date(2026, 3, 23), valid_until=date(2026, 4, 5))
    fill_slots(NOW)
    days = found.slots.order_by("start").values_list("start__date", flat=True)
    assert list(days) == [date(2026, 3, 23), date(2026, 3, 30)]


def test_the_hour_the_clock_skips_has_no_cells() -> None:
    found = doctor(weekday=4, start=time(1, 30), end=time(3, 30))  # Friday 27 March: 02:00 becomes 03:00
    fill_slots(NOW)
    cells = found.slots.filter(start__date__range=(date(2026, 3, 26), date(2026, 3, 27)))
    assert cells.count() == 6


def test_a_calendar_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    broken, fine = doctor(), doctor(end=time(9, 30))
    Clinic.objects.filter(pk=broken.clinic_id).update(time_zone="Mars/Olympus")
    with caplog.at_level(logging.ERROR):
        assert fill_slots(NOW, days=8) == 6
    assert fine.slots.count() == 6
    assert [record.message for record in caplog.records] == [
        f"The calendar of practitioner {broken.pk} could not be filled."
    ]


def test_the_celery_shell_fills_from_today() -> None:
    found = doctor(end=time(9, 10), valid_from=date(2020, 1, 1))
    assert fill_slots_task() in {8, 9}
    assert found.slots.count() in {8, 9}
