"""S4: no answer twice on weekday mornings; the third attempt is another time, another day or another way."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest

from clinic_journey.desk import LEAVES_AFTER
from journeys.actions import NewJourney, start_journey
from journeys.models import Step, StepKind, StepStatus
from outreach.models import Attempt, AttemptStatus
from outreach.silence import cell_of
from patients.models import Channel, Patient, Role
from tests.scenarios.house import MONDAY, House, run_by_two_workers, run_once, run_twice

pytestmark = pytest.mark.django_db(transaction=True)
ZONE, WEEKEND = "Asia/Jerusalem", frozenset({4, 5})
HALF_A_YEAR = timedelta(days=170)


@pytest.fixture(params=[run_once, run_twice, run_by_two_workers])
def house(request: pytest.FixtureRequest) -> House:
    run: Callable[[datetime], None] = request.param
    return House(run)


def recall(dana: Patient) -> Step:
    """The check-up was planned half a year ago; the invitation begins two weeks before it is due."""
    start_journey(dana, NewJourney("recall"), now=MONDAY - HALF_A_YEAR)
    return Step.objects.get(kind=StepKind.RECALL)


def calls(dana: Patient, *statuses: str) -> list[Attempt]:
    return list(
        Attempt.objects.filter(patient=dana, channel=Channel.PHONE, status__in=statuses).order_by("send_at")
    )


def test_the_third_attempt_is_never_the_same_again(house: House) -> None:
    dana = house.dana(channel=Channel.PHONE, windows=())  # she likes calls, and nobody asked at which hours
    step = recall(dana)
    assert step.contact_from is not None
    now = max(MONDAY, step.contact_from)
    for _attempt in range(2):  # nobody answers
        now = ring_at_next_planned_time(house, dana, now)
        house.post(Role.RECEPTIONIST, f"/today/{step.public_id}/outcome/", now, outcome="no_answer")
        now += LEAVES_AFTER  # what an outcome sets going can still be undone until then
    house.tick(now)
    tried = [
        cell_of(a.send_at, a.channel, ZONE, WEEKEND)
        for a in calls(dana, AttemptStatus.FAILED, AttemptStatus.SENT)
    ]
    assert len(tried) == 2
    third = Attempt.objects.get(patient=dana, status=AttemptStatus.PLANNED)
    planned = cell_of(third.send_at, third.channel, ZONE, WEEKEND)
    assert planned not in tried
    step.refresh_from_db()
    assert step.status == StepStatus.ACTIVE  # no answer is not a refusal


def ring_at_next_planned_time(house: House, dana: Patient, now: datetime) -> datetime:
    house.tick(now)
    planned = calls(dana, AttemptStatus.PLANNED)
    assert len(planned) == 1
    at = max(now, planned[0].send_at)
    assert b"Dana" in house.get(Role.RECEPTIONIST, "/today/", at).content
    return at


def test_an_impossible_card_becomes_work_for_a_person(house: House) -> None:
    night = ((5, time(2), time(3)),)  # Saturday at two in the morning, when no clinic calls
    dana = house.dana(channel=Channel.PHONE, windows=night)
    step = recall(dana)
    assert step.contact_from is not None
    house.tick(max(MONDAY, step.contact_from))
    assert not Attempt.objects.exists()
    by_hand = Step.objects.filter(journey=step.journey, status=StepStatus.ACTIVE).exclude(pk=step.pk).get()
    assert by_hand.owner_role == "receptionist"
    assert by_hand.due_at is not None
    assert by_hand.due_at > datetime(2026, 3, 9, tzinfo=UTC)
