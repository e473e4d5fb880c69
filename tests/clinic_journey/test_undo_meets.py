"""Undo where other parts have gone on meanwhile: the calendar's hours, the waiting list, a time that is kept."""

from datetime import timedelta

import pytest
from django.db import connection

from appointments import schedules, waitlist
from appointments.models import Appointment, ScheduleException, Slot, SlotUse
from appointments.openings import offer_openings
from appointments.waitlist import Wanted
from clinic_journey.booking import book_from_today
from clinic_journey.desk import Press, save
from clinic_journey.undo import undo
from journeys.models import StepKind, StepStatus
from outreach.calls import release_visit
from patients.actions import RefusedError
from tests import builders
from tests.clinic_journey.test_undo import LATER, START, a_move, here
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def away_on_the_old_day(visit: Appointment) -> ScheduleException:
    day = START.date()
    away = ScheduleException(practitioner=visit.practitioner, kind="away", first_on=day, last_on=day)
    schedules.add_exception(away, now=LATER)
    return away


def test_a_move_is_not_undone_into_hours_that_are_no_more() -> None:
    action, visit = a_move()
    away_on_the_old_day(visit)
    assert not Slot.objects.filter(start=START).exists()
    with pytest.raises(RefusedError, match="outside the hours"):
        undo(action, now=LATER, by=action.user)
    connection.check_constraints()
    visit.refresh_from_db()
    assert visit.start == START + timedelta(days=1), "a refused undo changes nothing"


def test_a_move_is_undone_into_the_same_hours_cut_anew() -> None:
    action, visit = a_move()
    visit.practitioner.schedules.update(weekday=START.weekday(), start="00:00", end="23:55")
    schedules.remove_exception(away_on_the_old_day(visit), now=LATER)
    undo(action, now=LATER, by=action.user)
    connection.check_constraints()
    visit.refresh_from_db()
    starts = {use.slot.start for use in SlotUse.objects.filter(appointment=visit)}
    assert visit.start == START == min(starts)


def test_who_waited_for_a_first_date_waits_again_after_undo() -> None:
    builders.messages_loaded()
    patient = builders.patient()
    step, at = builders.step(builders.journey(patient)), here(patient)
    entry = waitlist.wait_for_any(patient, step, Wanted(30), now=NOW)
    builders.open_time(builders.practitioner(patient.clinic), START)

    def books() -> None:
        book_from_today(step, START, call=None, now=NOW, by=at.user)

    action = save(step, Press("booked"), books, here=at)
    offer_openings(now=NOW + timedelta(seconds=15))
    entry.refresh_from_db()
    assert entry.status == "placed"
    undo(action, now=LATER, by=at.user)
    entry.refresh_from_db()
    step.refresh_from_db()
    assert step.status == StepStatus.ACTIVE
    assert (entry.status, entry.ended_at) == ("waiting", None)


def test_who_waited_for_a_sooner_time_waits_again_after_undo() -> None:
    builders.messages_loaded()
    patient = builders.patient()
    step, at = builders.step(builders.journey(patient), kind=StepKind.CONFIRM), here(patient)
    visit = builders.appointment(patient, start=NOW + timedelta(days=14), step=step)
    entry = waitlist.wait_for_sooner(visit, Wanted(30), now=NOW)

    def cancels() -> None:
        release_visit(step, "moving away", now=NOW, by=at.user)

    action = save(step, Press("declined"), cancels, here=at)
    visit.refresh_from_db()
    assert visit.status == "cancelled"
    offer_openings(now=NOW + timedelta(seconds=15))
    entry.refresh_from_db()
    assert entry.status == "expired"
    undo(action, now=LATER, by=at.user)
    entry.refresh_from_db()
    assert (entry.status, entry.ended_at) == ("waiting", None)


def test_who_left_the_list_herself_stays_off_it() -> None:
    builders.messages_loaded()
    patient = builders.patient()
    step, at = builders.step(builders.journey(patient)), here(patient)
    entry = waitlist.wait_for_any(patient, step, Wanted(30), now=NOW)
    action = save(step, Press("kept"), lambda: None, here=at)
    waitlist.leave(entry, now=LATER)
    undo(action, now=LATER, by=at.user)
    entry.refresh_from_db()
    assert entry.status == "withdrawn"
