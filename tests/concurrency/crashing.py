"""A worker that kills itself at a named point of the dispatch, and the channel that keeps the truth on disk."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

POINTS = (
    "before the claim commits",
    "after the claim",
    "before the call",
    "during the call",
    "after the call",
)
AMONG_OTHERS = ("between two calls", "during the second call", "while settling")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class LedgerChannel:
    """Every contact is one line on disk before anything else happens."""

    secrets: tuple[str, ...] = ()

    def __init__(self, ledger: Path, point: str, *, honours: bool) -> None:
        from outreach.channels import Abilities, WhenUnclear  # noqa: PLC0415 - app ready

        self.ledger, self.point = ledger, point
        self.abilities = Abilities(WhenUnclear.REPEAT if honours else WhenUnclear.ASK_A_PERSON)

    def send(self, message: Any) -> Any:
        from outreach.channels import Receipt  # noqa: PLC0415 - app ready

        if self.point == "before the call":
            die()
        with self.ledger.open("a") as file:
            file.write(f"{message.reference}\n")
            file.flush()
            os.fsync(file.fileno())
        if self.point == "during the call" or (self.point == "during the second call" and self.many() > 1):
            die()
        if self.point == "paused in the call" and self.many() == 1:
            os.kill(os.getpid(), signal.SIGSTOP)
        if self.point == "at any moment":
            Event().wait(0.005)
        return Receipt("kept")

    def many(self) -> int:
        return len(self.ledger.read_text().split())


@contextmanager
def channel(ledger: Path, point: str = "", *, honours: bool) -> Iterator[None]:
    from outreach import channels  # noqa: PLC0415 - app ready

    usual = channels.TRANSPORTS["console"]
    channels.TRANSPORTS["console"] = LedgerChannel(ledger, point, honours=honours)
    yield
    channels.TRANSPORTS["console"] = usual


def main(point: str, ledger: Path, honours: bool) -> None:
    """Dispatch once."""
    from outreach import dispatch, tour  # noqa: PLC0415 - app ready
    from tests.conftest import NOW  # noqa: PLC0415 - app ready

    inside = vars(dispatch)  # the worker dies where it stands; nothing else of it is replaced
    claim = inside["claim_due"]

    def claim_and_die(*args: Any, **kwargs: Any) -> None:
        claim(*args, **kwargs)
        die()

    def just_die(*_args: Any, **_kwargs: Any) -> None:
        die()

    if point == "before the claim commits":
        inside["claim_due"] = claim_and_die
    if point == "after the claim":
        vars(inside["door"])["open_parcels"] = just_die
    if point == "after the call":
        vars(inside["outcomes"])["settle"] = just_die
    if point == "while settling":
        vars(vars(inside["outcomes"])["followup"])["after_contacts"] = just_die
    if point == "between two calls":
        begin = tour.Beginning.begin

        def begin_or_die(self: Any, parcels: Any, taken: Any, *, now: Any) -> Any:
            return just_die() if ledger.read_text() else begin(self, parcels, taken, now=now)

        setattr(tour.Beginning, "begin", begin_or_die)  # noqa: B010 - the worker dies instead
    with channel(ledger, point, honours=honours):
        dispatch.dispatch(now=NOW)
