"""C: “can't talk, write me on WhatsApp after 5”, by SMS, changes the card and the plan, and is confirmed to her."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from journeys.actions import NewJourney, start_journey
from journeys.models import Step, StepKind, StepStatus
from outreach.channels.inbound import Said
from outreach.models import Attempt, AttemptStatus
from outreach.replies import receive_reply
from patients.models import Channel, Role
from tests import builders
from tests.scenarios.house import MONDAY, House, run_by_two_workers, run_once, run_twice

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
HALF_A_YEAR = timedelta(days=170)
WORDS = "can't talk, write me on WhatsApp after 5"


@pytest.fixture(params=[run_once, run_twice, run_by_two_workers])
def house(request: pytest.FixtureRequest) -> House:
    run: Callable[[datetime], None] = request.param
    return House(run)


def test_a_reply_that_says_how_to_write_changes_card_and_plan(house: House) -> None:
    dana = house.dana(windows=())
    builders.on_whatsapp(dana)
    start_journey(dana, NewJourney("recall"), now=MONDAY - HALF_A_YEAR)
    step = Step.objects.get(kind=StepKind.RECALL)
    house.tick(MONDAY)
    asked = Attempt.objects.get(patient=dana, status=AttemptStatus.SENT)
    assert asked.channel == Channel.SMS

    at = MONDAY + HOUR
    assert receive_reply(Said("sms", "phone", "+972502345678", WORDS, at=at), now=at) == "write_at"
    house.tick(at)
    told = Attempt.objects.get(patient=dana, status=AttemptStatus.SENT, task__message_key="answer")
    assert (told.channel, told.sent_at) == (Channel.SMS, at)
    assert "WhatsApp after 17:00" in told.body
    planned = Attempt.objects.get(patient=dana, status=AttemptStatus.PLANNED)
    assert (planned.task.step, planned.channel) == (step, Channel.WHATSAPP)
    assert planned.send_at == MONDAY + 7 * HOUR  # 17:00 in Jerusalem

    house.tick(planned.send_at)
    planned.refresh_from_db()
    assert planned.status == AttemptStatus.SENT
    page = house.get(Role.RECEPTIONIST, f"/patients/{dana.public_id}/", at).content.decode()
    assert "In the patient’s own words" in page
    talk = house.get(Role.RECEPTIONIST, f"/inbox/{dana.public_id}/", at).content.decode()
    assert "write me on WhatsApp after 5" in talk
    assert "waits for an answer" not in talk
    assert not Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE).exists()
