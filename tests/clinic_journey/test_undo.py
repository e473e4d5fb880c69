"""Undo in Today: after each outcome everything is as it was; after each kind of change since, it is refused."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError

from appointments.actions import Visit, book
from appointments.models import Appointment, AppointmentStatus, SlotUse
from appointments.openings import offer_openings
from appointments.waiting_models import Offer, Opening, OpeningStatus, WaitlistEntry
from clinic_journey.booking import book_from_today
from clinic_journey.desk import Press, save
from clinic_journey.models import DeskAction, Serving, SetAside
from clinic_journey.undo import picture, undo
from journeys.actions import NewJourney, complete_step, start_journey
from journeys.models import Step, StepEvent, StepKind, StepStatus
from outreach.actions import open_tasks, plan_attempts
from outreach.by_hand import NotNow, message_now, not_now
from outreach.calls import call_now, claim_call, record_outcome, release_visit
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus, OutreachTask
from patients.access import Here
from patients.actions import RefusedError, mark_address
from patients.models import AddressStatus, Channel, ContactPoint, Patient, Role
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=2)
START = NOW + timedelta(days=1)


def here(patient: Patient, now: datetime = NOW, name: str = "Rina") -> Here:
    user = User.objects.filter(first_name=name).first()
    user = user or builders.user(Role.RECEPTIONIST, at=patient.clinic, first_name=name)
    return Here(user, patient.clinic, Role.RECEPTIONIST, now)


def a_call(**fields: Any) -> Attempt:
    builders.messages_loaded()
    step = builders.step(message_key="next_step", **fields)
    return builders.attempt(builders.task(step, plan_from=None), channel=Channel.PHONE)


def saved(call: Attempt, act: Callable[[Attempt, User], object], what: str = "no_answer") -> DeskAction:
    at = here(call.patient)
    step = call.task.step

    def do() -> None:
        act(claim_call(call, by=at.user, now=NOW), at.user)

    return save(step, Press(what), do, here=at)


def ends(code: str, **said: Any) -> Callable[[Attempt, User], object]:
    return lambda call, by: record_outcome(call, code, now=NOW, by=by, **said)


def waits(call: Attempt, by: User) -> None:
    said = NotNow("money", "after my salary", NOW + timedelta(days=30))
    not_now(call.task.step, said, call=call, now=NOW, by=by)


def writes(call: Attempt, by: User) -> None:
    message_now(call.task.step, call=call, now=NOW, by=by, not_before=NOW + timedelta(seconds=20))


def books(call: Attempt, by: User) -> None:
    doctor = builders.practitioner(call.clinic)
    builders.open_time(doctor, START)
    book_from_today(call.task.step, START, call=call, now=NOW, by=by)


OUTCOMES: dict[str, Callable[[Attempt, User], object]] = {
    "no_answer": ends("no_answer"),
    "message": writes,
    "call_at": ends("call_at", call_again_at=NOW + timedelta(hours=1)),
    "prefers_message": ends("prefers_message"),
    "wrong_number": ends("wrong_number"),
    "not_now": waits,
    "asked_to_stop": ends("asked_to_stop"),
    "needs_doctor": ends("needs_doctor", note="does it hurt", call_again_at=NOW + timedelta(hours=3)),
    "declined": ends("declined", note="no thank you"),
    "booked": books,
}


@pytest.mark.parametrize("what", OUTCOMES)
def test_after_undo_every_row_that_was_there_is_as_it_was(what: str) -> None:
    call = a_call()
    before = picture(call.patient)
    action = saved(call, OUTCOMES[what], what)
    assert picture(call.patient) != before
    undo(action, now=LATER, by=action.user)
    after = picture(call.patient)
    for kind, rows in before.items():
        assert {key: after[kind].get(key) for key in rows} == rows
    for kind in ("step", "task", "attempt", "visit"):
        made = [row for key, row in after[kind].items() if key not in before[kind]]
        assert {row["status"] for row in made} <= {"cancelled"}
    assert after["cell"] == before["cell"]
    assert after["reply"] == before["reply"]
    assert StepEvent.objects.filter(step=action.step, detail__startswith="undone").exists()


@pytest.mark.parametrize("what", OUTCOMES)
def test_undo_comes_in_time_for_what_the_ticks_have_planned_since(what: str) -> None:
    call = a_call()
    action = saved(call, OUTCOMES[what], what)
    soon = NOW + timedelta(seconds=15)
    open_tasks(now=soon)
    plan_attempts(now=soon)
    assert dispatch(now=soon).sent == 0, "nothing leaves before undo is thought of"
    undo(action, now=soon, by=action.user)
    assert Attempt.objects.get(status=AttemptStatus.PLANNED).pk == call.pk


def test_a_call_outside_the_plan_that_is_taken_back_was_no_try() -> None:
    patient = builders.patient()
    step, at = builders.step(builders.journey(patient)), here(patient)

    def call() -> None:
        made = call_now(step, by=at.user, now=NOW, because="she asked for it")
        record_outcome(made, "no_answer", now=NOW, by=at.user)

    action = save(step, Press("no_answer"), call, here=at)
    assert OutreachTask.objects.get().unanswered == 1
    undo(action, now=LATER, by=action.user)
    assert (OutreachTask.objects.get().unanswered, Attempt.objects.get().status) == (0, "cancelled")


def test_a_message_that_has_left_cannot_be_undone() -> None:
    call = a_call()
    action = saved(call, writes, "message")
    message = Attempt.objects.exclude(pk=call.pk).get()
    assert dispatch(now=message.send_at).sent == 1
    with pytest.raises(RefusedError, match="was contacted at"):
        undo(action, now=LATER, by=action.user)
    action.refresh_from_db()
    assert action.undone_at is None


def test_a_message_planned_since_and_sent_cannot_be_undone() -> None:
    call = a_call()
    action = saved(call, ends("prefers_message"), "prefers_message")
    plan_attempts(now=NOW + timedelta(seconds=30))
    planned = Attempt.objects.exclude(pk=call.pk).get()
    assert dispatch(now=planned.send_at).sent == 1
    with pytest.raises(RefusedError, match="was contacted at"):
        undo(action, now=NOW + timedelta(minutes=9), by=action.user)


def test_a_later_save_of_the_same_patient_is_named() -> None:
    call = a_call()
    action = saved(call, ends("no_answer"))
    save(call.task.step, Press("kept"), lambda: None, here=here(call.patient, LATER, "Dan"))
    with pytest.raises(RefusedError, match="Dan saved “Done as promised” at"):
        undo(action, now=LATER, by=action.user)


def test_a_step_that_has_gone_on_is_left_alone() -> None:
    call = a_call()
    action = saved(call, ends("call_at", call_again_at=NOW + timedelta(hours=1)), "call_at")
    complete_step(Step.objects.get(kind=StepKind.PROMISE), "kept", now=LATER)
    with pytest.raises(RefusedError, match="gone on"):
        undo(action, now=LATER, by=action.user)


def test_a_number_that_was_changed_since_is_left_alone() -> None:
    call = a_call()
    action = saved(call, ends("wrong_number"), "wrong_number")
    mark_address(ContactPoint.objects.get(), AddressStatus.WORKING, now=LATER)
    with pytest.raises(RefusedError, match="number was changed"):
        undo(action, now=LATER, by=action.user)


def a_move() -> tuple[DeskAction, Appointment]:
    """A visit moved in Today from START to the day after, so that its old time is free."""
    builders.messages_loaded()
    patient = builders.patient()
    step = builders.step(builders.journey(patient), kind=StepKind.CONFIRM)
    visit = builders.appointment(patient, start=START, step=step)
    builders.open_time(visit.practitioner, START + timedelta(days=1))
    at = here(patient)

    def do() -> None:
        book_from_today(step, START + timedelta(days=1), call=None, now=NOW, by=at.user)

    return save(step, Press("booked"), do, here=at), visit


def test_an_undone_move_takes_the_old_time_again() -> None:
    action, visit = a_move()
    undo(action, now=LATER, by=action.user)
    visit.refresh_from_db()
    assert (visit.start, visit.confirmed_at) == (START, None)
    assert {use.slot.start for use in SlotUse.objects.filter(appointment=visit)} == {
        START + timedelta(minutes=n) for n in range(0, 30, visit.clinic.cell_minutes)
    }


def test_a_time_that_somebody_has_taken_since_is_theirs() -> None:
    action, visit = a_move()
    quick = builders.patient(visit.clinic, given_name="Igor", family_name="Petrov", phone="050-234-5679")
    book(Visit(quick, visit.practitioner, START, 30), now=LATER)
    with pytest.raises(RefusedError, match="Igor Petrov"):
        undo(action, now=LATER, by=action.user)
    visit.refresh_from_db()
    assert visit.start == START + timedelta(days=1), "a refused undo changes nothing"


def somebody_waits(visit: Appointment) -> WaitlistEntry:
    waits = builders.patient(visit.clinic, given_name="Igor", family_name="Petrov", phone="050-234-5679")
    return builders.waiting_entry(waits, now=NOW - timedelta(days=1), practitioner=visit.practitioner)


def a_release() -> tuple[DeskAction, Appointment]:
    """A visit given up in Today in the patient's words, so that its time is free."""
    builders.messages_loaded()
    patient = builders.patient()
    step = builders.step(builders.journey(patient), kind=StepKind.CONFIRM)
    visit = builders.appointment(patient, start=START, step=step)
    at = here(patient)

    def do() -> None:
        release_visit(step, "no thank you", now=NOW, by=at.user)

    return save(step, Press("declined"), do, here=at), visit


@pytest.mark.parametrize("free", [a_move, a_release])
def test_a_time_that_is_taken_back_is_offered_to_nobody(
    free: Callable[[], tuple[DeskAction, Appointment]],
) -> None:
    action, visit = free()
    somebody_waits(visit)
    assert Opening.objects.get(start=START).status == OpeningStatus.OPEN
    undo(action, now=LATER, by=action.user)
    visit.refresh_from_db()
    assert (visit.start, visit.status) == (START, AppointmentStatus.BOOKED)
    assert SlotUse.objects.filter(appointment=visit).count() == len(taken_cells(visit))
    opening = Opening.objects.get(start=START)
    assert (opening.status, opening.wave_from) == (OpeningStatus.GONE, None)
    assert offer_openings(now=LATER) == 0


def taken_cells(visit: Appointment) -> list[datetime]:
    minutes = (visit.end - visit.start) // timedelta(minutes=1)
    return [visit.start + timedelta(minutes=n) for n in range(0, minutes, visit.clinic.cell_minutes)]


@pytest.mark.parametrize("free", [a_move, a_release])
def test_a_time_that_others_were_offered_since_is_not_taken_back(
    free: Callable[[], tuple[DeskAction, Appointment]],
) -> None:
    action, visit = free()
    somebody_waits(visit)
    assert offer_openings(now=NOW + timedelta(minutes=1)) == 1
    visit.refresh_from_db()
    after = (visit.start, visit.status)
    with pytest.raises(RefusedError, match="has been offered to others"):
        undo(action, now=LATER, by=action.user)
    visit.refresh_from_db()
    action.refresh_from_db()
    assert (visit.start, visit.status) == after, "a refused undo changes nothing"
    assert action.undone_at is None
    assert Offer.objects.get().status == "open"


def test_who_got_a_date_that_is_undone_waits_again_in_her_place() -> None:
    builders.messages_loaded()
    call_command("load_catalogue", verbosity=0)
    patient = builders.patient()
    step = start_journey(patient, NewJourney("next_stage"), now=NOW).steps.get()
    builders.open_time(builders.practitioner(patient.clinic), START)
    entry = builders.waiting_entry(step=step)
    at = here(patient)

    def do() -> None:
        book_from_today(step, START, call=None, now=NOW, by=at.user)

    action = save(step, Press("booked"), do, here=at)
    offer_openings(now=NOW + timedelta(minutes=1))
    entry.refresh_from_db()
    assert entry.status == "placed"
    undo(action, now=LATER, by=at.user)
    entry.refresh_from_db()
    assert (entry.status, entry.ended_at, entry.since_at) == ("waiting", None, NOW)


def test_an_offer_that_has_ended_since_is_left_alone() -> None:
    builders.messages_loaded()
    entry = builders.waiting_entry()
    offer = builders.offer(builders.opening(builders.practitioner(entry.clinic), START), entry)
    at = here(entry.patient)

    def do() -> None:
        complete_step(offer.step, "declined", now=NOW, by=at.user, note="too early")

    action = save(offer.step, Press("declined"), do, here=at)
    offer_openings(now=NOW + timedelta(minutes=1))
    with pytest.raises(RefusedError, match="offer to this patient has ended"):
        undo(action, now=LATER, by=at.user)


def test_a_step_open_again_about_an_offer_that_was_over_is_ended_by_the_tick() -> None:
    builders.messages_loaded()
    entry = builders.waiting_entry()
    offer = builders.offer(builders.opening(builders.practitioner(entry.clinic), START), entry)
    Offer.objects.update(status="taken", ended_at=NOW - timedelta(seconds=5))  # somebody else was first
    at = here(entry.patient)
    action = save(offer.step, Press("done"), lambda: complete_step(offer.step, "done", now=NOW), here=at)
    offer_openings(now=NOW + timedelta(minutes=1))
    undo(action, now=LATER, by=at.user)
    offer.step.refresh_from_db()
    assert offer.step.status == StepStatus.ACTIVE
    offer_openings(now=LATER)
    offer.step.refresh_from_db()
    assert (offer.step.status, offer.step.outcome) == (StepStatus.COMPLETED, "taken")


def test_an_undone_booking_frees_its_time_and_can_be_made_again() -> None:
    builders.messages_loaded()
    call_command("load_catalogue", verbosity=0)
    journey = start_journey(builders.patient(), NewJourney("next_stage"), now=NOW)
    step, at = journey.steps.get(), here(journey.patient)  # type: ignore[arg-type]
    builders.open_time(builders.practitioner(journey.clinic), START)

    def do(now: datetime) -> DeskAction:
        def act() -> object:
            return book_from_today(step, START, call=None, now=now, by=at.user)

        return save(step, Press("booked"), act, here=here(journey.patient, now))  # type: ignore[arg-type]

    undo(do(NOW), now=LATER, by=at.user)
    assert not SlotUse.objects.exists()
    step.refresh_from_db()
    do(LATER)
    assert Appointment.objects.get(status=AppointmentStatus.BOOKED).step.round == 2  # type: ignore[union-attr]
    assert Step.objects.get(pk=step.pk).status == StepStatus.COMPLETED


@pytest.mark.parametrize("late", [timedelta(minutes=10), timedelta(days=1)])
def test_undo_ends_after_ten_minutes(late: timedelta) -> None:
    action = saved(a_call(), ends("no_answer"))
    with pytest.raises(RefusedError, match="ten minutes"):
        undo(action, now=NOW + late, by=action.user)


def test_undo_works_once_and_for_whoever_saved() -> None:
    action = saved(a_call(), ends("no_answer"))
    with pytest.raises(RefusedError, match="whoever"):
        undo(action, now=LATER, by=builders.user())
    undo(action, now=LATER, by=action.user)
    with pytest.raises(RefusedError, match="once"):
        undo(action, now=LATER, by=action.user)


# What the database keeps


def test_one_person_serves_a_patient() -> None:
    patient = builders.patient()
    Serving.objects.create(patient=patient, user=builders.user(), until=NOW)
    with pytest.raises(IntegrityError):
        Serving.objects.create(patient=patient, user=builders.user(), until=NOW)


@pytest.mark.parametrize(
    "broken", [{"kind": "lost"}, {"kind": "parked", "until": NOW}, {"kind": "skipped", "until": None}]
)
def test_a_row_is_set_aside_in_one_of_two_ways(broken: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        SetAside.objects.create(user=builders.user(), step=builders.step(), **broken)


def test_a_row_is_set_aside_once_by_one_person() -> None:
    user, step = builders.user(), builders.step()
    SetAside.objects.create(user=user, step=step, kind="parked")
    with pytest.raises(IntegrityError):
        SetAside.objects.create(user=user, step=step, kind="skipped", until=NOW)


@pytest.mark.parametrize("broken", [{"request_key": "k"}, {"undone_at": NOW + timedelta(hours=1)}])
def test_a_save_is_written_once_and_undone_in_time(broken: dict[str, Any]) -> None:
    step = builders.step()
    given = {
        "clinic": step.clinic,
        "user": builders.user(),
        "patient": step.journey.patient,
        "step": step,
        "what": "kept",
        "at": NOW,
        "undo_until": NOW + timedelta(minutes=10),
    }
    DeskAction.objects.create(**given, request_key="k")
    with pytest.raises(IntegrityError):
        DeskAction.objects.create(**{**given, **broken})
