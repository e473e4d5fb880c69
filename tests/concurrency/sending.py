"""A worker process that sends through a provider's real client to a stand-in, and dies at a named point."""

import os
import signal
import sys
from typing import Any

POINTS = ("before the request", "after the answer", "after the outcome")


def die(*_args: Any, **_kwargs: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(point: str, database: str, transport: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "clinic_journey.settings"
    import django  # noqa: PLC0415 - app ready
    from django.conf import settings  # noqa: PLC0415 - app ready

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from outreach import dispatch  # noqa: PLC0415 - app ready
    from outreach.channels import TRANSPORTS  # noqa: PLC0415 - app ready
    from tests.conftest import NOW  # noqa: PLC0415 - app ready

    inside = vars(dispatch)  # the worker dies where it stands; nothing else of it is replaced
    if point == "before the request":
        setattr(type(TRANSPORTS[transport]), "send", die)  # noqa: B010 - the worker dies instead
    if point == "after the answer":
        vars(inside["outcomes"])["settle"] = die
    if point == "after the outcome":
        vars(vars(inside["outcomes"])["followup"])["after_contacts"] = die
    dispatch.dispatch(now=NOW)


if __name__ == "__main__":
    main(*sys.argv[1:])
