"""The ticks as the clockwork calls them: each channel gets one of its own."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from clinic_journey.celery import app
from outreach import tasks
from outreach.models import Attempt
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def _at_once() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.mark.usefixtures("_at_once")
def test_the_tick_serves_every_channel_that_is_on_and_no_other(settings: LazySettings) -> None:
    builders.messages_loaded()
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "console", "email": "off", "telegram": "console"}
    for channel, phone in (("sms", "050-234-5678"), ("email", "054-765-4321"), ("phone", "053-123-4567")):
        who = builders.patient(phone=phone)
        task = builders.task(builders.step(builders.journey(who)), plan_from=None)
        builders.attempt(task, channel=channel)
    tasks.dispatch()
    assert set(Attempt.objects.filter(sent_at__isnull=False).values_list("channel", flat=True)) == {"sms"}
