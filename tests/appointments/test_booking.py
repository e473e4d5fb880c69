"""Holding and booking: the time is taken whole, once, inside the hours; the second hears who was first."""

from datetime import timedelta
from typing import Any

import pytest

from appointments import actions
from appointments.actions import SlotTakenError, Visit
from appointments.models import Appointment, AppointmentStatus, Practitioner, Slot, SlotUse
from journeys.models import StepStatus
from patients.actions import RefusedError, StaleStateError
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
START = NOW + timedelta(days=1)  # Tuesday, 10:00 in Jerusalem
MINUTE = timedelta(minutes=1)


@pytest.fixture
def doctor() -> Practitioner:
    found = builders.practitioner()
    builders.open_time(found, START, minutes=120)
    return found


def visit(doctor: Practitioner, **fields: Any) -> Visit:
    who = fields.pop("patient", None) or builders.patient(doctor.clinic, phone="")
    return Visit(who, doctor, **{"start": START, "minutes": 30, **fields})


def taken_starts(appointment: Appointment) -> list[timedelta]:
    uses = appointment.slot_uses.order_by("slot__start").values_list("slot__start", flat=True)
    return [start - START for start in uses]


def test_a_booking_takes_its_cells_and_says_who_made_it(doctor: Practitioner) -> None:
    clerk = builders.user(at=doctor.clinic)
    made = actions.book(visit(doctor, title="Extraction 36"), now=NOW, by=clerk)
    kept = Appointment.objects.get()
    assert (made.pk, made.status, made.title) == (kept.pk, AppointmentStatus.BOOKED, "Extraction 36")
    assert (kept.start, kept.end, kept.made_at, kept.made_by) == (START, START + 30 * MINUTE, NOW, clerk)
    assert taken_starts(kept) == [0 * MINUTE, 10 * MINUTE, 20 * MINUTE]
    assert [(event.what, event.at, event.by) for event in kept.events.all()] == [("booked", NOW, clerk)]


def test_a_hold_waits_for_its_step_until_its_time(doctor: Practitioner) -> None:
    who = builders.patient(doctor.clinic)
    awaited = builders.step(builders.journey(who))
    until = START - timedelta(hours=24) + MINUTE
    actions.hold(visit(doctor, patient=who), awaits=awaited, until=until, now=NOW)
    kept = Appointment.objects.get()
    assert (kept.status, kept.awaits, kept.hold_until) == (AppointmentStatus.PENDING, awaited, until)
    assert [event.what for event in kept.events.all()] == ["pending"]


def test_what_was_made_can_be_changed_and_saved_like_any_other_row(doctor: Practitioner) -> None:
    made = actions.book(visit(doctor), now=NOW)
    made.title = "Crown"
    made.save(update_fields=["title"])
    made.refresh_from_db()
    assert (made.title, Appointment.objects.count()) == ("Crown", 1)


@pytest.mark.parametrize(
    ("hold", "how"), [(True, "is held for Dana Levi"), (False, "is booked for Dana Levi")]
)
def test_the_second_comer_hears_who_has_it_and_what_is_free(
    doctor: Practitioner, *, hold: bool, how: str
) -> None:
    if hold:
        actions.hold(visit(doctor), awaits=None, until=NOW + 5 * MINUTE, now=NOW)
    else:
        actions.book(visit(doctor), now=NOW)
    with pytest.raises(SlotTakenError) as second:
        actions.book(visit(doctor, start=START + 20 * MINUTE), now=NOW)
    assert (second.value.taken_by, second.value.is_held) == ("Dana Levi", hold)
    assert second.value.free == [START + 30 * MINUTE, START + 60 * MINUTE, START + 90 * MINUTE]
    assert second.value.for_staff == f"Tue 10 Mar 10:20 with Dr Cohen {how}."
    assert "Dana" not in str(second.value)
    assert Appointment.objects.count() == 1
    assert SlotUse.objects.count() == 3


def test_a_time_given_back_meanwhile_is_offered_again(doctor: Practitioner) -> None:
    error = SlotTakenError(visit(doctor), winner=None, free=[START])
    assert (error.taken_by, error.for_staff) == ("", str(error))


@pytest.mark.parametrize(
    ("start", "minutes", "words"),
    [
        (START - 10 * MINUTE, 30, "outside the hours of Dr Cohen"),
        (START + 100 * MINUTE, 30, "outside the hours of Dr Cohen"),
        (START + 5 * MINUTE, 30, "outside the hours of Dr Cohen"),
        (START + timedelta(days=1), 30, "Wed 11 Mar 10:00 for 30 minutes is outside"),
        (START, 25, "divided into 10 minutes"),
        (START, 0, "divided into 10 minutes"),
        (START, -10, "divided into 10 minutes"),
    ],
)
def test_a_visit_outside_the_cells_is_refused_with_the_reason(
    doctor: Practitioner, start: Any, minutes: int, words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        actions.book(visit(doctor, start=start, minutes=minutes), now=NOW)
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("gap", ["closed", "missing", "of another"])
def test_a_visit_across_a_gap_is_refused(doctor: Practitioner, gap: str) -> None:
    middle = Slot.objects.filter(start=START + 10 * MINUTE)
    if gap == "closed":
        middle.update(is_closed=True)
    elif gap == "missing":
        middle.delete()
    else:
        colleague = builders.practitioner(doctor.clinic)
        middle.update(practitioner=colleague, schedule=builders.schedule(colleague))
    with pytest.raises(RefusedError, match="outside the hours"):
        actions.book(visit(doctor), now=NOW)


def test_a_visit_that_would_be_over_is_refused(doctor: Practitioner) -> None:
    assert actions.book(visit(doctor), now=START + 29 * MINUTE).pk
    with pytest.raises(RefusedError, match="has passed"):
        actions.book(visit(doctor), now=START + 30 * MINUTE)


def test_a_doctor_of_another_clinic_or_one_who_left_is_refused(doctor: Practitioner) -> None:
    with pytest.raises(RefusedError, match="different clinics"):
        actions.book(visit(doctor, patient=builders.patient()), now=NOW)
    doctor.is_active = False
    with pytest.raises(RefusedError, match="does not receive"):
        actions.book(visit(doctor), now=NOW)


def test_a_hold_must_end_in_the_future(doctor: Practitioner) -> None:
    with pytest.raises(RefusedError, match="still to come"):
        actions.hold(visit(doctor), awaits=None, until=NOW, now=NOW)


@pytest.mark.parametrize("status", [StepStatus.CANCELLED, StepStatus.PLANNED])
def test_nothing_is_held_for_a_step_that_has_ended(doctor: Practitioner, status: str) -> None:
    awaited = builders.step(status=status)
    with pytest.raises(StaleStateError):
        actions.hold(visit(doctor), awaits=awaited, until=NOW + MINUTE, now=NOW)
    assert not Appointment.objects.exists()


def test_the_same_request_again_finds_what_it_made(doctor: Practitioner) -> None:
    wanted = visit(doctor)
    first = actions.book(wanted, now=NOW, request_key="k1")
    assert actions.book(wanted, now=NOW, request_key="k1") == first
    with pytest.raises(SlotTakenError):
        actions.book(wanted, now=NOW, request_key="k2")
    assert Appointment.objects.count() == 1


def test_a_title_too_long_for_its_column_is_cut(doctor: Practitioner) -> None:
    assert len(actions.book(visit(doctor, title="x" * 300), now=NOW).title) == 120


def test_booking_costs_few_statements(doctor: Practitioner, django_assert_max_num_queries: Any) -> None:
    wanted = visit(doctor)
    with django_assert_max_num_queries(
        7
    ):  # on SQLite: savepoint, record, cells, visit, its cells, event, release
        actions.book(wanted, now=NOW)
