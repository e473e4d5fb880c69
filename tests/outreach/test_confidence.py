"""What an adolescent's journey keeps from her parents: at planning, at the door, on the phone and by hand."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import call_command

from appointments.ties import tell_apart
from journeys.actions import NewJourney, complete_step, go_on, start_journey
from journeys.models import Journey, JourneyStatus, StepKind
from outreach.actions import plan_attempts
from outreach.answers import journey_of_a_question
from outreach.because import Because
from outreach.calls import call_now, claim_call
from outreach.confidence import keep_from_parents, tell_parents_again
from outreach.conversations import Way
from outreach.decision_models import Decision
from outreach.dispatch import dispatch
from outreach.door import forbidden_by
from outreach.models import ANSWER, Attempt, AttemptStatus, Reply
from outreach.reach import Reach
from outreach.written import Written, put_out, write_back
from patients.actions import RefusedError, StaleStateError, add_address
from patients.models import AddressKind, Channel, PatientContact, Relation
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MOTHERS = "+972547654321"


@pytest.fixture
def journey() -> Journey:
    """Of a girl of sixteen in Israel; her mother's number is tried first."""
    builders.messages_loaded()
    girl = builders.patient(birth_date=date(2010, 1, 2))
    girl.contacts.update(rank=2)
    add_address(girl, AddressKind.PHONE, MOTHERS, relation=Relation.PARENT)
    return builders.journey(girl)


def keep(journey: Journey) -> None:
    keep_from_parents(journey, now=NOW)
    journey.refresh_from_db()


def tie_of(journey: Journey, relation: Relation) -> PatientContact:
    return PatientContact.objects.select_related("contact_point", "patient").get(
        patient=journey.patient, relation=relation
    )


def to_her_mother(journey: Journey, **fields: Any) -> Attempt:
    task = builders.task(builders.step(journey), plan_from=None)
    return builders.attempt(task, contact_point=tie_of(journey, Relation.PARENT).contact_point, **fields)


def test_her_mother_is_told_until_it_is_kept_from_her(journey: Journey) -> None:
    builders.task(builders.step(journey))
    plan_attempts(now=NOW)
    assert Attempt.objects.get().contact_point.value == MOTHERS
    keep(journey)
    plan_attempts(now=NOW)
    planned = Attempt.objects.get(status=AttemptStatus.PLANNED)
    assert planned.tie is not None
    assert planned.tie.relation == Relation.SELF
    assert Because.IN_CONFIDENCE in {str(each.rules) for each in Decision.objects.filter(kind="stopped")}


def test_other_journeys_of_hers_are_told_as_before(journey: Journey) -> None:
    keep(journey)
    builders.task(builders.step(builders.journey(journey.patient)))
    plan_attempts(now=NOW)
    assert Attempt.objects.get().contact_point.value == MOTHERS


def test_without_an_address_of_her_own_nobody_is_told(journey: Journey) -> None:
    tie_of(journey, Relation.SELF).delete()
    keep(journey)
    task = builders.task(builders.step(journey))
    reach = Reach.among([task.pk], now=NOW)
    assert list(reach.options(reach.tasks[0])) == []
    assert Because.IN_CONFIDENCE in {each.because for each in reach.passed_over(reach.tasks[0])}
    plan_attempts(now=NOW)
    assert not Attempt.objects.exists()


def test_what_was_planned_before_does_not_leave(journey: Journey) -> None:
    made = to_her_mother(journey)
    Journey.objects.update(is_confidential=True)
    made = Attempt.objects.get(pk=made.pk)
    assert forbidden_by(made, now=NOW) == Because.IN_CONFIDENCE
    assert dispatch(now=NOW).sent == 0
    made.refresh_from_db()
    assert made.status == AttemptStatus.CANCELLED


def test_a_call_to_her_mother_cannot_be_taken_any_more(journey: Journey) -> None:
    made = to_her_mother(journey, channel=Channel.PHONE)
    Journey.objects.update(is_confidential=True)
    with pytest.raises(StaleStateError, match="only the patient is told"):
        claim_call(Attempt.objects.get(pk=made.pk), by=builders.user(at=journey.clinic), now=NOW)
    made.refresh_from_db()
    assert made.status == AttemptStatus.CANCELLED


def test_a_call_outside_the_plan_goes_to_her(journey: Journey) -> None:
    keep(journey)
    step = builders.step(journey)
    made = call_now(step, by=builders.user(at=journey.clinic), now=NOW, because="She asked")
    assert made.contact_point == tie_of(journey, Relation.SELF).contact_point


def test_nothing_is_written_to_her_mother_by_hand(journey: Journey) -> None:
    keep(journey)
    assert journey.patient is not None
    written = Written(Way(tie_of(journey, Relation.PARENT), Channel.SMS), "Hello", ANSWER)
    with pytest.raises(RefusedError, match="kept from the parents"):
        put_out(journey, journey.patient, written, now=NOW)
    own = Written(Way(tie_of(journey, Relation.SELF), Channel.SMS), "Hello", ANSWER)
    assert put_out(journey, journey.patient, own, now=NOW).journey_id == journey.pk


def test_an_answer_to_several_matters_is_kept_where_one_of_them_is(journey: Journey) -> None:
    assert journey.patient is not None
    keep(journey)
    for where in (builders.journey(journey.patient), journey):
        matter = builders.step(where, kind=StepKind.CALL)
        said = {"clinic": journey.clinic, "patient": journey.patient, "channel": "sms", "at": NOW}
        Reply.objects.create(body="When?", matter=matter, **said)
    to_parent, to_her = (
        Written(Way(tie_of(journey, relation), Channel.SMS), "At four")
        for relation in (Relation.PARENT, Relation.SELF)
    )
    desk = builders.user(at=journey.clinic)
    with pytest.raises(RefusedError, match="kept from the parents"):
        write_back(journey.patient, to_parent, now=NOW, by=desk)
    assert write_back(journey.patient, to_her, now=NOW, by=desk).journey == journey


def test_links_that_went_to_a_parent_end_once(journey: Journey) -> None:
    before = journey.link_version
    keep(journey)
    keep(journey)
    assert (journey.is_confidential, journey.link_version) == (True, before + 1)
    tell_parents_again(journey)
    journey.refresh_from_db()
    assert (journey.is_confidential, journey.link_version) == (False, before + 1)


@pytest.mark.parametrize("born", [NOW.date().replace(year=2012) + timedelta(days=1), date(1991, 5, 4), None])
def test_it_is_kept_from_the_age_that_the_law_names_until_majority(
    journey: Journey, born: date | None
) -> None:
    assert journey.patient is not None
    journey.patient.birth_date = born
    journey.patient.save()
    with pytest.raises(RefusedError, match="from the age of 14"):
        keep(journey)
    journey.refresh_from_db()
    assert not journey.is_confidential


def test_what_follows_is_kept_from_them_too(journey: Journey) -> None:
    keep(journey)
    follow_up = NewJourney("next_stage", is_confidential=journey.is_confidential)
    call_command("load_catalogue", verbosity=0)
    assert journey.patient is not None
    assert go_on(journey.patient, follow_up, now=NOW).is_confidential
    assert not go_on(journey.patient, NewJourney("next_stage"), now=NOW).is_confidential
    Journey.objects.filter(pk=journey.pk).update(status=JourneyStatus.COMPLETED, ended_at=NOW)
    journey.refresh_from_db()
    assert journey_of_a_question(journey, now=NOW).is_confidential
    apart = tell_apart(journey.pk, lambda: "Off", "visit_to_move", now=NOW)
    assert apart.journey_id != journey.pk
    assert apart.journey.is_confidential


def test_a_recall_after_her_visit_is_kept_from_them(journey: Journey) -> None:
    call_command("load_catalogue", verbosity=0)
    assert journey.patient is not None
    stage = start_journey(journey.patient, NewJourney("next_stage"), now=NOW)
    keep(stage)
    for kind, outcome in (("book", "booked"), ("visit", "attended"), ("thank", "told")):
        complete_step(stage.steps.get(kind=kind), outcome, now=NOW)
    recall = Journey.objects.get(template__key="recall")
    assert recall.is_confidential
