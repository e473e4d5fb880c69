"""Each invariant of house.md 10 about calendars and visits, broken on purpose past all Python checks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, ProtectedError

from appointments.models import Appointment, AppointmentStatus, Location, Schedule, Slot, SlotUse
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
TOMORROW = NOW + timedelta(days=1)


def refused(write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


def plain_sql(statement: str, *values: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_a_cell_is_taken_once() -> None:
    first = builders.appointment(status=AppointmentStatus.PENDING, hold_until=TOMORROW)
    second = builders.appointment(
        builders.patient(first.clinic, phone=""), practitioner=first.practitioner, start=first.end
    )
    cell = first.slot_uses.earliest("slot__start").slot
    refused(lambda: SlotUse.objects.create(slot=cell, appointment=second))
    refused(lambda: SlotUse.objects.bulk_create([SlotUse(slot=cell, appointment=second)]))
    refused(lambda: second.slot_uses.filter(pk=second.slot_uses.earliest("pk").pk).update(slot=cell))
    refused(
        lambda: plain_sql(
            "INSERT INTO appointments_slotuse (slot_id, appointment_id) SELECT slot_id, %s "
            "FROM appointments_slotuse WHERE appointment_id = %s",
            second.pk,
            first.pk,
        )
    )


def test_of_several_cells_all_are_taken_or_none() -> None:
    taken = builders.appointment(minutes=10)
    other = builders.appointment(builders.patient(taken.clinic, phone=""), status=AppointmentStatus.CANCELLED)
    cells = builders.open_time(taken.practitioner, taken.start - timedelta(minutes=20), minutes=30)
    refused(lambda: SlotUse.objects.bulk_create(SlotUse(slot=cell, appointment=other) for cell in cells))
    assert other.slot_uses.count() == 0


def test_a_cell_in_use_cannot_be_deleted() -> None:
    taken = builders.appointment(minutes=10)
    with pytest.raises(ProtectedError):
        Slot.objects.all().delete()
    with pytest.raises(ProtectedError):
        taken.practitioner.schedules.get().delete()


def test_a_cell_exists_once_for_a_schedule_and_for_a_practitioner() -> None:
    cell = builders.open_time(builders.practitioner(), TOMORROW, minutes=10)[0]
    other_schedule = builders.schedule(cell.practitioner)
    other_doctor = builders.practitioner(cell.practitioner.clinic)
    for schedule, practitioner in [(cell.schedule, other_doctor), (other_schedule, cell.practitioner)]:
        again = Slot(schedule=schedule, practitioner=practitioner, start=cell.start, end=cell.end)
        refused(again.save)


@pytest.mark.parametrize("end", [F("start"), F("start") - timedelta(minutes=10)])
def test_time_runs_forward(end: Any) -> None:
    builders.appointment()
    refused(lambda: Slot.objects.update(end=end))
    refused(lambda: Appointment.objects.update(end=end))


def test_a_schedule_is_a_stretch_of_a_weekday() -> None:
    builders.schedule(builders.practitioner())
    refused(lambda: Schedule.objects.update(weekday=7))
    refused(lambda: Schedule.objects.update(start=F("end")))


def test_a_room_has_its_name_once_in_a_clinic() -> None:
    room = builders.location()
    refused(lambda: Location.objects.create(clinic=room.clinic, name=room.name))
    assert Location.objects.create(clinic=builders.clinic(), name=room.name).pk


def test_the_status_is_one_of_those_we_know() -> None:
    builders.appointment()
    refused(lambda: Appointment.objects.update(status="proposed"))


@pytest.mark.parametrize("write", ["update", "create"])
def test_a_hold_has_an_end(write: str) -> None:
    visit = builders.appointment()
    if write == "update":
        refused(lambda: Appointment.objects.update(status=AppointmentStatus.PENDING))
    else:
        refused(lambda: builders.appointment(visit.patient, status=AppointmentStatus.PENDING))


def test_a_request_is_carried_out_once_in_a_clinic() -> None:
    visit = builders.appointment(request_key="from the desk 17")
    refused(lambda: builders.appointment(visit.patient, request_key="from the desk 17"))
    assert builders.appointment(request_key="from the desk 17").pk
    for _n in range(2):
        assert builders.appointment(visit.patient, request_key=None).pk


def test_every_choice_of_the_calendar_has_its_check() -> None:
    """A new column with choices must come with a CHECK, and so with a test above."""
    choices = {
        f"{model.__name__}.{field.name}"
        for model in (Appointment, Slot, Schedule)
        for field in model._meta.get_fields()
        if isinstance(field, models.Field) and field.choices
    }
    assert choices == {"Appointment.status"}
