"""Undo where other parts have gone on meanwhile: the calendar's hours, the waiting list, a time that is kept.

Also where they wrote while the save ran: its second picture shows what others have committed by then.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from appointments import schedules, waitlist
from appointments.models import Appointment, ScheduleException, Slot, SlotUse
from appointments.openings import offer_openings
from appointments.waitlist import Wanted
from clinic_journey.booking import book_from_today
from clinic_journey.desk import Press, save
from clinic_journey.models import DeskAction
from clinic_journey.undo import undo
from journeys.models import StepKind, StepStatus
from outreach.calls import release_visit
from outreach.channels.inbound import Said
from outreach.dispatch import LEASE, dispatch, take
from outreach.models import Attempt, AttemptStatus, Reply
from outreach.replies import receive_reply
from patients.actions import RefusedError, record_consent
from patients.models import Channel, Consent, ConsentStatus, Patient
from tests import builders
from tests.clinic_journey.test_undo import LATER, START, a_call, a_move, ends, here, saved
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


# While the save ran

SOON = NOW + timedelta(seconds=1)  # the clock of whoever wrote then


def writes(words: str) -> str:
    return receive_reply(Said("sms", "phone", "+972502345678", words, at=SOON), now=SOON)


def saved_while(call: Attempt, happens: Callable[[], object]) -> DeskAction:
    """The save of a call that nobody answered, with what happens before it commits."""
    nobody_answers = ends("no_answer")
    return saved(call, lambda claimed, by: (nobody_answers(claimed, by), happens()))


def test_a_stop_that_came_while_a_save_ran_outlives_its_undo() -> None:
    call = a_call()
    action = saved_while(call, lambda: writes("STOP"))
    undo(action, now=LATER, by=action.user)
    assert Reply.objects.get().meaning == "stop"
    consent = Consent.objects.get()
    assert (consent.status, consent.superseded_at) == (ConsentStatus.WITHDRAWN, None)
    last_word = Attempt.objects.get(task__message_key="stopped")
    assert (last_word.status, last_word.task.status) == (AttemptStatus.PLANNED, "open")
    call.refresh_from_db()
    assert call.status == AttemptStatus.PLANNED, "the save itself is taken back"


def test_what_she_asked_while_a_save_ran_stays_with_a_person() -> None:
    call = a_call()
    action = saved_while(call, lambda: writes("When do you open?"))
    undo(action, now=LATER, by=action.user)
    reply = Reply.objects.get()
    assert reply.body == "When do you open?"
    assert reply.matter is not None
    assert reply.matter.status == StepStatus.ACTIVE


def test_what_she_allowed_before_is_not_allowed_again_after_a_stop_meanwhile() -> None:
    call = a_call()
    record_consent(
        call.patient, call.contact_point, Channel.SMS, ConsentStatus.GRANTED, now=NOW - timedelta(days=9)
    )
    action = saved_while(call, lambda: writes("STOP"))
    with pytest.raises(RefusedError, match="What the patient allows was changed"):
        undo(action, now=LATER, by=action.user)
    assert Consent.objects.get(superseded_at=None).status == ConsentStatus.WITHDRAWN


def a_message_to(patient: Patient) -> Attempt:
    step = builders.step(builders.journey(patient), message_key="next_step")
    return builders.attempt(builders.task(step, plan_from=None))


def test_a_message_that_left_while_a_save_ran_does_not_leave_again() -> None:
    call = a_call()
    message = a_message_to(call.patient)
    action = saved_while(call, lambda: dispatch(now=SOON))
    message.refresh_from_db()
    assert message.status == AttemptStatus.SENT
    with pytest.raises(RefusedError, match="was contacted at"):
        undo(action, now=LATER, by=action.user)
    message.refresh_from_db()
    assert message.status == AttemptStatus.SENT
    assert dispatch(now=LATER).sent == 0


def test_a_message_that_the_outbox_took_while_a_save_ran_is_not_planned_under_its_hands() -> None:
    call = a_call()
    message = a_message_to(call.patient)

    def takes() -> None:
        assert take(message.pk, uuid.uuid4(), now=SOON, lasts=LEASE)

    action = saved_while(call, takes)
    with pytest.raises(RefusedError, match="was contacted at"):
        undo(action, now=LATER, by=action.user)
    message.refresh_from_db()
    assert message.status == AttemptStatus.SENDING


def test_a_message_that_was_withdrawn_while_a_save_ran_stays_withdrawn() -> None:
    call = a_call()
    message = a_message_to(call.patient)
    action = saved_while(call, lambda: writes("STOP"))
    with pytest.raises(RefusedError, match="while this was being saved"):
        undo(action, now=LATER, by=action.user)
    message.refresh_from_db()
    assert message.status == AttemptStatus.CANCELLED
