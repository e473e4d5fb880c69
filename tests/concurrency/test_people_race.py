"""Complaints, thanks, and what is taken over, pressed by several fingers at one moment: each happens once."""

from collections.abc import Callable
from threading import Thread

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from clinic_journey.handover import take_over
from clinic_journey.models import Handover
from journeys.actions import reassign_step
from journeys.models import Step
from outreach.complaint_models import CameBy, Complaint, Understood
from outreach.complaints import answer_complaint, complain, find_misunderstood, find_understood, restate
from outreach.contact_models import ContactEnd, PersonalContact
from outreach.neglect import note_contact
from outreach.praise import prompt_recognition, say_whom, thank
from outreach.praise_models import Praise
from patients.access import Here
from patients.models import Patient, Role
from tests import builders
from tests.concurrency.test_answers_race import until_somebody_waits
from tests.concurrency.test_inquiry_race import PRESSES, at_once
from tests.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "I waited an hour and nobody said why."


@pytest.fixture
def patient() -> Patient:
    call_command("load_catalogue", verbosity=0)
    return builders.patient()


def times(press: Callable[[], object]) -> int:
    """How many of those who press it do it."""

    def done() -> str:
        press()
        return "done"

    return at_once(done).count("done")


def test_a_complaint_is_written_down_once(patient: Patient) -> None:
    made = at_once(lambda: complain(patient, WORDS, CameBy.PAGE, now=NOW).pk)
    assert made == [Complaint.objects.get().pk] * PRESSES
    assert Step.objects.count() == 1


def test_it_is_restated_found_understood_and_answered_once(patient: Patient) -> None:
    manager = builders.user(Role.MANAGER, at=patient.clinic)
    complaint = complain(patient, WORDS, CameBy.PAGE, now=NOW)

    def fresh() -> Complaint:
        return Complaint.objects.select_related("patient__clinic").get(pk=complaint.pk)

    assert times(lambda: restate(fresh(), "You waited.", now=NOW, by=manager)) == 1
    assert times(lambda: find_understood(fresh(), Understood.PATIENT, now=NOW)) == 1
    assert times(lambda: find_misunderstood(fresh(), "no", now=NOW)) == 0
    assert times(lambda: answer_complaint(fresh(), "Sorry.", now=NOW, by=manager)) == 1
    keys = Step.objects.filter(journey=complaint.journey).values_list("template_step__key", flat=True)
    assert sorted(filter(None, keys)) == ["answer", "change", "restate", "tell_answer", "understood"]


def test_thanks_are_one_and_reach_one(patient: Patient) -> None:
    at_once(lambda: thank(patient, "You were so kind.", now=NOW))
    praise, rina = Praise.objects.get(), builders.user(at=patient.clinic)
    assert times(lambda: say_whom(praise, rina)) == 1
    at_once(lambda: prompt_recognition(now=NOW))
    assert Step.objects.count() == 1


def test_a_patient_is_called_once_and_a_shift_taken_by_one(patient: Patient) -> None:
    rina, dan = builders.user(at=patient.clinic), builders.user(at=patient.clinic)
    at_once(lambda: note_contact(patient, ContactEnd.SPOKEN, "well", now=NOW, by=rina))
    assert PersonalContact.objects.count() == 1
    note = Handover.objects.create(clinic=patient.clinic, by=rina, words="x", made_at=NOW)
    here = Here(dan, patient.clinic, Role.RECEPTIONIST, NOW)
    taken = at_once(lambda: take_over(note, here=here))
    assert sum(each is not None for each in taken) == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time")
def test_a_step_given_away_a_moment_before_is_not_taken_over_with_the_shift(patient: Patient) -> None:
    rina, dan, noa = (builders.user(at=patient.clinic) for _each in range(3))
    given, left = (builders.step(builders.journey(patient), owner=rina) for _each in range(2))
    note = Handover.objects.create(clinic=patient.clinic, by=rina, words="x", made_at=NOW)
    taken: list[object] = []

    def takes_over() -> None:
        try:
            taken.append(take_over(note, here=Here(dan, patient.clinic, Role.RECEPTIONIST, NOW)))
        except Exception as error:  # noqa: BLE001 - the test looks at every error there is
            taken.append(error)
        finally:
            connection.close()

    other = Thread(target=takes_over)
    with transaction.atomic():
        Handover.objects.select_for_update().get(pk=note.pk)  # so that he has seen the list and waits
        other.start()
        until_somebody_waits()
        reassign_step(given, role=given.owner_role, owner=noa, now=NOW)
    other.join(timeout=60)
    assert taken == [1]
    given.refresh_from_db()
    left.refresh_from_db()
    assert (given.owner, left.owner) == (noa, dan)
