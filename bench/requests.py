"""V3 of the design: list pages a second through a real server, against the same server's empty answer.

Two processes of gunicorn (sync) are asked by `wrk`, a package of Debian, over 16 connections on this machine. The goal
is set for a page of fifty rows: so many are due in one clinic of the crowd. Beside it, without a goal, stands Today of
the clinic of the other measurements, where more are due.
"""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import TYPE_CHECKING

import httpx

from bench.database import line

if TYPE_CHECKING:
    from django.test import Client

    from bench.crowd import Crowd

EMPTY = "/healthz"
ROWS = 50
ROW = re.compile(r'class="queue-row"|<tr><th scope="row">')
TURNS, LASTS = 3, 5  # of each page, and seconds of a turn
GOAL = 0.06


def measure_requests(crowd: "Crowd") -> None:
    if not shutil.which("wrk"):
        print("V3 is not measured: `wrk` is missing (apt install wrk)")
        return
    with served(crowd.name) as address:
        measure_page(address, "/patients/", crowd.desk_with(ROWS), goal=GOAL)
        measure_page(address, "/today/", crowd.desk_with(ROWS), goal=GOAL)
        measure_page(address, "/today/", crowd.client("receptionist"))


def measure_page(address: str, path: str, client: "Client", *, goal: float | None = None) -> None:
    cookie = client.cookies["sessionid"].value
    rows = len(ROW.findall(client.get(path).content.decode()))
    assert goal is None or rows == ROWS, f"{path} shows {rows} rows"
    pairs = [(rate(address, path, cookie), rate(address, EMPTY, cookie)) for _turn in range(TURNS)]
    ratio = statistics.median(page / empty for page, empty in pairs)
    words = f"{pairs[-1][0]:.0f} / {pairs[-1][1]:.0f} a s = {ratio:.3f}"
    wanted = f">= {goal}" if goal else "no goal"
    line(f"V3 {path}, {rows} rows: pages a second / empty", words, wanted, met=not goal or ratio >= goal)


@contextmanager
def served(database: str) -> Iterator[str]:
    """The product on a free port, as it is served, over this database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{database}"
    command = [sys.executable, "-m", "gunicorn", "clinic_journey.wsgi:application", "--workers", "2"]
    server = subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{port}", "--log-level", "error"],
        env={**os.environ, "DATABASE_URL": url},
    )
    try:
        address = f"http://127.0.0.1:{port}"
        while not answers(address + EMPTY):
            sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=30).is_success
    except httpx.TransportError:
        return False


def rate(address: str, path: str, cookie: str) -> float:
    """Answers a second; anything but an answer of 200 ends the measurement."""
    command = ["wrk", "-t1", "-c16", f"-d{LASTS}s", "-H", f"Cookie: sessionid={cookie}", address + path]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return float(found[1])
