"""The product's worker on a test's database, on one Monday morning, with a channel that keeps the truth on disk.

    python -m tests.concurrency.on_a_broker DATABASE LEDGER [POINT HONOURS [POOL]]

POINT and HONOURS are those of tests.concurrency.crashing, POOL is one of Celery's. The broker is the one
that CELERY_BROKER_URL names.
"""

import os
import sys
from pathlib import Path

import time_machine

from tests.concurrency import crashing


def main(database: str, ledger: str, point: str = "", honours: str = "0", pool: str = "solo") -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "clinic_journey.settings"
    import django  # noqa: PLC0415 - app ready
    from django.conf import settings  # noqa: PLC0415 - app ready

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from clinic_journey.celery import app  # noqa: PLC0415 - app ready
    from tests.conftest import NOW  # noqa: PLC0415 - app ready

    channel = crashing.channel(Path(ledger), point, honours=honours == "1")
    with time_machine.travel(NOW, tick=True), channel:
        app.worker_main(["worker", "--pool", pool, "--concurrency", "4", "--loglevel", "critical"])


if __name__ == "__main__":
    main(*sys.argv[1:])
