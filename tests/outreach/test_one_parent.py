"""Two parents are on the list, and one of them is told: nothing goes to the other."""

from datetime import date
from typing import Any

import pytest

from journeys.models import Journey
from outreach.actions import plan_attempts
from outreach.at_once import channels_at
from outreach.because import Because
from outreach.calls import call_now, claim_call
from outreach.closing import merge_records
from outreach.confidence import change_address
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus
from outreach.neglect import neglected, number_to_ring
from outreach.reach import Reach
from patients.actions import RefusedError, StaleStateError, add_address, merge_patients
from patients.addresses import TieAnswers
from patients.models import AddressKind, Channel, MaySay, Patient, PatientContact, Relation
from patients.told import lacks_guardian
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MOTHERS, FATHERS = "+972502345678", "+972547654321"
NOTHING = TieAnswers(relation=Relation.PARENT, may_say=MaySay.NOTHING)


@pytest.fixture
def boy() -> Patient:
    """His father is tried first."""
    builders.messages_loaded()
    boy = builders.patient(phone=MOTHERS, birth_date=date(2018, 5, 4))
    boy.contacts.update(relation=Relation.PARENT, rank=2)
    add_address(boy, AddressKind.PHONE, FATHERS, relation=Relation.PARENT)
    return boy


def at(patient: Patient, value: str) -> PatientContact:
    ties = PatientContact.objects.select_related("contact_point", "patient__clinic")
    return ties.get(patient=patient, contact_point__value=value)


def tell_mother_alone(boy: Patient) -> None:
    change_address(at(boy, FATHERS), NOTHING, now=NOW)


def to_father(boy: Patient, **fields: Any) -> Attempt:
    task = builders.task(builders.step(builders.journey(boy)), plan_from=None)
    return builders.attempt(task, contact_point=at(boy, FATHERS).contact_point, **fields)


def test_planning_goes_to_the_one_who_is_told(boy: Patient) -> None:
    tell_mother_alone(boy)
    task = builders.task(builders.step(builders.journey(boy)))
    reach = Reach.among([task.pk], now=NOW)
    assert Because.NOTHING_SAID in {each.because for each in reach.passed_over(reach.tasks[0])}
    plan_attempts(now=NOW)
    assert Attempt.objects.get().contact_point.value == MOTHERS


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.PHONE])
def test_what_was_planned_to_the_other_goes_another_way_at_once(boy: Patient, channel: str) -> None:
    made = to_father(boy, channel=channel)
    tell_mother_alone(boy)
    made.refresh_from_db()
    assert made.status == AttemptStatus.CANCELLED
    plan_attempts(now=NOW)
    assert Attempt.objects.get(status=AttemptStatus.PLANNED).contact_point.value == MOTHERS


def test_neither_a_message_nor_a_call_leaves_that_was_planned_meanwhile(boy: Patient) -> None:
    message, call = to_father(boy), to_father(boy, channel=Channel.PHONE)
    PatientContact.objects.filter(contact_point__value=FATHERS).update(may_say=MaySay.NOTHING)
    with pytest.raises(StaleStateError, match="not to be called"):
        claim_call(call, by=builders.user(at=boy.clinic), now=NOW)
    assert dispatch(now=NOW).sent == 0
    message.refresh_from_db()
    assert message.status == AttemptStatus.CANCELLED


def test_by_hand_the_mother_is_rung_and_nothing_is_written_to_him(boy: Patient) -> None:
    tell_mother_alone(boy)
    step = builders.step(builders.journey(boy))
    made = call_now(step, by=builders.user(at=boy.clinic), now=NOW, because="Asked")
    assert made.contact_point.value == MOTHERS
    assert number_to_ring(boy, now=NOW) == at(boy, MOTHERS)
    assert channels_at(at(boy, FATHERS)) == []


def test_links_that_he_has_open_nothing_more(boy: Patient) -> None:
    sent = to_father(boy, status="sent", called_at=NOW, sent_at=NOW)
    other = builders.journey(boy)
    tell_mother_alone(boy)
    tell_mother_alone(boy)
    assert Journey.objects.get(pk=sent.task.step.journey_id).link_version == 2
    assert Journey.objects.get(pk=other.pk).link_version == 1


def test_somebody_is_told_in_any_case(boy: Patient) -> None:
    tell_mother_alone(boy)
    with pytest.raises(RefusedError, match="the only address"):
        change_address(at(boy, MOTHERS), NOTHING, now=NOW)
    assert not lacks_guardian(boy, on=NOW.date())
    PatientContact.objects.update(may_say=MaySay.NOTHING)
    assert lacks_guardian(boy, on=NOW.date())
    assert neglected(boy.clinic, now=NOW) == []


def test_it_holds_when_two_records_of_the_child_become_one(boy: Patient) -> None:
    twin = builders.patient(boy.clinic, phone=MOTHERS)
    add_address(twin, AddressKind.PHONE, FATHERS, rank=2, relation=Relation.PARENT)
    tell_mother_alone(boy)
    merge_patients(boy, twin)
    assert (at(twin, FATHERS).may_say, at(twin, MOTHERS).may_say) == (MaySay.NOTHING, MaySay.EVERYTHING)


def test_links_that_he_has_end_when_two_records_of_the_child_become_one(boy: Patient) -> None:
    twin = builders.patient(boy.clinic, phone=MOTHERS, birth_date=boy.birth_date)
    add_address(twin, AddressKind.PHONE, FATHERS, rank=2, relation=Relation.PARENT)
    sent = to_father(twin, status="sent", called_at=NOW, sent_at=NOW)
    tell_mother_alone(boy)
    merge_records(boy, twin, now=NOW)
    assert Journey.objects.get(pk=sent.task.step.journey_id).link_version == 2


def test_the_desk_chooses_it_and_reads_it(boy: Patient) -> None:
    client = logged_in("receptionist", boy.clinic)
    record = f"/patients/{boy.public_id}/"
    address = f"{record}addresses/{at(boy, FATHERS).pk}/"
    assert "Choose “Nothing” for a parent who is not to be told" in client.get(address).content.decode()
    answers = {"relation": "parent", "may_say": "nothing", "may_be_called": "on", "rank": "1"}
    page = client.post(address, answers, follow=True).content.decode()
    assert "Nothing: nobody is called or written to there" in page
    assert at(boy, FATHERS).may_say == MaySay.NOTHING
