"""Thanks after a stage and after a year: once, at most one a month, and never with a word of money."""

from datetime import datetime, timedelta

import pytest
from django.core.management import call_command

from journeys.actions import NewJourney, complete_step, start_journey
from journeys.models import Journey, Step, StepStatus
from outreach.actions import open_tasks, plan_attempts
from outreach.dispatch import dispatch
from outreach.lexicon import Rule
from outreach.links import path_for
from outreach.message_keys import THANKS
from outreach.milestones import YEAR_THANKS, thank_for_a_year
from outreach.models import Attempt, AttemptStatus, MessageTemplate
from outreach.plain_words import findings
from patients.models import Patient, PatientContact
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def patient() -> Patient:
    """With us for a year today, and here a month ago."""
    call_command("load_catalogue", verbosity=0)
    builders.messages_loaded()
    patient = builders.patient()
    Patient.objects.update(since_on=NOW.date() - 365 * DAY)
    builders.appointment(patient, start=NOW - 30 * DAY, status="fulfilled")
    return patient


def tick(now: datetime) -> None:
    for run in (open_tasks, plan_attempts, dispatch):
        run(now=now)


def thanked(patient: Patient) -> list[str]:
    sent = Attempt.objects.filter(patient=patient, status=AttemptStatus.SENT).order_by("sent_at")
    return list(sent.values_list("task__message_key", flat=True))


def stage_ends(patient: Patient, *, now: datetime) -> Step:
    """The visit of a stage took place; what it opens is the thanks."""
    journey = start_journey(patient, NewJourney("next_stage"), now=now)
    complete_step(journey.steps.get(), "booked", now=now)
    complete_step(journey.steps.get(kind="visit"), "attended", now=now)
    return journey.steps.get(kind="thank")


def test_a_year_with_us_is_thanked_for_once(patient: Patient) -> None:
    assert [thank_for_a_year(now=NOW), thank_for_a_year(now=NOW)] == [1, 0]
    tick(NOW)
    assert thanked(patient) == ["thank_year"]
    assert thank_for_a_year(now=NOW + 35 * DAY) == 0
    assert Journey.objects.get(template__key=YEAR_THANKS).status == "completed"


@pytest.mark.parametrize(
    ("since", "visited"), [(364, 30), (406, 30), (365, 370)], ids=["not yet", "long past", "not here since"]
)
def test_nobody_else_is_thanked_for_a_year(patient: Patient, since: int, visited: int) -> None:
    Patient.objects.update(since_on=NOW.date() - since * DAY)
    patient.appointments.update(start=NOW - visited * DAY, end=NOW - visited * DAY + timedelta(minutes=30))
    assert thank_for_a_year(now=NOW) == 0


@pytest.mark.parametrize(("kept", "thanks"), [(True, 0), (False, 1)])
def test_her_mother_does_not_learn_from_our_thanks_that_she_was_here(
    patient: Patient, kept: bool, thanks: int
) -> None:
    visit = builders.step(builders.journey(patient, is_confidential=kept), kind="visit")
    patient.appointments.update(step=visit)
    assert thank_for_a_year(now=NOW) == thanks


def test_the_end_of_a_stage_is_thanked_for_and_then_the_journey_is_over(patient: Patient) -> None:
    thanks = stage_ends(patient, now=NOW)
    tick(NOW)
    assert thanked(patient) == ["thank_stage"]
    thanks.refresh_from_db()
    assert (thanks.outcome, Journey.objects.get(pk=thanks.journey_id).status) == ("told", "completed")


IMAGES = (("await_result", "received"), ("review", "treat"))


@pytest.mark.parametrize(
    ("key", "path", "message"),
    [
        ("first_visit", (("book", "booked"),), "thank_you"),
        ("single_visit", (("book", "booked"),), "thank_you"),
        ("recall", (("recall", "booked"),), "thank_you"),
        ("start_of_treatment", (("book", "booked"),), "thank_stage"),
        ("next_stage", (("book", "booked"),), "thank_stage"),
        ("imaging_treatment", IMAGES, "thank_stage"),
        ("urgent_treatment", IMAGES, "thank_stage"),
    ],
)
def test_every_stage_ends_with_thanks_and_one_question_that_a_tap_answers(
    patient: Patient, key: str, path: tuple[tuple[str, str], ...], message: str
) -> None:
    journey = start_journey(patient, NewJourney(key), now=NOW)
    for kind, outcome in (*path, ("visit", "attended")):
        complete_step(journey.steps.get(kind=kind, status=StepStatus.ACTIVE), outcome, now=NOW)
    tick(NOW)
    sent = Attempt.objects.get(patient=patient, task__message_key__in=THANKS)
    assert (sent.status, sent.task.message_key) == (AttemptStatus.SENT, message)
    assert path_for(journey) in sent.body
    again = stage_ends(patient, now=NOW + DAY)
    tick(NOW + DAY)
    again.refresh_from_db()
    assert again.outcome == "not_needed"


def test_where_no_way_leads_to_her_nobody_is_asked_to_say_thank_you(patient: Patient) -> None:
    PatientContact.objects.update(may_be_called=False, may_say="call_back")
    thanks = stage_ends(patient, now=NOW)
    tick(NOW)
    thanks.refresh_from_db()
    assert (thanks.status, thanks.outcome) == (StepStatus.COMPLETED, "not_needed")
    assert not Step.objects.filter(kind="call").exists()


def test_a_second_thank_you_within_a_month_is_not_sent_and_its_step_is_over(patient: Patient) -> None:
    stage_ends(patient, now=NOW)
    tick(NOW)
    again = stage_ends(patient, now=NOW + 10 * DAY)
    tick(NOW + 10 * DAY)
    again.refresh_from_db()
    assert (again.status, again.outcome) == (StepStatus.COMPLETED, "not_needed")
    assert thanked(patient) == ["thank_stage"]
    later = NOW + 42 * DAY
    stage_ends(patient, now=later)
    tick(later)
    assert thanked(patient) == ["thank_stage", "thank_stage"]


def test_the_thanks_for_the_year_wait_until_a_month_after_others(patient: Patient) -> None:
    stage_ends(patient, now=NOW)
    tick(NOW)
    assert thank_for_a_year(now=NOW) == 0
    assert thank_for_a_year(now=NOW + 31 * DAY) == 1


def test_two_thanks_planned_at_once_become_one(patient: Patient) -> None:
    stage_ends(patient, now=NOW)
    stage_ends(patient, now=NOW)
    tick(NOW)
    tick(NOW + timedelta(hours=1))
    assert thanked(patient) == ["thank_stage"]


def test_thanks_say_nothing_of_money_in_any_language(patient: Patient) -> None:
    texts = MessageTemplate.objects.filter(key__in=THANKS)
    assert texts.count() == 3 * 2 * 4
    money = {Rule.PRICE, Rule.PROMOTION}
    assert not [text for text in texts for found in findings(text.body, text.language) if found.rule in money]
