"""A worker of imports that kills itself inside the second transaction of a stage."""

import os
import signal
import sys
from datetime import datetime, timedelta
from typing import Any


def main(stage: str, database: str) -> None:
    """Set up Django on the test's own database and work until death."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "clinic_journey.settings"
    import django  # noqa: PLC0415 - app ready
    from django.conf import settings  # noqa: PLC0415 - app ready

    settings.DATABASES["default"]["NAME"] = database
    settings.MEDIA_ROOT = os.environ["MEDIA_FOLDER"]
    django.setup()
    from clinic_journey.importing import work  # noqa: PLC0415 - app ready
    from tests.conftest import NOW  # noqa: PLC0415 - app ready

    inside = vars(work)  # the worker dies where it stands; nothing else of it is replaced
    reach, stages = inside["reach"], []
    inside["READ_CHUNK"] = 100

    def reach_and_die(run: Any, number: int, **given: datetime) -> None:
        reach(run, number, **given)
        stages.append(str(run.status))
        if stages.count(stage.lower()) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    inside["reach"] = reach_and_die
    work.work(lambda: NOW, lasts=timedelta(hours=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
