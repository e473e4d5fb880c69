"""A visit as an iCalendar file, read back as RFC 5545 says; and the file on the patient's page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given, strategies as st

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.calendar_file import LINE_OCTETS, Event, calendar_file
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.conftest import NOW

START = datetime(2026, 3, 27, 12, 30, tzinfo=UTC)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120)


def read(file: bytes) -> dict[str, str]:
    """Lines unfolded and texts unescaped; the last of each name."""
    assert file.endswith(b"\r\n")
    whole = file.replace(b"\r\n ", b"").decode().removesuffix("\r\n").split("\r\n")
    found = dict(line.split(":", 1) for line in whole)
    for name in ("SUMMARY", "DESCRIPTION"):
        found[name] = unescaped(found[name])
    return found


def unescaped(text: str) -> str:
    signs: Iterator[str] = iter(text)
    return "".join({"n": "\n"}.get(then := next(signs), then) if sign == "\\" else sign for sign in signs)


@given(summary=WORDS, description=WORDS)
def test_any_words_come_back_as_they_were(summary: str, description: str) -> None:
    event = Event("a@b", START, START + timedelta(minutes=30), summary, f"{description}\nend", START)
    file = calendar_file(event)
    for line in file.split(b"\r\n"):
        assert len(line) <= LINE_OCTETS
        line.decode()  # no character is cut in two
    found = read(file)
    assert (found["SUMMARY"], found["DESCRIPTION"]) == (summary, f"{description}\nend")


def test_times_are_in_utc_and_a_line_break_begins_no_field() -> None:
    east = START.astimezone(ZoneInfo("Asia/Jerusalem"))
    event = Event("a@b", east, east + timedelta(minutes=30), "x\r\nATTENDEE:evil", "a\x00b;c,d\\e", START)
    file = calendar_file(event)
    assert b"DTSTART:20260327T123000Z\r\nDTEND:20260327T130000Z\r\n" in file
    assert b"\r\nATTENDEE" not in file
    assert b"DESCRIPTION:ab\\;c\\,d\\\\e\r\n" in file


@pytest.mark.django_db
@time_machine.travel(NOW, tick=False)
def test_the_visit_of_her_page_says_the_clinic_and_the_time_and_nothing_of_her_care() -> None:
    patient = builders.patient(language="en")
    step = builders.step(builders.journey(patient, title="Tooth 36"), kind="visit")
    visit = builders.appointment(patient, step=step, title="Root canal", start=START)
    page = OwnPage(step.journey)
    assert 'href="' + page.path + 'visit.ics?lang=en"' in page.text()
    answer = page.get("visit.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    found = read(answer.content)
    assert (found["SUMMARY"], found["DTSTART"]) == ("Visit at Alon Clinic", "20260327T123000Z")
    assert found["UID"].startswith(f"{visit.public_id}@")
    said = answer.content.decode()
    for private in ("Tooth", "Root", "Dana", "Levi", "Cohen"):
        assert private not in said


@pytest.mark.django_db
@time_machine.travel(NOW, tick=False)
def test_a_time_that_waits_for_the_doctor_is_in_no_calendar() -> None:
    step = builders.step(builders.journey(builders.patient(language="en")), kind="await_result")
    builders.appointment(
        step.journey.patient,
        awaits=step,
        status=AppointmentStatus.PENDING,
        hold_until=NOW + timedelta(days=1),
    )
    page = OwnPage(step.journey)
    assert "visit.ics" not in page.text()
    assert page.get("visit.ics").status_code == 302
    Appointment.objects.update(status=AppointmentStatus.BOOKED)
    assert page.get("visit.ics").status_code == 200
