"""Whether an adolescent's own address is surely hers alone: else nothing that is kept from her parents goes there."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from journeys.models import Journey, StepKind
from outreach.actions import plan_attempts
from outreach.because import Because
from outreach.calls import call_now, claim_call
from outreach.confidence import change_address, keep_from_parents
from outreach.conversations import Way
from outreach.dispatch import dispatch
from outreach.door import forbidden_by
from outreach.models import ANSWER, Attempt, AttemptStatus
from outreach.neglect import number_to_ring
from outreach.not_me import correct_address, remove_address
from outreach.reach import Reach
from outreach.written import Written, put_out
from patients.actions import RefusedError, StaleStateError, add_address, merge_patients
from patients.addresses import (
    TieAnswers,
    add_tie,
    change_tie,
    confirm_alone,
    known_as,
    suspend_ties,
    trust_tie,
)
from patients.models import AddressKind, Channel, Patient, PatientContact, PatientStatus, Relation
from patients.told import SURELY_HERS, is_surely_hers, others_on, perhaps_not_hers_alone, with_sharing
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
PHONE, MOTHERS = "+972502345678", "+972547654321"
SIXTEEN, ADULT = date(2010, 1, 2), date(1980, 1, 2)


@pytest.fixture
def journey() -> Journey:
    """Kept from the parents of a girl of sixteen, with one number that was typed as her own."""
    builders.messages_loaded()
    girl = builders.patient(phone=PHONE, birth_date=SIXTEEN)
    made = builders.journey(girl)
    keep_from_parents(made, now=NOW)
    made.refresh_from_db()
    return made


def own(journey: Journey) -> PatientContact:
    ties = with_sharing(PatientContact.objects.select_related("contact_point", "patient__clinic"))
    return ties.get(patient=journey.patient, contact_point__value=PHONE)


def on_it_too(journey: Journey, relation: str = Relation.SELF, **fields: Any) -> Patient:
    """Somebody else of the clinic with the same number."""
    other = builders.patient(journey.clinic, phone=MOTHERS, **{"birth_date": ADULT, **fields})
    add_address(other, AddressKind.PHONE, PHONE, rank=2, relation=relation)
    return other


def asked(tie: PatientContact) -> None:
    """The desk asked her, knowing of everybody who is there now."""
    confirm_alone(tie, [known_as(each) for each in others_on([tie])[tie.pk]], now=NOW)


def is_hers(journey: Journey) -> bool:
    """As the database says it and as Python does, with and without what was read for many."""
    tie = own(journey)
    bare = PatientContact.objects.get(pk=tie.pk)
    said = {
        is_surely_hers(tie),
        is_surely_hers(bare),
        PatientContact.objects.filter(SURELY_HERS, pk=tie.pk).exists(),
    }
    assert len(said) == 1
    return said.pop()


@pytest.mark.parametrize(
    ("relation", "born", "hers"),
    [
        (Relation.SELF, ADULT, False),  # her mother's own
        (Relation.SELF, date(2014, 1, 2), False),  # typed for each child of the family
        (Relation.PARENT, date(2014, 1, 2), False),  # of her brother's parent
        (Relation.GUARDIAN, date(2014, 1, 2), False),
        (Relation.OTHER, ADULT, True),  # a friend named her
    ],
)
def test_who_else_is_on_an_address_puts_it_in_doubt(
    journey: Journey, relation: str, born: date, hers: bool
) -> None:
    assert is_hers(journey)
    on_it_too(journey, relation, birth_date=born)
    assert is_hers(journey) == hers
    assert perhaps_not_hers_alone([own(journey)]) == ([] if hers else [own(journey)])


@pytest.mark.parametrize("goes", ["removed", "corrected"])
def test_links_of_what_is_kept_end_where_the_address_is_taken_off_the_list(
    journey: Journey, goes: str
) -> None:
    builders.attempt(
        builders.task(builders.step(journey), plan_from=None), status="sent", called_at=NOW, sent_at=NOW
    )
    before, desk = journey.link_version, builders.user(at=journey.clinic)
    add_address(own(journey).patient, AddressKind.PHONE, MOTHERS, rank=2)
    if goes == "removed":
        remove_address(own(journey), now=NOW, by=desk)
    else:
        correct_address(own(journey), "+972542345670", now=NOW, by=desk)
    journey.refresh_from_db()
    assert journey.link_version == before + 1


@pytest.mark.parametrize("whose", ["her mother's record", "her own record"])
@pytest.mark.parametrize(
    "kinds", [(AddressKind.PHONE, AddressKind.WHATSAPP), (AddressKind.WHATSAPP, AddressKind.PHONE)]
)
def test_a_messenger_on_the_number_of_a_parent_is_in_doubt(
    journey: Journey, kinds: tuple[AddressKind, AddressKind], whose: str
) -> None:
    """A WhatsApp identity is typed as the number that the patient names for it."""
    girl = own(journey).patient
    values = {AddressKind.PHONE: MOTHERS, AddressKind.WHATSAPP: MOTHERS.lstrip("+")}
    hers, mothers = kinds
    tie = add_address(girl, hers, values[hers], rank=2)
    assert is_surely_hers(tie)
    mother = builders.patient(journey.clinic, phone="+972542345670", birth_date=ADULT)
    if whose == "her own record":
        add_address(girl, mothers, values[mothers], rank=3, relation=Relation.PARENT)
    else:
        add_address(mother, mothers, values[mothers])
    assert not is_surely_hers(tie)
    assert tie in perhaps_not_hers_alone(with_sharing(girl.contacts.all()))
    asked(tie)
    tie.refresh_from_db()
    assert is_surely_hers(tie)
    grandmother = builders.patient(journey.clinic, phone="+972542345671", birth_date=ADULT)
    add_address(grandmother, mothers, values[mothers])
    tie.refresh_from_db()
    assert not is_surely_hers(tie)


def test_her_own_messenger_on_her_own_number_is_hers(journey: Journey) -> None:
    add_address(own(journey).patient, AddressKind.WHATSAPP, PHONE.lstrip("+"), rank=2)
    assert is_hers(journey)


def test_a_second_record_of_hers_puts_nothing_in_doubt(journey: Journey) -> None:
    twin = on_it_too(journey)
    Patient.objects.filter(pk=twin.pk).update(status=PatientStatus.MERGED, merged_into=journey.patient)
    assert is_hers(journey)


def test_what_her_other_record_calls_a_parents_is_not_hers_for_that_the_two_became_one(
    journey: Journey,
) -> None:
    twin = on_it_too(journey, Relation.PARENT)
    merge_patients(twin, own(journey).patient)
    assert not is_hers(journey)


def test_what_somebody_denied_under_her_other_record_is_asked_anew(journey: Journey) -> None:
    twin, friend = on_it_too(journey), on_it_too(journey, given_name="Noa")
    asked(own(journey))
    suspend_ties(twin, [own(journey).contact_point], now=NOW)
    merge_patients(twin, own(journey).patient)
    trust_tie(own(journey))
    assert friend.status == PatientStatus.ACTIVE
    assert not is_hers(journey)


def test_another_clinics_patients_are_on_another_address(journey: Journey) -> None:
    builders.patient(phone=PHONE, birth_date=ADULT)
    assert is_hers(journey)


def test_what_she_says_herself_settles_it(journey: Journey) -> None:
    on_it_too(journey)
    asked(own(journey))
    assert is_hers(journey)
    assert perhaps_not_hers_alone([own(journey)]) == []


def _registered(journey: Journey) -> None:
    builders.patient(journey.clinic, phone=PHONE, birth_date=ADULT)


def _told_otherwise(journey: Journey) -> None:
    tie = PatientContact.objects.select_related("patient", "contact_point").get(
        patient__given_name="Friend", contact_point__value=PHONE
    )
    change_tie(tie, TieAnswers(relation=Relation.PARENT))


def _typed(journey: Journey) -> None:
    mother = builders.patient(journey.clinic, phone=MOTHERS, birth_date=ADULT)
    add_tie(mother, AddressKind.PHONE, PHONE, TieAnswers())


def _denied(journey: Journey) -> None:
    suspend_ties(own(journey).patient, [own(journey).contact_point], now=NOW)


@pytest.mark.parametrize("comes", [_registered, _typed, _told_otherwise, _denied])
def test_it_is_asked_anew_when_somebody_comes_to_it(
    journey: Journey, comes: Callable[[Journey], None]
) -> None:
    on_it_too(journey, Relation.OTHER, given_name="Friend")
    on_it_too(journey)
    asked(own(journey))
    comes(journey)
    assert not is_hers(journey)


def test_what_is_somebody_elses_is_not_hers_alone(journey: Journey) -> None:
    tie = own(journey)
    asked(tie)
    with pytest.raises(IntegrityError), transaction.atomic():
        PatientContact.objects.filter(pk=tie.pk).update(relation=Relation.PARENT)
    change_tie(tie, TieAnswers(relation=Relation.PARENT))
    with pytest.raises(StaleStateError, match="not the patient's own"):
        asked(tie)
    assert own(journey).hers_alone_at is None


def test_nothing_is_planned_there_before_she_has_said_so(journey: Journey) -> None:
    on_it_too(journey)
    task = builders.task(builders.step(journey))
    reach = Reach.among([task.pk], now=NOW)
    assert list(reach.options(reach.tasks[0])) == []
    passed = {each.because for each in reach.passed_over(reach.tasks[0])}
    assert Because.NOT_HERS_ALONE in passed
    asked(own(journey))
    plan_attempts(now=NOW)
    assert Attempt.objects.get().contact_point.value == PHONE


def test_what_was_planned_before_does_not_leave(journey: Journey) -> None:
    made = builders.attempt(builders.task(builders.step(journey), plan_from=None))
    assert forbidden_by(made, now=NOW) is None
    on_it_too(journey)
    assert forbidden_by(made, now=NOW) == Because.IN_CONFIDENCE
    assert dispatch(now=NOW).sent == 0
    made.refresh_from_db()
    assert made.status == AttemptStatus.CANCELLED


def test_nobody_calls_there(journey: Journey) -> None:
    step = builders.step(journey)
    task = builders.task(step, plan_from=None)
    made = builders.attempt(task, channel=Channel.PHONE)
    desk = builders.user(at=journey.clinic)
    on_it_too(journey)
    assert number_to_ring(own(journey).patient, now=NOW) == own(
        journey
    )  # about other things she is rung there
    with pytest.raises(StaleStateError, match="Confirm on the record"):
        claim_call(Attempt.objects.get(pk=made.pk), by=desk, now=NOW)
    with pytest.raises(RefusedError, match="no number to call"):
        call_now(step, by=desk, now=NOW, because="She asked")
    asked(own(journey))
    assert call_now(step, by=desk, now=NOW, because="She asked").contact_point.value == PHONE


def test_nothing_is_written_there_by_hand(journey: Journey) -> None:
    on_it_too(journey)
    written = Written(Way(own(journey), Channel.SMS), "At four", ANSWER)
    assert journey.patient is not None
    with pytest.raises(RefusedError, match="others are reached at this address"):
        put_out(journey, journey.patient, written, now=NOW)
    asked(own(journey))
    confirmed = Written(Way(own(journey), Channel.SMS), "At four", ANSWER)
    assert put_out(journey, journey.patient, confirmed, now=NOW).kind == StepKind.TELL


def test_links_of_what_is_kept_end_where_the_address_turns_out_to_be_her_mothers(journey: Journey) -> None:
    tie, plain = own(journey), builders.journey(journey.patient)
    for each in (journey, plain):
        builders.attempt(
            builders.task(builders.step(each), plan_from=None),
            status="sent",
            called_at=NOW,
            sent_at=NOW,
        )
    before = journey.link_version
    change_address(tie, TieAnswers(relation=Relation.SELF, place="home"), now=NOW)
    journey.refresh_from_db()
    assert journey.link_version == before
    change_address(tie, TieAnswers(relation=Relation.PARENT), now=NOW)
    journey.refresh_from_db()
    plain.refresh_from_db()
    assert (journey.link_version, plain.link_version) == (before + 1, 1)


def press_alone(client: Client, journey: Journey, page: str) -> str:
    """The button on a page as it was when it was opened."""
    where = reverse("address_alone", args=[own(journey).patient.public_id, own(journey).pk])
    seen = re.search(rf'action="{where}".*?name="seen" value="([^"]*)"', page, re.DOTALL)
    assert seen
    return client.post(where, {"seen": seen[1]}, follow=True).content.decode()


@pytest.mark.parametrize("comes", [_registered, _typed, _told_otherwise])
def test_an_older_page_notes_nothing_of_who_came_since(
    journey: Journey, comes: Callable[[Journey], None]
) -> None:
    on_it_too(journey, Relation.OTHER, given_name="Friend")
    brother = on_it_too(journey, given_name="Yossi")
    client = logged_in("receptionist", journey.clinic)
    page = client.get(f"/patients/{own(journey).patient.public_id}/").content.decode()
    comes(journey)
    refused = press_alone(client, journey, page)
    assert "Not noted, for meanwhile there is somebody else: " in refused
    assert not is_hers(journey)
    PatientContact.objects.filter(patient=brother).delete()  # who has gone since is no reason to ask anew
    press_alone(client, journey, refused)
    assert is_hers(journey)


def test_the_desk_is_told_which_address_it_is_and_notes_what_she_says(journey: Journey) -> None:
    Journey.objects.update(is_confidential=False)
    on_it_too(journey)
    client = logged_in("receptionist", journey.clinic)
    keep = reverse("keep_from_parents", args=[own(journey).patient.public_id, journey.public_id])
    said = client.post(keep, follow=True).content.decode()
    assert "050-234-5678, too. Nothing of this goes there until" in said
    assert "Asked: nobody else reads or answers here" in said
    after = press_alone(client, journey, said)
    assert is_hers(journey)
    assert "that nobody else reads or answers here." in after
    assert "Asked: nobody else reads or answers here" not in after


def test_of_who_is_grown_up_nobody_asks(journey: Journey) -> None:
    mother = on_it_too(journey)
    page = logged_in("receptionist", journey.clinic).get(f"/patients/{mother.public_id}/").content.decode()
    assert "Asked: nobody else reads or answers here" not in page


def test_as_many_statements_for_one_as_for_three(journey: Journey) -> None:
    on_it_too(journey)

    def statements(patients: int) -> int:
        tasks = []
        for _n in range(patients):
            made = builders.journey(builders.patient(journey.clinic, phone=PHONE, birth_date=SIXTEEN))
            Journey.objects.filter(pk=made.pk).update(is_confidential=True)
            tasks.append(builders.task(builders.step(made)).pk)
        with CaptureQueriesContext(connection) as captured:
            reach = Reach.among(tasks, now=NOW)
            assert [list(reach.options(task)) for task in reach.tasks] == [[]] * patients
        return len(captured)

    assert statements(1) == statements(3)
    assert perhaps_not_hers_alone([own(journey)])
