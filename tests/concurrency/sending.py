"""A worker process that sends through a provider's real client to a stand-in, and dies at a named point."""

import os
import signal
from typing import Any

POINTS = ("before the request", "after the answer", "after the outcome")


def die(*_args: Any, **_kwargs: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(point: str, transport: str, environment: dict[str, str]) -> None:
    """Dispatch once. `environment` names the keys of the provider and where its stand-in listens."""
    from django.conf import settings  # noqa: PLC0415 - app ready

    from outreach import dispatch  # noqa: PLC0415 - app ready
    from outreach.channels import TRANSPORTS  # noqa: PLC0415 - app ready
    from tests.concurrency.providers import PROVIDERS  # noqa: PLC0415 - app ready
    from tests.conftest import NOW  # noqa: PLC0415 - app ready

    (provider,) = (each for each in PROVIDERS if each.transport == transport)
    provider.points(settings, environment)
    inside = vars(dispatch)  # the worker dies where it stands; nothing else of it is replaced
    if point == "before the request":
        setattr(type(TRANSPORTS[transport]), "send", die)  # noqa: B010 - the worker dies instead
    if point == "after the answer":
        vars(inside["outcomes"])["settle"] = die
    if point == "after the outcome":
        vars(vars(inside["outcomes"])["followup"])["after_contacts"] = die
    dispatch.dispatch(now=NOW)
