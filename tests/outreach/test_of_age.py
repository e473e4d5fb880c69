"""Birthdays that change who is told: what was planned before them, and the question how to reach who is of age now."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from journeys.models import Journey, Step, StepKind
from outreach.actions import plan_attempts
from outreach.anew import plan_after_birthdays
from outreach.because import Because
from outreach.calls import claim_call
from outreach.confidence import change_address
from outreach.contact_models import CameOfAge
from outreach.decision_models import Decision
from outreach.dispatch import dispatch
from outreach.models import ANSWER, NEW_LINK, Attempt, AttemptStatus
from outreach.of_age import ask_who_came_of_age
from outreach.queries import calls_now
from patients.actions import StaleStateError, add_address
from patients.addresses import TieAnswers
from patients.models import AddressKind, AddressStatus, Channel, Patient, PatientContact, Relation
from patients.told import lacks_own_address
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
YESTERDAY = NOW - DAY
OWN, MOTHERS = "+972502345678", "+972547654321"
EIGHTEEN, FIFTEEN = date(2008, 3, 9), date(2011, 3, 9)  # her birthday is on the day of NOW


def girl(born: date | None = EIGHTEEN, country: str = "IL", **fields: Any) -> Patient:
    """Her own number comes after her mother's."""
    builders.messages_loaded()
    where = fields.pop("at", None) or builders.clinic(country=country)
    made = builders.patient(where, birth_date=born, phone=OWN, **fields)
    made.contacts.update(rank=2)
    add_address(made, AddressKind.PHONE, MOTHERS, relation=Relation.PARENT)
    return made


def planned_to(patient: Patient, relation: Relation = Relation.PARENT, **fields: Any) -> Attempt:
    """As it was planned the day before."""
    tie = PatientContact.objects.select_related("contact_point").get(patient=patient, relation=relation)
    task = builders.task(builders.step(builders.journey(patient)), plan_from=None, **fields.pop("task", {}))
    return builders.attempt(task, contact_point=tie.contact_point, **fields)


def value_of(planned: Attempt) -> str:
    return planned.contact_point.value


def again(attempt: Attempt) -> Attempt:
    return Attempt.objects.get(pk=attempt.pk)


def test_a_message_that_was_planned_to_her_mother_does_not_leave_on_the_birthday() -> None:
    made = planned_to(girl())
    assert dispatch(now=NOW).sent == 0
    assert again(made).status == AttemptStatus.CANCELLED
    assert Because.NO_LONGER_TOLD in {str(each.rules) for each in Decision.objects.filter(kind="stopped")}
    plan_attempts(now=NOW)
    assert value_of(Attempt.objects.get(status=AttemptStatus.PLANNED)) == OWN


def test_the_day_before_it_leaves() -> None:
    made = planned_to(girl(EIGHTEEN + DAY))
    builders.opened(made.clinic)
    dispatch(now=NOW)
    assert again(made).status == AttemptStatus.SENT


def test_what_somebody_waits_for_goes_to_where_she_wrote_from() -> None:
    made = planned_to(girl(), task={"message_key": ANSWER}, body="At four.", language="en")
    builders.opened(made.clinic)
    dispatch(now=NOW)
    assert again(made).status == AttemptStatus.SENT


@pytest.mark.parametrize(
    ("born", "country", "stays"),
    [(EIGHTEEN, "IL", False), (EIGHTEEN + DAY, "IL", True), (FIFTEEN, "RU", False), (FIFTEEN, "IL", True)],
)
def test_a_call_to_a_parent_leaves_the_list_on_the_birthday(born: date, country: str, stays: bool) -> None:
    made = planned_to(girl(born, country), channel=Channel.PHONE)
    assert plan_after_birthdays(now=NOW) == (0 if stays else 1)
    assert list(calls_now(Attempt.objects.all(), now=NOW)) == ([made] if stays else [])
    plan_attempts(now=NOW)
    assert value_of(Attempt.objects.get(status=AttemptStatus.PLANNED)) == (MOTHERS if stays else OWN)


@pytest.mark.parametrize("spoilt", [False, True])
def test_before_majority_the_parent_stays_where_no_own_address_works(spoilt: bool) -> None:
    adolescent = girl(FIFTEEN, "RU")
    if spoilt:
        adolescent.contacts.get(relation=Relation.SELF).contact_point.__class__.objects.filter(
            value=OWN
        ).update(status=AddressStatus.BAD)
    planned_to(adolescent, channel=Channel.PHONE)
    assert plan_after_birthdays(now=NOW) == (0 if spoilt else 1)


def test_a_legal_guardian_of_the_grown_up_is_told_as_before() -> None:
    patient = girl()
    patient.contacts.filter(relation=Relation.PARENT).update(relation=Relation.GUARDIAN)
    made = planned_to(patient, Relation.GUARDIAN, channel=Channel.PHONE)
    assert plan_after_birthdays(now=NOW) == 0
    assert claim_call(made, by=builders.user(at=made.clinic), now=NOW).status == AttemptStatus.SENDING


def test_a_call_to_her_mother_cannot_be_taken_any_more() -> None:
    made = planned_to(girl(), channel=Channel.PHONE)
    with pytest.raises(StaleStateError, match="By the patient's age"):
        claim_call(made, by=builders.user(at=made.clinic), now=NOW)
    assert again(made).status == AttemptStatus.CANCELLED


def asked() -> list[Step]:
    return list(Step.objects.filter(kind=StepKind.CALL).order_by("pk"))


def test_she_is_asked_once_how_to_be_reached() -> None:
    journey = builders.journey(girl())
    assert [ask_who_came_of_age(now=NOW), ask_who_came_of_age(now=NOW + DAY)] == [1, 0]
    (step,) = asked()
    assert (step.journey, step.owner_role, step.status) == (journey, "receptionist", "active")
    assert step.due_at is not None
    assert step.due_at > NOW + 4 * DAY
    assert "is of age now: ask how we reach the patient" in step.names["en"]


@pytest.mark.parametrize("born", [EIGHTEEN + DAY, date(2007, 3, 1), date(1991, 5, 4), None])
def test_nobody_else_is_asked(born: date | None) -> None:
    patient = girl()
    Patient.objects.filter(pk=patient.pk).update(birth_date=born)
    builders.journey(patient)
    assert (ask_who_came_of_age(now=NOW), asked()) == (0, [])


def test_her_birthday_begins_on_her_own_clock() -> None:
    builders.journey(girl(EIGHTEEN - DAY, at=builders.clinic(country="US", time_zone="America/Los_Angeles")))
    midnight_utc = NOW.replace(day=8, hour=0)
    assert [ask_who_came_of_age(now=midnight_utc), ask_who_came_of_age(now=midnight_utc + DAY / 2)] == [0, 1]


def test_who_has_no_parent_on_the_list_is_reached_as_before() -> None:
    patient = girl()
    patient.contacts.filter(relation=Relation.PARENT).delete()
    builders.journey(patient)
    assert (ask_who_came_of_age(now=NOW), asked()) == (0, [])


def test_where_only_parents_are_on_the_list_the_desk_sees_it() -> None:
    patient = girl()
    patient.contacts.filter(relation=Relation.SELF).delete()
    builders.journey(patient)
    assert ask_who_came_of_age(now=NOW) == 1
    assert "only parents are on the list" in asked()[0].names["en"]
    assert lacks_own_address(patient, list(patient.contacts.all()), on=NOW.date())
    assert not lacks_own_address(patient, list(patient.contacts.all()), on=YESTERDAY.date())
    client = logged_in("receptionist", patient.clinic)
    with_it = client.get(f"/patients/{patient.public_id}/").content.decode()
    assert "Of age, and only parents are on the list" in with_it
    add_address(patient, AddressKind.PHONE, OWN)
    without = client.get(f"/patients/{patient.public_id}/").content.decode()
    assert "Of age, and only parents are on the list" not in without


def test_where_no_birthday_is_known_the_desk_reads_why_parents_are_told_nothing() -> None:
    patient = girl(None)
    patient.contacts.filter(relation=Relation.SELF).delete()
    page = logged_in("receptionist", patient.clinic).get(f"/patients/{patient.public_id}/").content.decode()
    assert "No date of birth is known" in page
    assert "Of age, and only parents are on the list" not in page


def test_links_that_went_to_her_mother_end_and_hers_do_not() -> None:
    patient = girl()
    sent = {"status": "sent", "send_at": YESTERDAY, "called_at": YESTERDAY, "sent_at": YESTERDAY}
    to_mother, to_her = (
        planned_to(patient, relation, **sent) for relation in (Relation.PARENT, Relation.SELF)
    )
    never_left = planned_to(patient)
    assert ask_who_came_of_age(now=NOW) == 1
    versions = {
        attempt: Journey.objects.get(steps__outreach_tasks__attempts=attempt).link_version
        for attempt in (to_mother, to_her, never_left)
    }
    assert versions == {to_mother: 2, to_her: 1, never_left: 1}


def test_a_new_link_that_her_mother_asked_for_the_evening_before_does_not_reach_her() -> None:
    made = planned_to(girl(), task={"message_key": NEW_LINK})
    assert dispatch(now=NOW).sent == 0
    assert again(made).status == AttemptStatus.CANCELLED


@pytest.mark.parametrize(("born", "version"), [(EIGHTEEN, 2), (FIFTEEN, 1), (None, 2)])
def test_an_address_that_turns_out_to_be_a_parents_has_no_link_of_the_grown_up(
    born: date | None, version: int
) -> None:
    sent = planned_to(girl(born), Relation.SELF, status="sent", called_at=YESTERDAY, sent_at=YESTERDAY)
    tie = PatientContact.objects.select_related("contact_point", "patient__clinic").get(
        contact_point=sent.contact_point
    )
    change_address(tie, TieAnswers(relation=Relation.PARENT), now=NOW)
    assert Journey.objects.get(pk=sent.task.step.journey_id).link_version == version


def test_who_is_with_us_for_nothing_is_asked_when_she_comes_again() -> None:
    patient = girl()
    builders.journey(patient, status="completed", ended_at=NOW)
    assert (ask_who_came_of_age(now=NOW), asked()) == (1, [])


def test_what_is_kept_from_nobody_is_asked_in_first() -> None:
    patient = girl()
    plain = builders.journey(patient)
    builders.journey(patient, is_confidential=True, now=NOW + DAY)
    ask_who_came_of_age(now=NOW)
    assert asked()[0].journey == plain


def test_the_database_keeps_it_at_once() -> None:
    patient = girl()
    CameOfAge.objects.create(patient=patient, at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        CameOfAge.objects.create(patient=patient, at=NOW)


def test_as_many_statements_for_one_as_for_three() -> None:
    where = builders.clinic()

    def statements(patients: int) -> int:
        for _n in range(patients):
            builders.journey(girl(at=where))
        with CaptureQueriesContext(connection) as captured:
            assert ask_who_came_of_age(now=NOW) == patients
        return len(captured)

    assert statements(1) == statements(3)
