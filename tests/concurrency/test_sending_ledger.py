"""The provider keeps the truth: whatever breaks, nothing is lost and nobody is contacted twice.

`taken` of the stand-in is what really went to a phone. A checker compares it with what was intended: each message
was taken once and is sent, or was taken at most once and stands before a person as unknown.
"""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings, settings as django_settings
from django.db import connection

from journeys.models import Step, StepKind, StepStatus
from outreach.actions import plan_attempts
from outreach.dispatch import LEASE, dispatch, recover
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from tests import builders
from tests.concurrency import sending
from tests.concurrency.trials import trials
from tests.conftest import NOW
from tests.standins.server import Answer, Trick, served
from tests.standins.twilio import SID, TOKEN, Twilio, refuses

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

FAULTS = {
    "none": None,
    "dropped before": Trick(hangs_up=True),
    "dropped after": Trick(hangs_up=True, takes=True),
    "500": Trick(answer=Answer(500, {"message": "…"})),
    "502, taken": Trick(answer=Answer(502, b"Bad Gateway"), takes=True),
    "503": refuses(503, 20503),
    "429": refuses(429, 20429, Retry_After="1"),
    "refused": refuses(400, 21614),
}


@pytest.fixture
def provider(settings: LazySettings) -> Iterator[Twilio]:
    stand_in = Twilio()
    with served(stand_in):
        settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "twilio"}
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_FROM = SID, TOKEN, "+1"
        settings.TWILIO_API_URL, settings.SMS_PER_SECOND, settings.CHANNEL_TIMEOUT = stand_in.url, 0, 2
        builders.messages_loaded()
        yield stand_in


def intended(how_many: int) -> list[Attempt]:
    clinic = builders.clinic()
    builders.opened(clinic)
    made = []
    for n in range(how_many):
        who = builders.patient(clinic, phone=f"050-234-5{n:03}")
        task = builders.task(builders.step(builders.journey(who), kind=StepKind.TELL), plan_from=None)
        made.append(builders.attempt(task, expires_at=NOW + timedelta(hours=3)))
    return made


def contacts(provider: Twilio) -> Counter[str]:
    return Counter(taken["to"] for taken in provider.taken)


def check(provider: Twilio) -> None:
    """Nobody twice; nothing neither contacted nor with a person, a plan or another way."""
    taken = contacts(provider)
    assert max(taken.values(), default=0) <= 1
    for task in OutreachTask.objects.all():
        last = task.attempts.order_by("pk").last()
        assert last
        number = task.patient.contacts.get().contact_point.value
        states = {attempt.status for attempt in task.attempts.all()}
        if states & {AttemptStatus.SENT, AttemptStatus.DELIVERED}:
            assert taken[number] == 1
        elif last.status == AttemptStatus.UNKNOWN:
            assert Step.objects.filter(about=task.step, kind=StepKind.CALL, status=StepStatus.ACTIVE).exists()
        else:
            assert taken[number] == 0
            assert task.status == TaskStatus.OPEN
            assert task.plan_from or last.status == AttemptStatus.PLANNED


@pytest.mark.parametrize("seed", trials(3, 400))
def test_whatever_the_provider_does_nothing_is_lost_and_nothing_is_doubled(
    provider: Twilio, seed: int
) -> None:
    chance = random.Random(seed)
    intended(12)
    names = [chance.choice(list(FAULTS)) for _n in range(12)]
    provider.tricks.extend(FAULTS[name] or Trick(takes=True) for name in names)
    for minutes in (0, 1, 2, 7, 9, 25):
        at = NOW + timedelta(minutes=minutes)
        recover(now=at)
        dispatch(now=at)
        plan_attempts(now=at)
        dispatch(now=at)
        check(provider)


def worker(point: str, provider: Twilio) -> int:
    name = connection.settings_dict["NAME"]
    keys = {
        "LOG_LEVEL": "CRITICAL",
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM": "+1",
        "TWILIO_API_URL": provider.url,
        "SMS_PER_SECOND": "0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.concurrency.sending", point, str(name)],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, **keys},
        capture_output=True,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize("point", sending.POINTS)
@pytest.mark.parametrize("seed", trials(1, 100))
def test_killed_between_send_and_commit_it_is_unknown_and_not_sent_again(
    provider: Twilio, point: str, seed: int
) -> None:
    (attempt,) = intended(1)
    assert worker(point, provider) == -signal.SIGKILL
    later = NOW + LEASE + timedelta(minutes=1)
    for _tick in range(2):
        recover(now=later)
        dispatch(now=later)
    attempt.refresh_from_db()
    assert attempt.status == AttemptStatus.UNKNOWN
    assert sum(contacts(provider).values()) == (0 if point == "before the request" else 1)
    check(provider)
