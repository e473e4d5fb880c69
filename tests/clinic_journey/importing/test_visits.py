"""Visits from a file go through the calendar, which may refuse them; twice is once, and taken back."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from appointments.actions import confirm
from appointments.models import Appointment, AppointmentStatus, SlotUse
from clinic_journey.importing import actions, queries
from journeys.actions import AdHoc, add_step
from journeys.models import Journey, Step, StepKind
from patients.models import Patient
from tests import builders
from tests.clinic_journey.importing.files import (
    checked,
    csv_file,
    imported,
    problems,
    states,
    undone,
    until_idle,
)
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HEADER = ("ID number", "Name", "Phone", "Doctor", "Date", "Time", "Minutes", "Treatment")
ID = "123456782"
ROW = (ID, "Dana Levi", "", "Dr. Cohen", "10.3.2026", "09:00", "30", "Check-up")
KIND = "appointments"
MINUTE = timedelta(minutes=1)


def changed(**cells: str) -> tuple[str, ...]:
    given = dict(zip(HEADER, ROW, strict=True)) | {
        name.replace("_", " "): text for name, text in cells.items()
    }
    return tuple(given.values())


@pytest.fixture
def dana() -> Patient:
    """A clinic with a patient and a doctor, who receives on Tuesday 10 March from 9 to 12."""
    dana = builders.patient(builders.clinic(language="en"), national_id=ID)
    doctor = builders.practitioner(dana.clinic)
    builders.open_time(doctor, datetime(2026, 3, 10, 9, tzinfo=ZoneInfo("Asia/Jerusalem")), minutes=180)
    return dana


def test_a_visit_is_booked_in_the_calendar(dana: Patient) -> None:
    run = imported(dana.clinic, csv_file(HEADER, ROW), KIND)
    assert states(run) == ["made"]
    visit = Appointment.objects.get()
    assert (visit.patient, visit.status, visit.title) == (dana, AppointmentStatus.BOOKED, "Check-up")
    assert visit.start == datetime(2026, 3, 10, 9, tzinfo=ZoneInfo("Asia/Jerusalem"))
    assert (visit.end - visit.start, SlotUse.objects.count()) == (timedelta(minutes=30), 3)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"ID_number": "039337423"}, "patient_unknown"),
        ({"ID_number": "123456789"}, "id_wrong"),
        ({"Doctor": "Dr Who"}, "doctor_unknown"),
        ({"Doctor": ""}, "doctor_unknown"),
        ({"Date": "soon"}, "start_unreadable"),
        ({"Time": ""}, "start_unreadable"),
        ({"Date": "9.3.2025"}, "start_past"),
        ({"Minutes": "25"}, "minutes_wrong"),
        ({"Minutes": "long"}, "minutes_wrong"),
        ({"Time": "19:00"}, "outside_hours"),
        ({"Time": "09:05"}, "outside_hours"),
    ],
)
def test_each_problem_has_its_own_name(dana: Patient, cells: dict[str, str], code: str) -> None:
    run = checked(dana.clinic, csv_file(HEADER, changed(**cells)), KIND)
    assert [found for _row, found in problems(run)] == [code]
    (group,) = queries.problem_groups(run)
    assert group.examples[0].expected
    assert "%(" not in group.examples[0].expected


def test_a_length_that_does_not_fit_hides_no_other_problem(dana: Patient) -> None:
    rows = changed(Minutes="25"), changed(Minutes="25", ID_number="039337423", Time="10:00")
    content = csv_file(HEADER, *rows)
    assert problems(checked(dana.clinic, content, KIND)) == [
        (2, "minutes_wrong"),
        (3, "minutes_wrong"),
        (3, "patient_unknown"),
    ]
    assert states(imported(dana.clinic, content, KIND, left_empty=["minutes_wrong"])) == ["made", "refused"]


def test_the_doctor_is_found_by_a_part_of_the_name_if_only_one_has_it(dana: Patient) -> None:
    builders.practitioner(dana.clinic, name="Dr Tal Shaham")
    assert states(checked(dana.clinic, csv_file(HEADER, changed(Doctor="cohen")), KIND)) == ["ready"]
    run = checked(dana.clinic, csv_file(HEADER, changed(Doctor="Nobody")), KIND)
    assert "Dr Tal Shaham" in queries.problem_groups(run)[0].examples[0].expected


def test_a_patient_is_found_by_phone_and_name(dana: Patient) -> None:
    row = changed(ID_number="", Phone="050-234-5678")
    assert states(imported(dana.clinic, csv_file(HEADER, row), KIND)) == ["made"]
    stranger = changed(ID_number="", Phone="050-234-5678", Name="Noa Levi", Time="10:00")
    assert problems(checked(dana.clinic, csv_file(HEADER, stranger), KIND)) == [(2, "patient_unknown")]


def test_a_taken_time_is_said_before_and_at_the_writing(dana: Patient) -> None:
    other = builders.patient(dana.clinic, given_name="Avi", phone="058-765-4321")
    doctor = dana.clinic.practitioners.get()
    start = datetime(2026, 3, 10, 9, tzinfo=ZoneInfo("Asia/Jerusalem"))
    builders.appointment(other, practitioner=doctor, start=start)
    assert problems(checked(dana.clinic, csv_file(HEADER, ROW), KIND)) == [(2, "taken")]
    later = checked(dana.clinic, csv_file(HEADER, changed(Time="10:00")), KIND)
    builders.appointment(other, practitioner=doctor, start=start + timedelta(hours=1))
    actions.start(later, now=NOW)
    run = until_idle(later)
    assert states(run) == ["refused"]
    assert "Avi Levi" in run.rows.get().note


def test_the_same_file_twice_changes_nothing_even_when_the_day_has_passed(dana: Patient) -> None:
    content = csv_file(HEADER, ROW, changed(Time="10:00"))
    imported(dana.clinic, content, KIND)
    before = list(Appointment.objects.values_list("pk", "start", "status"))
    assert states(imported(dana.clinic, content, KIND)) == ["found", "found"]
    assert states(imported(dana.clinic, content, KIND, now=NOW + timedelta(days=9))) == ["found", "found"]
    assert list(Appointment.objects.values_list("pk", "start", "status")) == before


def test_a_visit_booked_by_hand_is_known(dana: Patient) -> None:
    start = datetime(2026, 3, 10, 9, tzinfo=ZoneInfo("Asia/Jerusalem"))
    builders.appointment(dana, practitioner=dana.clinic.practitioners.get(), start=start)
    assert states(imported(dana.clinic, csv_file(HEADER, ROW), KIND)) == ["found"]
    assert Appointment.objects.count() == 1


def test_the_same_visit_twice_in_a_file_is_a_repetition(dana: Patient) -> None:
    assert problems(checked(dana.clinic, csv_file(HEADER, ROW, ROW), KIND)) == [(3, "repeated")]


def test_undoing_gives_the_time_back_unless_the_visit_was_touched(dana: Patient) -> None:
    run = imported(dana.clinic, csv_file(HEADER, ROW, changed(Time="10:00")), KIND)
    confirm(Appointment.objects.order_by("start")[0], now=NOW)
    assert states(undone(run)) == ["kept", "taken_back"]
    assert "changed since" in run.rows.get(state="kept").note
    assert (Appointment.objects.count(), SlotUse.objects.count()) == (1, 3)


def test_an_imported_visit_has_a_journey_that_reminds_of_it(dana: Patient) -> None:
    call_command("load_catalogue", verbosity=0)
    imported(dana.clinic, csv_file(HEADER, ROW), KIND)
    visit = Appointment.objects.get()
    assert visit.step
    assert (visit.step.kind, visit.step.status, visit.step.due_at) == ("visit", "active", visit.end)
    assert visit.step.contact_from
    assert visit.step.journey.steps.exclude(status="completed").count() == 1


@pytest.mark.parametrize("catalogue", [True, False])
def test_undoing_a_visit_takes_its_journey_along(dana: Patient, catalogue: bool) -> None:
    if catalogue:
        call_command("load_catalogue", verbosity=0)
    run = imported(dana.clinic, csv_file(HEADER, ROW), KIND)
    assert Journey.objects.count() == 1
    assert states(undone(run)) == ["taken_back"]
    assert (Appointment.objects.count(), Journey.objects.count(), Step.objects.count()) == (0, 0, 0)


def test_a_visit_whose_journey_was_worked_on_stays(dana: Patient) -> None:
    run = imported(dana.clinic, csv_file(HEADER, ROW), KIND)
    step = Step.objects.get(kind="visit")
    add_step(
        step.journey, AdHoc(StepKind.CALL, "Ask about the bus", NOW + timedelta(hours=1)), now=NOW + MINUTE
    )
    assert states(undone(run)) == ["kept"]
    assert Appointment.objects.count() == 1
