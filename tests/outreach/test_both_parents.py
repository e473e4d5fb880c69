"""Two parents live apart, and both are to be told: what one heard, the other hears in a step of its own."""

from datetime import date, timedelta
from typing import Any

import pytest

from journeys.actions import complete_step
from journeys.models import Journey, JourneyStatus, Step, StepKind, StepStatus
from outreach.actions import cancel_for_steps, open_tasks, plan_attempts
from outreach.because import Because
from outreach.calls import call_now, claim_call, record_outcome
from outreach.channels.phone import CallOutcome
from outreach.dispatch import dispatch
from outreach.followup import after_contacts, did_not_arrive
from outreach.models import Attempt, AttemptStatus, TaskStatus
from outreach.reach import Reach
from patients.actions import StaleStateError, add_address
from patients.addresses import TieAnswers, change_tie
from patients.models import AddressKind, AddressStatus, Channel, Patient, Relation
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW
from tests.outreach.conftest import FATHERS, MOTHERS

pytestmark = pytest.mark.django_db
HERS = "+972501112233"


def news(child: Patient, **fields: Any) -> Step:
    """That everything has arrived; the doctor's answer is due tomorrow."""
    journey = builders.journey(child)
    tomorrow = NOW + timedelta(days=1)
    builders.step(journey, kind=StepKind.REVIEW, owner_role="doctor", due_at=tomorrow)
    given = {"kind": StepKind.TELL, "message_key": "result_arrived", "contact_from": NOW, "due_at": tomorrow}
    return builders.step(journey, **{**given, **fields})


def reminder(child: Patient) -> Step:
    """Of a visit tomorrow, whose step goes on after it."""
    given: dict[str, Any] = {"kind": StepKind.VISIT, "message_key": "visit_reminder", "contact_from": NOW}
    step = builders.step(builders.journey(child), due_at=NOW + timedelta(days=2), **given)
    builders.appointment(child, step=step)
    return step


def go_on(minutes: int = 0) -> None:
    """What the workers do in a moment."""
    at = NOW + timedelta(minutes=minutes)
    open_tasks(now=at)
    plan_attempts(now=at)
    dispatch(now=at)


def told() -> list[tuple[str, str]]:
    sent = Attempt.objects.filter(status__in=[AttemptStatus.SENT, AttemptStatus.DELIVERED])
    return list(sent.order_by("sent_at", "pk").values_list("contact_point__value", "body"))


def asked_of(step: Step) -> Step:
    return Step.objects.get(about=step, kind=StepKind.TELL)


def call_to(child: Patient, step: Step) -> Attempt:
    by = builders.user(at=child.clinic)
    return call_now(step, by=by, now=NOW, because="Asked")


def test_both_hear_the_same_once_each(child: Patient) -> None:
    step = news(child)
    go_on()
    assert [number for number, _words in told()] == [MOTHERS]
    other = asked_of(step)
    assert (other.status, other.owner_role) == (StepStatus.ACTIVE, "receptionist")
    assert other.due_at is not None
    assert NOW < other.due_at <= NOW + timedelta(hours=4)
    assert "Tell the other parent" in other.name
    for minutes in (1, 2, 3):
        go_on(minutes)
    (_mothers, words), (number, same_words) = told()
    assert (number, same_words) == (FATHERS, words)
    other.refresh_from_db()
    assert (other.status, other.outcome) == (StepStatus.COMPLETED, "told")
    assert Step.objects.filter(kind=StepKind.TELL).count() == 2


def test_whoever_was_reached_first_the_other_one_follows(child: Patient) -> None:
    child.contacts.filter(contact_point__value=FATHERS).update(rank=1)
    child.contacts.filter(contact_point__value=MOTHERS).update(rank=2)
    news(child)
    go_on()
    go_on(1)
    assert [number for number, _words in told()] == [FATHERS, MOTHERS]


def test_one_home_is_told_once(child: Patient) -> None:
    child.contacts.update(other_parent=False)
    step = news(child)
    go_on()
    assert len(told()) == 1
    assert not Step.objects.filter(about=step).exists()


def test_what_asks_for_an_answer_is_asked_of_one(child: Patient) -> None:
    step = news(child, kind=StepKind.BOOK, message_key="next_step")
    go_on()
    assert len(told()) == 1
    assert not Step.objects.filter(about=step).exists()


def test_what_has_to_be_said_to_one_once_more_is_not_said_twice_to_the_other(child: Patient) -> None:
    """The reminder did not arrive at her mother's, who gets it another way."""
    step = reminder(child)
    go_on()
    go_on(1)
    first = Attempt.objects.get(task__step=step)
    Attempt.objects.filter(pk=first.pk).update(status=AttemptStatus.FAILED, outcome="not_delivered")
    did_not_arrive(first.task, now=NOW)
    go_on(300)
    made = Attempt.objects.get(task__step=step, status__in=["planned", "sent"])
    after_contacts([made.task], now=NOW + timedelta(hours=6))
    assert Step.objects.filter(about=step, kind=StepKind.TELL).count() == 1


def test_a_call_to_one_is_followed_too(child: Patient) -> None:
    step = news(child, contact_from=None)
    made = call_to(child, step)
    record_outcome(made, CallOutcome.SPOKEN, now=NOW)
    other = asked_of(step)
    assert made.contact_point.value == MOTHERS
    go_on(1)
    assert [number for number, _words in told()] == [MOTHERS, FATHERS]
    assert Attempt.objects.get(task__step=other).contact_point.value == FATHERS


def test_by_hand_the_other_one_is_rung_and_not_who_knows_it(child: Patient) -> None:
    step = news(child)
    go_on()
    other = asked_of(step)
    assert call_to(child, other).contact_point.value == FATHERS
    task = builders.task(news(child, about=step, other_parent=True, contact_from=None), plan_from=None)
    mothers = child.contacts.get(contact_point__value=MOTHERS).contact_point
    wrong = builders.attempt(task, channel=Channel.PHONE, contact_point=mothers)
    with pytest.raises(StaleStateError, match="knows it already"):
        claim_call(wrong, by=builders.user(at=child.clinic), now=NOW)


def test_the_trace_says_why_one_address_is_passed_over(child: Patient) -> None:
    step = news(child)
    go_on()
    open_tasks(now=NOW)
    task = asked_of(step).outreach_tasks.get()
    reach = Reach.among([task.pk], now=NOW)
    passed = reach.passed_over(reach.tasks[0])
    mothers = child.contacts.get(contact_point__value=MOTHERS).contact_point_id
    assert {each.because for each in passed if each.contact_point == mothers and each.channel == "sms"} == {
        Because.TOLD_ALREADY
    }


def test_at_the_door_it_is_looked_at_once_more(child: Patient) -> None:
    """Planned for his number, which the desk then says is hers."""
    step = news(child)
    go_on()
    open_tasks(now=NOW)
    plan_attempts(now=NOW)
    child.contacts.update(other_parent=False)
    assert dispatch(now=NOW).sent == 0
    go_on(1)
    other = asked_of(step)
    assert (other.status, other.outcome) == (StepStatus.COMPLETED, "not_needed")
    assert len(told()) == 1


def test_where_his_address_does_not_work_a_person_reaches_him(child: Patient) -> None:
    point = child.contacts.get(contact_point__value=FATHERS).contact_point
    type(point).objects.filter(pk=point.pk).update(status=AddressStatus.BAD)
    step = news(child)
    go_on()
    go_on(1)
    other = asked_of(step)
    call = Step.objects.get(about=other, kind=StepKind.CALL)
    assert "Tell the other parent" in call.name
    assert "no address is left" in call.name
    assert other.status == StepStatus.ACTIVE


def test_who_hears_for_herself_has_no_parents_to_tell(child: Patient) -> None:
    step = news(child)
    Patient.objects.filter(pk=child.pk).update(birth_date=date(2007, 5, 4))
    add_address(child, AddressKind.PHONE, HERS, rank=3)
    go_on()
    assert [number for number, _words in told()] == [HERS]
    assert not Step.objects.filter(about=step).exists()


def test_what_is_kept_from_the_parents_is_told_to_neither(child: Patient) -> None:
    Patient.objects.filter(pk=child.pk).update(birth_date=date(2010, 1, 2))
    add_address(child, AddressKind.PHONE, HERS, rank=3)
    step = news(child)
    Journey.objects.filter(pk=step.journey_id).update(is_confidential=True)
    go_on()
    assert [number for number, _words in told()] == [HERS]
    assert not Step.objects.filter(about=step).exists()


def test_a_journey_ends_only_when_both_were_told(child: Patient) -> None:
    step = builders.step(
        builders.journey(child), kind=StepKind.TELL, message_key="no_visit_needed", contact_from=NOW
    )
    go_on()
    journey = Journey.objects.get(pk=step.journey_id)
    assert journey.status == JourneyStatus.ACTIVE
    go_on(1)
    journey.refresh_from_db()
    assert [number for number, _words in told()] == [MOTHERS, FATHERS]
    assert journey.status == JourneyStatus.COMPLETED


def test_a_call_about_the_reminder_ends_nothing_but_that(child: Patient) -> None:
    step = reminder(child)
    go_on()
    other = asked_of(step)
    made = call_to(child, other)
    record_outcome(made, CallOutcome.SPOKEN, now=NOW)
    step.refresh_from_db()
    other.refresh_from_db()
    assert (step.status, other.status) == (StepStatus.ACTIVE, StepStatus.COMPLETED)


def test_what_nobody_needs_any_more_is_not_told(child: Patient) -> None:
    """She is told of the visit; before he is, it has ended."""
    step = reminder(child)
    go_on()
    open_tasks(now=NOW)
    plan_attempts(now=NOW)
    complete_step(step, "cancelled", now=NOW)
    cancel_for_steps(now=NOW)
    go_on(1)
    other = asked_of(step)
    assert other.status == StepStatus.COMPLETED
    assert other.outreach_tasks.get().status == TaskStatus.CANCELLED
    assert len(told()) == 1


def test_only_a_parents_or_guardians_address_is_the_other_ones(child: Patient) -> None:
    tie = child.contacts.get(contact_point__value=FATHERS)
    change_tie(tie, TieAnswers(relation=Relation.OTHER, other_parent=True))
    tie.refresh_from_db()
    assert not tie.other_parent


def test_the_desk_ticks_it_and_reads_it(child: Patient) -> None:
    client = logged_in("receptionist", child.clinic)
    mothers = child.contacts.get(contact_point__value=MOTHERS)
    address = f"/patients/{child.public_id}/addresses/{mothers.pk}/"
    assert "The other parent’s, who is told too" in client.get(address).content.decode()
    answers = {
        "relation": "other",
        "may_say": "all",
        "may_be_called": "on",
        "rank": "1",
        "other_parent": "on",
    }
    refused = client.post(address, answers)
    assert refused.status_code == 422
    assert "Choose above that it is a parent’s or a guardian’s" in refused.content.decode()
    page = client.post(address, {**answers, "relation": "guardian"}, follow=True).content.decode()
    assert page.count("the other parent’s, who is told too") == 2
    mothers.refresh_from_db()
    assert mothers.other_parent


def test_of_a_grown_up_nobody_is_asked_for_another_parent() -> None:
    patient = builders.patient()
    client = logged_in("receptionist", patient.clinic)
    page = client.get(
        f"/patients/{patient.public_id}/addresses/{patient.contacts.get().pk}/"
    ).content.decode()
    assert "other_parent" not in page
