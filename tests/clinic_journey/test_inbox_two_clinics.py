"""Words from a number that stands in several clinics, to which nothing was ever sent: whose they are."""

from datetime import timedelta

import pytest

from journeys.models import Step
from outreach.models import Reply
from patients.models import Clinic
from tests import builders
from tests.clinic_journey.test_inbox import wrote
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def both() -> tuple[Clinic, Clinic]:
    first, second = builders.clinic(phone="+97235550142"), builders.clinic(phone="+97235550199")
    for clinic in (first, second):
        builders.patient(clinic)
    return first, second


def test_the_number_that_was_written_to_says_which_clinic_is_meant() -> None:
    _first, second = both()
    wrote("Hello", to="+97235550199")
    reply = Reply.objects.get()
    assert (reply.clinic, reply.patient) == (second, second.patients.get())


@pytest.mark.parametrize("to", ["", "+15005550006"])
def test_where_that_is_not_clear_it_is_no_patients(to: str) -> None:
    both()
    assert wrote("Hello", to=to) == "unknown_writer"
    reply, step = Reply.objects.get(), Step.objects.get()
    assert (reply.patient, step.journey.patient) == (None, None)
    assert reply.contact_point
    assert reply.contact_point.clinic_id == reply.clinic_id == step.clinic_id


def test_it_is_with_a_clinic_that_knows_the_number_and_not_with_any_other() -> None:
    builders.clinic(phone="+97235550100")
    first, _second = both()
    assert wrote("Hello") == "unknown_writer"
    assert (Reply.objects.get().clinic, Step.objects.get().clinic) == (first, first)


def test_what_is_written_to_one_clinic_is_none_of_the_others_patient() -> None:
    first = builders.clinic(phone="+97235550142")
    builders.patient(first)
    second = builders.clinic(phone="+97235550199")
    assert wrote("Hello", to="+97235550199") == "unknown_writer"
    reply = Reply.objects.get()
    assert (reply.clinic, reply.patient) == (second, None)


def test_what_was_sent_there_last_still_says_whose_words_they_are() -> None:
    first, second = both()
    patient = second.patients.get()
    task = builders.task(builders.step(builders.journey(patient)), plan_from=None)
    builders.attempt(task, status="sent", sent_at=NOW, called_at=NOW - timedelta(hours=1))
    wrote("Hello", to=str(first.phone))
    assert Reply.objects.get().patient == patient
