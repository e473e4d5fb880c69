"""C14: a cancelled visit is offered in waves; the first yes wins, the others keep their date, and hers goes round."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest

from appointments import actions, waitlist
from appointments.actions import Visit
from appointments.models import Appointment, SlotUse
from appointments.waiting_models import Offer, Opening, WaitlistEntry
from journeys.models import Step, StepStatus
from outreach.models import Attempt, AttemptStatus
from patients.actions import CardAnswers, save_card
from patients.models import Channel, Patient, Role
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.scenarios.house import (
    MONDAY,
    WEEKDAYS,
    House,
    frozen,
    link_in,
    run_by_two_workers,
    run_once,
    run_twice,
)

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FREED_AT = MONDAY + 3 * DAY  # Thursday, 10:00
PEOPLE = 7


@pytest.fixture(params=[run_once, run_twice, run_by_two_workers])
def house(request: pytest.FixtureRequest) -> House:
    run: Callable[[datetime], None] = request.param
    return House(run)


def person(house: House, n: int) -> Patient:
    patient = builders.patient(
        house.clinic, given_name=f"Patient {n}", phone=f"050-234-56{n:02}", language="en"
    )
    windows = tuple((weekday, time(9), time(20)) for weekday in WEEKDAYS)
    save_card(patient, CardAnswers(Channel.SMS, windows, "en"), now=MONDAY, by=None)
    return patient


def waiting_people(house: House) -> list[Appointment]:
    """Dates in two weeks, half an hour apart; the first booked has waited longest."""
    visits = []
    for n in range(PEOPLE):
        visit = Visit(person(house, n), house.doctor, MONDAY + 14 * DAY + n * HOUR / 2, 30, "Check-up")
        visits.append(actions.book(visit, now=MONDAY - DAY))
        waitlist.wait_for_sooner(visits[-1], waitlist.Wanted(30), now=MONDAY - DAY + n * MINUTE)
    return visits


def messages() -> list[Attempt]:
    carried = Attempt.objects.filter(status=AttemptStatus.SENT, task__message_key="sooner_time")
    return list(carried.order_by("task__step__offer__pk"))


def press(message: Attempt, said: str, at: datetime) -> int:
    offer = Offer.objects.get(step=message.task.step_id)
    with frozen(at):
        answer = OwnPage(link_in(message)).post("offer", {"offer": offer.public_id, "said": said})
    status: int = answer.status_code
    return status


def test_a_freed_time_finds_its_taker_and_nobody_loses_a_date(house: House) -> None:
    visits = waiting_people(house)
    patient = builders.patient(house.clinic, phone="")
    freed = actions.book(Visit(patient, house.doctor, FREED_AT, 30), now=MONDAY - DAY)
    house.post(
        Role.RECEPTIONIST, f"/appointments/{freed.public_id}/act/", MONDAY, act="cancel", because="ill"
    )

    house.tick(MONDAY)
    assert messages() == []  # the desk may take it back for a moment
    house.tick(MONDAY + MINUTE)
    assert [each.patient_id for each in messages()] == [visit.patient_id for visit in visits[:5]]
    house.tick(MONDAY + 31 * MINUTE)
    assert len(messages()) == PEOPLE

    with frozen(MONDAY + 31 * MINUTE):
        assert "A sooner time is free" in OwnPage(link_in(messages()[3])).text()
    assert press(messages()[3], "offer_no", MONDAY + 31 * MINUTE) == 302
    assert press(messages()[2], "offer_yes", MONDAY + 32 * MINUTE) == 302
    assert press(messages()[2], "offer_yes", MONDAY + 33 * MINUTE) == 302  # twice is no error
    won = Appointment.objects.get(pk=visits[2].pk)
    assert (won.start, won.confirmed_at) == (FREED_AT, MONDAY + 32 * MINUTE)
    with frozen(MONDAY + 34 * MINUTE):
        offer = Offer.objects.get(step=messages()[0].task.step_id)
        late = OwnPage(link_in(messages()[0]))
        answer = late.post("offer", {"offer": offer.public_id, "said": "offer_yes"})
    assert answer.status_code == 409
    assert b"You keep your date" in answer.content

    house.tick(MONDAY + 35 * MINUTE)
    others = Appointment.objects.exclude(pk__in=[won.pk, freed.pk]).order_by("pk")
    assert [visit.start for visit in others] == [v.start for v in visits if v.pk != won.pk]
    opening = Opening.objects.get(start=FREED_AT)
    answers = sorted(opening.offers.values_list("status", flat=True))
    assert (opening.status, answers) == ("taken", ["accepted", "declined"] + ["taken"] * 5)
    assert not Step.objects.filter(offer__opening=opening, status=StepStatus.ACTIVE).exists()
    assert WaitlistEntry.objects.get(appointment=won).status == "placed"
    assert Opening.objects.filter(start=visits[2].start, status="open").exists()  # what she had goes round
    assert SlotUse.objects.count() == PEOPLE * 3
    page = house.get(Role.RECEPTIONIST, "/waiting/", MONDAY + HOUR).content.decode()
    assert "Offers in 30 days: 7, of them accepted: 1" in " ".join(page.split())


def test_at_night_nobody_is_woken_and_the_clock_waits_for_the_morning(house: House) -> None:
    waiting_people(house)
    freed = actions.book(
        Visit(builders.patient(house.clinic, phone=""), house.doctor, FREED_AT, 30), now=MONDAY
    )
    night = MONDAY + 14 * HOUR  # midnight
    actions.cancel(freed, because="ill", now=night)
    house.tick(night, night + 6 * HOUR)
    assert messages() == []
    morning = MONDAY + 23 * HOUR  # nine o'clock
    house.tick(morning)
    assert len(messages()) == 5
    house.tick(morning + 30 * MINUTE)
    assert len(messages()) == PEOPLE
