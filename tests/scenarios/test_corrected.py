"""A result is corrected after the doctor decided, when what follows from the decision is queued and has not left."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from journeys.models import Step, StepKind, StepStatus
from outreach.models import Attempt, AttemptStatus
from patients.models import Patient, Role
from referrals.models import Referral, Result
from tests.scenarios.house import MONDAY, House, run_by_two_workers, run_once, run_twice
from tests.scenarios.test_images_by_mail import refer

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
TUESDAY_EVENING = datetime(2026, 3, 10, 18, 30, tzinfo=UTC)
WEDNESDAY_8, WEDNESDAY_9 = datetime(2026, 3, 11, 6, 0, tzinfo=UTC), datetime(2026, 3, 11, 7, 0, tzinfo=UTC)


@pytest.fixture(params=[run_once, run_twice, run_by_two_workers])
def house(request: pytest.FixtureRequest) -> House:
    run: Callable[[datetime], None] = request.param
    return House(run)


@pytest.fixture
def dana(house: House) -> Patient:
    return house.dana()


@pytest.fixture
def referral(house: House, dana: Patient) -> Referral:
    """Decided in the evening that no visit is needed; at eight in the morning, before she is told, a correction."""
    made = refer(house, dana)
    house.drop_mail(made.code, MONDAY + HOUR)
    house.tick(MONDAY + HOUR)
    decide(house, "no_treatment", TUESDAY_EVENING)
    house.tick(TUESDAY_EVENING + timedelta(minutes=1))
    assert Attempt.objects.get(status=AttemptStatus.PLANNED).send_at == WEDNESDAY_9
    house.drop_mail(made.code, WEDNESDAY_8)
    house.tick(WEDNESDAY_8)
    assert Step.objects.filter(kind=StepKind.REVIEW, status=StepStatus.ACTIVE).count() == 1
    return made


def decide(house: House, decision: str, at: datetime) -> None:
    result = Result.objects.latest("version")
    house.post(Role.DOCTOR, f"/results/{result.public_id}/decide/", at, decision=decision)


def told(dana: Patient) -> list[str]:
    sent = Attempt.objects.filter(patient=dana, sent_at__isnull=False).order_by("sent_at", "pk")
    return list(sent.values_list("task__message_key", flat=True))


def test_what_is_under_correction_does_not_leave(house: House, dana: Patient, referral: Referral) -> None:
    house.tick(WEDNESDAY_9, WEDNESDAY_9 + 2 * HOUR)
    assert told(dana) == ["result_arrived"]


def test_decided_otherwise_it_never_leaves(house: House, dana: Patient, referral: Referral) -> None:
    house.tick(WEDNESDAY_9)
    decide(house, "treat_other", WEDNESDAY_9 + HOUR)
    house.tick(WEDNESDAY_9 + HOUR, WEDNESDAY_9 + 4 * HOUR, every=HOUR / 2)
    assert told(dana) == ["result_arrived", "next_step"]


def test_decided_alike_it_leaves_once(house: House, dana: Patient, referral: Referral) -> None:
    house.tick(WEDNESDAY_9)
    decide(house, "no_treatment", WEDNESDAY_9 + HOUR)
    house.tick(WEDNESDAY_9 + HOUR, WEDNESDAY_9 + 4 * HOUR, every=HOUR / 2)
    assert told(dana) == ["result_arrived", "no_visit_needed"]
