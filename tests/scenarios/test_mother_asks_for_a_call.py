"""A mother writes “call me at five” for her daughter: before the birthday from which she is told nothing, and on it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from journeys.models import Step, StepKind
from outreach.channels.inbound import Said
from outreach.models import Attempt
from outreach.replies import receive_reply
from patients.actions import add_address
from patients.models import Clinic, Patient, PatientContact, Relation, Role
from tests import builders
from tests.scenarios.house import MONDAY, House, run_by_two_workers, run_once, run_twice

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
HERS, MOTHERS = "+972502345678", "+972547654321"


@pytest.fixture(params=[run_once, run_twice, run_by_two_workers])
def house(request: pytest.FixtureRequest) -> House:
    run: Callable[[datetime], None] = request.param
    return House(run)


def writes(house: House, number: str, words: str, at: datetime) -> None:
    assert receive_reply(Said("sms", "phone", number, words, at=at), now=at) == "call_at"
    house.tick(at)


def answered(at: datetime) -> list[str]:
    """Where our word went on that day."""
    sent = Attempt.objects.filter(sent_at__gte=at, sent_at__lt=at + DAY, task__message_key="answer")
    return list(sent.values_list("contact_point__value", flat=True))


def test_the_call_is_promised_and_confirmed_to_nobody_who_is_told_nothing_more(house: House) -> None:
    noa = builders.patient(house.clinic, phone=MOTHERS, birth_date=date(2008, 3, 10), language="en")
    PatientContact.objects.update(relation=Relation.PARENT)
    writes(house, MOTHERS, "Please call me at 5 pm", MONDAY)
    assert answered(MONDAY) == [MOTHERS]  # she answers for a child

    writes(house, MOTHERS, "Please call me at 5 pm today", MONDAY + DAY)
    assert answered(MONDAY + DAY) == []
    kept = Step.objects.filter(kind=StepKind.PROMISE).order_by("due_at")
    assert [step.due_at for step in kept] == [each + timedelta(hours=7) for each in (MONDAY, MONDAY + DAY)]
    talk = house.get(Role.RECEPTIONIST, f"/inbox/{noa.public_id}/", MONDAY + DAY).content.decode()
    assert "Please call me at 5 pm today" in talk  # the desk reads who it was

    add_address(Patient.objects.get(pk=noa.pk), "phone", HERS, rank=2)
    writes(house, HERS, "Call me at 6 pm", MONDAY + DAY)
    assert answered(MONDAY + DAY) == [HERS]


@pytest.mark.parametrize(("country", "to"), [("IL", [HERS, MOTHERS]), ("RU", [HERS])])
def test_from_the_age_at_which_she_is_told_herself_it_is_confirmed_to_her_alone(
    house: House, country: str, to: list[str]
) -> None:
    Clinic.objects.update(country=country)
    noa = builders.patient(Clinic.objects.get(), phone=HERS, birth_date=date(2009, 3, 10), language="en")
    add_address(noa, "phone", MOTHERS, rank=2, relation=Relation.PARENT)
    writes(house, MOTHERS, "Please call me at 5 pm", MONDAY)
    writes(house, HERS, "Call me at 6 pm", MONDAY)
    assert sorted(answered(MONDAY)) == to
