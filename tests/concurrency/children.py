"""A process that dies in the middle of its work, thousands of times a night.

Loading the product takes seconds, so one process loads it once and forks the others: each has a connection of its
own, and a kill leaves of it what it leaves of a worker, an open transaction and what is committed.
"""

import importlib
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from django.db import connection

FORKS = multiprocessing.get_context("forkserver")
LOADED = "tests.concurrency.loaded"
FORKS.set_forkserver_preload([LOADED])


def _on(database: str, main: Callable[..., None], *args: Any) -> None:
    importlib.import_module(LOADED)
    connection.settings_dict["NAME"] = database
    main(*args)


@contextmanager
def started(main: Callable[..., None], *args: Any) -> Iterator[ForkServerProcess]:
    """`main` of a module of ours, on this test's database."""
    process = FORKS.Process(target=_on, args=(str(connection.settings_dict["NAME"]), main, *args))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def ended(main: Callable[..., None], *args: Any) -> int | None:
    """Its exit code, the number of the signal below zero where it was killed."""
    with started(main, *args) as process:
        process.join()
        return process.exitcode


def is_stopped(process: ForkServerProcess) -> bool:
    """By SIGSTOP. It is no child of ours, so the system is asked."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
