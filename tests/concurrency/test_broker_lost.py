"""Redis dies and comes back with nothing: it carried pokes, so no message is lost and none is sent twice."""

import os
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from kombu import Connection
from kombu.exceptions import OperationalError

from clinic_journey.celery import app
from outreach.models import Attempt, AttemptStatus
from tests import builders
from tests.concurrency.figures import Figures
from tests.concurrency.trials import trials
from tests.conftest import NOW, need

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
PATIENCE = 300  # seconds; a worker that has lost its broker asks for it again after two, four, six ...


class Redis:
    """A server of this test's own, which keeps nothing."""

    def __init__(self, folder: Path) -> None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder, self.url = folder, f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(
            [*command, "--dir", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def die(self) -> None:
        self.process.kill()
        self.process.wait()

    def poke(self, task: str) -> bool:
        """What the clockwork does each few seconds; a poke that reaches nobody is lost, and that is all."""
        try:
            with Connection(self.url, transport_options={"max_retries": 0}) as broker:
                app.send_task(task, connection=broker, retry=False)
        except OperationalError:
            return False
        return True


@contextmanager
def worker(redis: Redis, ledger: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.concurrency.on_a_broker", str(connection.settings_dict["NAME"])]
    process = subprocess.Popen(
        [*command, str(ledger)],
        cwd=settings.BASE_DIR,
        env={**os.environ, "CELERY_BROKER_URL": redis.url, "CHANNEL_SMS": "console", "LOG_LEVEL": "CRITICAL"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        assert process.poll() is None, "The worker gave up."
    finally:
        process.kill()
        process.wait()


def due(how_many: int) -> None:
    for _nth in range(how_many):
        builders.attempt(send_at=NOW - timedelta(minutes=1), expires_at=NOW + timedelta(hours=3))


def until(holds: Callable[[], bool], redis: Redis) -> None:
    """Poke as the clockwork does, until it holds."""
    end = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < end, "It never came about."
        redis.poke("outreach.tasks.dispatch")
        Event().wait(0.2)


def sent(how_many: int) -> bool:
    return Attempt.objects.filter(status=AttemptStatus.SENT).count() == how_many


@pytest.mark.parametrize("seed", trials(1, 100))
def test_nothing_is_lost_with_the_broker_and_nothing_repeated(
    tmp_path: Path, client: Client, seed: int, figures: Figures
) -> None:
    need(shutil.which("redis-server"), "Redis (apt install redis-server)")
    builders.messages_loaded()
    ledger = tmp_path / "ledger"
    ledger.touch()
    figures.watch(ledger, "knows no key", "the broker, and all that it held")
    redis = Redis(tmp_path)
    try:
        with worker(redis, ledger):
            due(5)
            until(lambda: sent(5), redis)
            due(5)
            for _poke in range(seed % 3):  # on its way, or in the queue, when the broker goes
                redis.poke("outreach.tasks.dispatch")
            redis.die()
            assert not redis.poke("outreach.tasks.dispatch")
            client.force_login(builders.user(at=Attempt.objects.earliest("pk").patient.clinic))
            assert client.get("/today/").status_code == 200
            redis.start()
            until(lambda: sent(10), redis)
    finally:
        redis.die()
    contacts = Counter(ledger.read_text().split())
    assert contacts == Counter(str(each.reference) for each in Attempt.objects.all())
