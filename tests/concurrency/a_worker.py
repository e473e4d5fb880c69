"""The product's worker under Celery, fed from a folder of the test's own, and what pokes it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

from django.conf import settings
from django.db import connection
from kombu import Connection

from clinic_journey.celery import app

PATIENCE = 300  # seconds; a busy machine takes a minute to load a worker
NOT_FOR_IT = {"PGOPTIONS", "CELERY_BROKER_URL"}


class Pokes:
    """What the clockwork sends, through a folder of this test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("queue", "processed", "control"):
            (folder / "broker" / name).mkdir(parents=True)

    def dispatch(self) -> None:
        where = str(self.folder / "broker" / "queue")
        folders = {"data_folder_in": where, "data_folder_out": where}
        folders["control_folder"] = str(self.folder / "broker" / "control")
        with Connection(transport="clinic_journey.broker:Transport", transport_options=folders) as broker:
            app.send_task("outreach.tasks.dispatch", connection=broker, expires=5)


@contextmanager
def worker(
    ledger: Path, *, honours: bool = False, pool: str = "solo", **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """On this process's database, through a channel of tests.concurrency.crashing that takes its time."""
    of_its_own = {
        "VAR_DIR": str(ledger.parent),
        "CHANNEL_SMS": "console",
        "LOG_LEVEL": "CRITICAL",
    }
    kept = {key: value for key, value in os.environ.items() if key not in NOT_FOR_IT}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.concurrency.on_a_broker",
            str(connection.settings_dict["NAME"]),
            str(ledger),
            "at any moment",
            str(int(honours)),
            pool,
        ],
        cwd=settings.BASE_DIR,
        env={**kept, **of_its_own, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(holds: Callable[[], bool], pokes: Pokes) -> None:
    end = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < end, "It never came about."
        pokes.dispatch()
        Event().wait(0.2)
