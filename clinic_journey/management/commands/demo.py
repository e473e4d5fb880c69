"""One command for a clinic to try: fresh data, web, worker and beat in one terminal, gone on Ctrl-C."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

NEEDED_BYTES = 300 * 1024 * 1024
STOP_SECONDS = 10
DIES_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG


class Command(BaseCommand):
    help = "Load a demo clinic and run it: web, worker and beat together. Ctrl-C stops everything."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        port = free_port(os.environ.get("PORT", "8000"))
        folder = settings.BASE_DIR / "var" / "demo"
        make_room(folder)
        env = {
            **os.environ,
            "DEMO": "1",
            "VAR_DIR": str(folder),
            "PUBLIC_URL": f"http://localhost:{port}",
            "CELERY_BROKER_URL": "filesystem://",
            "DATABASE_URL": f"sqlite:///{folder / 'clinic.sqlite3'}",
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
            "PYTHONUNBUFFERED": "1",
        }
        for step in (["migrate", "-v0"], ["load_catalogue"], ["load_messages"], ["load_demo"]):
            self.stdout.write(f"· {step[0]}")
            if subprocess.run(
                [sys.executable, "manage.py", *step], env=env, cwd=settings.BASE_DIR, check=False
            ).returncode:
                raise CommandError(
                    f"`manage.py {step[0]}` failed; its message is above. Mend it and run again."
                )
        run_until_stopped(processes(port), env, port=port, say=self.stdout.write)


def free_port(text: str) -> int:
    if not text.isdigit() or not 1024 <= int(text) <= 65535:  # noqa: PLR2004 - the range of ports
        message = f"PORT is {text!r}; choose a number from 1024 to 65535, e.g. PORT=8001 make demo"
        raise CommandError(message)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            message = (
                f"Port {text} is in use. Stop what uses it, or choose another: PORT={int(text) + 1} make demo"
            )
            raise CommandError(message) from error
    return int(text)


def make_room(folder: Path) -> None:
    """A demo starts from nothing each time; its folder is its own, apart from a clinic's real data."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        message = f"Cannot write to {folder}: {error.strerror}. Run it as the owner of this folder."
        raise CommandError(message) from error
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise CommandError(
            f"Only {free // 2**20} MB free here; the demo needs {NEEDED_BYTES // 2**20}. Free some disk space."
        )


def processes(port: int) -> dict[str, list[str]]:
    python = sys.executable
    return {
        "web": [
            python, "-m", "gunicorn", "clinic_journey.wsgi", "--bind", f"127.0.0.1:{port}",
            "--worker-class", "gthread", "--threads", "8", "--log-level", "warning",
        ],
        "worker": [
            python, "-m", "celery", "-A", "clinic_journey", "--quiet", "worker", "--pool", "threads",
            "--concurrency", "8", "--beat", "--loglevel", "warning", "--without-gossip", "--without-mingle",
        ],
    }  # fmt: skip


def start(command: list[str], env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """In a process group of its own, so that it stops whole; on Linux it also dies if this process is killed."""

    def die_with_parent() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGTERM)

    return subprocess.Popen(
        command,
        env=env,
        cwd=settings.BASE_DIR,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
    )


def run_until_stopped(commands: dict[str, list[str]], env: Mapping[str, str], *, port: int, say: Any) -> None:
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, stop)
    running = {name: start(command, env) for name, command in commands.items()}
    try:
        greeted = False
        while not stopped.wait(0.5):
            for name, process in running.items():
                if process.poll() is not None:
                    say(f"The {name} process ended by itself ({process.returncode}); starting it again.")
                    running[name] = start(commands[name], env)
            if not greeted and answers(port):
                greeted = True
                say(welcome(port))
    finally:
        say("Stopping …")
        stop_all(list(running.values()))


def answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as response:
            return bool(response.status == 200)  # noqa: PLR2004 - HTTP
    except (URLError, OSError):
        return False


def stop_all(running: "list[subprocess.Popen[bytes]]") -> None:
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
    for process in running:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def welcome(port: int) -> str:
    return f"""
Clinic Journey is running:  http://localhost:{port}

  reception   rina     demo
  doctor      cohen    demo
  manager     dan      demo
  set-up      admin    demo   (http://localhost:{port}/admin/)

  patients' phones, and a mail from the institute:  http://localhost:{port}/demo/

Nothing leaves this machine. Ctrl-C stops it.
"""
