"""Both parents are to be told, and something happens in between: nobody is left out, nobody hears it twice."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from appointments.models import Appointment
from clinic_journey.caller_facts import card_of
from journeys.actions import complete_step, move_deadline
from journeys.chases import step_at_fault_of
from journeys.models import Journey, JourneyStatus, Step, StepKind, StepStatus
from outreach.calls import record_outcome, release_visit
from outreach.channels.inbound import Said
from outreach.channels.phone import CallOutcome
from outreach.followup import after_contacts, did_not_arrive
from outreach.links_to_messengers import link_for, tie_to_messenger
from outreach.models import NEW_LINK, Attempt, AttemptStatus
from outreach.reach import Reach
from patients.actions import add_address, merge_patients
from patients.models import AddressKind, AddressStatus, ContactPoint, Patient, Relation
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW
from tests.outreach.conftest import FATHERS, MOTHERS, use
from tests.outreach.test_both_parents import (
    HERS,
    asked_of,
    call_to,
    go_on,
    news,
    reminder,
    told,
)

pytestmark = pytest.mark.django_db
MOTHERS_NEW = "+972502345679"


def numbers() -> list[str]:
    return [number for number, _words in told()]


def fails(step: Step, outcome: str = "not_delivered") -> None:
    """The provider reports that the last message about it did not arrive."""
    last = Attempt.objects.filter(task__step=step).latest("pk")
    Attempt.objects.filter(pk=last.pk).update(status=AttemptStatus.FAILED, outcome=outcome)
    did_not_arrive(last.task, now=NOW)


def works(number: str, *, at_all: bool = True) -> None:
    status = AddressStatus.WORKING if at_all else AddressStatus.BAD
    ContactPoint.objects.filter(value=number).update(status=status)


def test_a_persons_own_step_about_it_rings_the_other_parent(child: Patient) -> None:
    works(FATHERS, at_all=False)
    step = news(child)
    go_on()
    go_on(1)
    call = Step.objects.get(about=asked_of(step), kind=StepKind.CALL)
    works(FATHERS)
    made = call_to(child, call)
    assert made.contact_point.value == FATHERS
    record_outcome(made, CallOutcome.SPOKEN, now=NOW)
    assert asked_of(step).outcome == "told"
    assert numbers() == [MOTHERS, FATHERS]


def test_who_asks_to_be_called_later_is_called_and_not_the_one_who_knows(child: Patient) -> None:
    step = news(child)
    go_on()
    made, at = call_to(child, asked_of(step)), NOW + timedelta(hours=2)
    by = builders.user(at=child.clinic)
    record_outcome(made, CallOutcome.CALL_AT, now=NOW, by=by, call_again_at=at)
    promised = Step.objects.get(about=asked_of(step), kind=StepKind.PROMISE)
    assert call_to(child, promised).contact_point.value == FATHERS


def test_that_hers_did_not_arrive_changes_nothing_for_him(child: Patient) -> None:
    """A person calls her; his message goes to him all the same."""
    step = news(child)
    go_on()
    fails(step)
    for minutes in (1, 2):
        go_on(minutes)
    assert numbers() == [FATHERS]
    assert Step.objects.filter(about=step, kind=StepKind.CALL, status=StepStatus.ACTIVE).exists()


def test_a_reminder_that_did_not_arrive_goes_to_her_other_number(child: Patient) -> None:
    step = reminder(child)
    go_on()
    go_on(1)
    works(MOTHERS, at_all=False)
    add_address(child, AddressKind.PHONE, MOTHERS_NEW, relation=Relation.PARENT, rank=3)
    fails(step, "bad_address")
    for minutes in range(2, 400, 60):
        go_on(minutes)
    assert numbers() == [FATHERS, MOTHERS_NEW]


def test_who_could_not_talk_has_not_heard(child: Patient) -> None:
    """She asked to be called later; then he is reached first, and she is told after him."""
    step = news(child, contact_from=None)
    made, at = call_to(child, step), NOW + timedelta(hours=2)
    by = builders.user(at=child.clinic)
    record_outcome(made, CallOutcome.CALL_AT, now=NOW, by=by, call_again_at=at)
    child.contacts.filter(contact_point__value=MOTHERS).update(rank=5)
    record_outcome(call_to(child, step), CallOutcome.SPOKEN, now=NOW)
    for minutes in (1, 2):
        go_on(minutes)
    assert Attempt.objects.get(task__step=asked_of(step)).contact_point.value == MOTHERS


def test_what_was_said_of_a_delay_is_not_the_news_itself(child: Patient) -> None:
    step = news(child, contact_from=None)
    late: dict[str, Any] = {"kind": StepKind.PROMISE, "message_key": "apology", "contact_from": NOW}
    builders.step(step.journey, about=step, due_at=NOW + timedelta(hours=4), **late)
    go_on()
    go_on(1)
    assert numbers() == [MOTHERS, FATHERS]
    child.contacts.filter(contact_point__value=MOTHERS).update(rank=5)
    record_outcome(call_to(child, step), CallOutcome.SPOKEN, now=NOW + timedelta(minutes=1))
    go_on(2)
    assert Attempt.objects.get(task__step=asked_of(step)).contact_point.value == MOTHERS


def test_nobody_hears_that_we_were_late_with_what_is_kept_by_now(child: Patient) -> None:
    journey = builders.journey(child)
    step = builders.step(journey, kind=StepKind.REVIEW, owner_role="doctor", due_at=NOW - timedelta(hours=1))
    builders.step(journey, due_at=NOW + timedelta(days=5))
    late: dict[str, Any] = {"kind": StepKind.PROMISE, "message_key": "apology", "contact_from": NOW}
    builders.step(journey, about=step, due_at=NOW + timedelta(hours=4), **late)
    go_on()
    complete_step(step, "decided", now=NOW)
    for minutes in (1, 2):
        go_on(minutes)
    assert numbers() == [MOTHERS]


def test_of_a_visit_that_is_moved_both_are_told_again(child: Patient) -> None:
    step = reminder(child)
    for minutes in (0, 1, 2):
        go_on(minutes)
    week, visit = timedelta(days=7), Appointment.objects.get()
    Appointment.objects.update(start=visit.start + week, end=visit.end + week)
    move_deadline(step, visit.end + week, now=NOW + timedelta(minutes=30))
    Step.objects.filter(pk=step.pk).update(contact_from=NOW + timedelta(days=1))
    for minutes in range(1440, 1446):
        go_on(minutes)
    assert numbers() == [MOTHERS, FATHERS, MOTHERS, FATHERS]


def test_a_new_link_for_one_tells_the_other_nothing(child: Patient) -> None:
    """It is asked for on a page and goes out about the step of the visit."""
    step = reminder(child)
    Step.objects.filter(pk=step.pk).update(contact_from=None)
    task = builders.task(step, message_key=NEW_LINK, plan_from=None)
    builders.attempt(task, status="sent", sent_at=NOW, called_at=NOW)
    step.refresh_from_db()
    after_contacts([task], now=NOW)
    assert not Step.objects.filter(about=step).exists()


def test_a_call_weeks_before_the_visit_is_no_reminder(child: Patient) -> None:
    step = reminder(child)
    Step.objects.filter(pk=step.pk).update(contact_from=NOW + timedelta(days=18))
    step.refresh_from_db()
    record_outcome(call_to(child, step), CallOutcome.SPOKEN, now=NOW)
    assert not Step.objects.filter(about=step).exists()


def test_it_goes_to_no_child_who_may_be_told_alone_by_now(child: Patient) -> None:
    """He was told; before she is, the girl's matter is kept from both."""
    Patient.objects.filter(pk=child.pk).update(birth_date=date(2010, 1, 2))
    child.contacts.filter(contact_point__value=MOTHERS).update(rank=5)
    step = news(child)
    go_on()
    add_address(child, AddressKind.PHONE, HERS, rank=3)
    Journey.objects.filter(pk=step.journey_id).update(is_confidential=True)
    for minutes in (1, 2):
        go_on(minutes)
    assert numbers() == [FATHERS]
    assert asked_of(step).outcome == "not_needed"


def test_of_a_visit_that_is_off_nobody_is_told_any_more(child: Patient) -> None:
    step = reminder(child)
    asks = builders.step(step.journey, kind=StepKind.CONFIRM)
    go_on()
    release_visit(asks, "We are away", now=NOW, by=None)
    other = asked_of(step)
    assert other.status == StepStatus.CANCELLED
    complete_step(asks, "declined", now=NOW, note="We are away")
    assert Journey.objects.get(pk=step.journey_id).status == JourneyStatus.COMPLETED


def test_who_calls_hears_that_it_is_told_and_waits_for_the_doctor(child: Patient) -> None:
    step = news(child)
    go_on()
    at_fault = step_at_fault_of(child, now=NOW)
    assert at_fault is not None
    assert at_fault.kind == StepKind.REVIEW
    assert card_of(child, child.clinic, now=NOW).first.story.untold_since is None
    assert asked_of(step).status == StepStatus.ACTIVE


def test_what_is_told_again_is_as_pressing_as_the_first_time(child: Patient) -> None:
    """News passes the clinic's own limits, a reminder keeps them for both."""
    for first, passes in ((news(child), True), (reminder(child), False)):
        go_on()
        other = asked_of(first)
        task = builders.task(other, plan_from=None, message_key=other.message_key)
        reach = Reach.among([task.pk], now=NOW)
        assert (reach.past(reach.tasks[0]) == []) is passes
        Step.objects.filter(pk=other.pk).delete()


def test_whose_messenger_it_is_is_said_with_its_link(child: Patient, settings: LazySettings) -> None:
    use(settings, telegram="console")
    settings.TELEGRAM_BOT_NAME = "alon_bot"
    page = f"/patients/{child.public_id}/messenger/"
    client = logged_in("receptionist", child.clinic)
    assert "The other parent’s, who is told too" in client.get(page).content.decode()
    by = builders.user(at=child.clinic)
    link = link_for(child, Relation.PARENT, now=NOW, by=by, other_parent=True)
    said = Said("telegram", AddressKind.TELEGRAM, "777", f"/start {link.rpartition('=')[2]}", NOW)
    tie = tie_to_messenger(said, now=NOW)
    assert tie is not None
    tie.refresh_from_db()
    assert tie.other_parent


def test_both_are_told_under_the_record_that_is_kept(child: Patient) -> None:
    twin = builders.patient(child.clinic, phone=MOTHERS, birth_date=child.birth_date)
    twin.contacts.update(relation=Relation.PARENT)
    add_address(twin, AddressKind.PHONE, FATHERS, rank=2, relation=Relation.PARENT)
    merge_patients(child, twin)
    marked = twin.contacts.filter(other_parent=True)
    assert [tie.contact_point.value for tie in marked] == [FATHERS]


def test_who_asks_us_to_stop_speaks_for_one_parent(child: Patient) -> None:
    """He is left in peace from then on, she is told as before, and no person is asked to reach him."""
    step = news(child)
    go_on()
    record_outcome(call_to(child, asked_of(step)), CallOutcome.ASKED_TO_STOP, now=NOW, note="No more of this")
    go_on(1)
    assert asked_of(step).outcome == "not_needed"
    later = news(child)
    for minutes in (2, 3):
        go_on(minutes)
    assert numbers() == [MOTHERS, FATHERS, MOTHERS]
    assert asked_of(later).outcome == "not_needed"
    assert not Step.objects.filter(kind=StepKind.CALL).exists()


def test_a_stop_of_the_first_parent_leaves_the_news_to_the_other(child: Patient) -> None:
    step = news(child, contact_from=None)
    record_outcome(call_to(child, step), CallOutcome.ASKED_TO_STOP, now=NOW, note="Ask her father")
    for minutes in (1, 200, 400):
        go_on(minutes)
    assert numbers() == [MOTHERS, FATHERS]
    assert Step.objects.get(pk=step.pk).outcome == "told"
