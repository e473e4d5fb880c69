"""A browser on the demo clinic: one server and one Chromium for all of these tests, fresh data for each."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import need

DESK = {"width": 1400, "height": 900}
PATIENCE = 30_000  # milliseconds; a page asks for news every 4 or 5 seconds, and the machine may be busy
AS_WIDE_AS = """width => new Promise((done) => {
  const look = () => (innerWidth === width ? done() : requestAnimationFrame(look));
  look();
})"""
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
LANGUAGES = ("en", "he", "ru", "ar")
expect.set_options(timeout=PATIENCE)  # what is set on a context does not reach it


@pytest.hookimpl(tryfirst=True)  # before what is asked for is picked out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class DemoServer:
    address: str
    folder: Path
    process: subprocess.Popen[bytes]

    def restore(self) -> None:
        """Put the data and the clock back to where they were when the server started."""
        self.process.send_signal(signal.SIGUSR1)
        with (
            closing(sqlite3.connect(self.folder / "as-loaded.sqlite3")) as kept,
            closing(sqlite3.connect(self.folder / "clinic.sqlite3")) as live,
        ):
            kept.backup(live)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the product has written, read past it."""
        with closing(sqlite3.connect(self.folder / "clinic.sqlite3")) as live:
            return live.execute(sql, values).fetchall()

    def write(self, sql: str, *values: object) -> None:
        """As if time or somebody else had done it; the audit trail's triggers ask who: nobody."""
        with closing(sqlite3.connect(self.folder / "clinic.sqlite3", timeout=20)) as live, live:
            live.create_function("clinic_origin", 1, lambda name: 0 if name == "door" else None)
            live.execute(sql, values)

    def now(self) -> datetime:
        """What the server's own clock shows."""
        with urlopen(f"{self.address}/healthz", timeout=30) as answer:  # noqa: S310 - our own address
            return parsedate_to_datetime(answer.headers["Date"])

    def work(self, script: str) -> None:
        """Let a worker of the product do this, in a process of its own over the same data."""
        settings_of_it = {
            "DJANGO_SETTINGS_MODULE": "clinic_journey.settings",
            "VAR_DIR": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.folder / 'clinic.sqlite3'}",
            "CELERY_BROKER_URL": "filesystem://",
            "DEMO": "1",
            "PUBLIC_URL": self.address,
        }
        subprocess.run(
            [sys.executable, "-c", f"import django\ndjango.setup()\n{script}"],
            check=True,
            cwd=settings.BASE_DIR,
            env=os.environ | settings_of_it,
        )

    def pages(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads((self.folder / "pages.json").read_text())
        return found


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    need(shutil.which("chromium"), "Chromium (apt install chromium)")
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (folder / "log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.browser.serve", str(folder), str(port)],
        cwd=settings.BASE_DIR,
        stdout=log,
        stderr=log,
        env=os.environ | {"DATABASE_URL": "", "CELERY_BROKER_URL": "filesystem://"},
    )
    address = f"http://localhost:{port}"
    try:
        while not answers(f"{address}/healthz"):
            with suppress(subprocess.TimeoutExpired):  # it needs the processor itself
                server.wait(timeout=0.2)
            assert server.poll() is None, (folder / "log").read_text()
        shutil.copy(folder / "clinic.sqlite3", folder / "as-loaded.sqlite3")
        yield DemoServer(address, folder, server)
    finally:
        server.kill()
        server.wait()
        log.close()


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Closed before another test comes: while it is driven, Django would take this thread for an asynchronous one."""
    program = shutil.which("chromium")
    need(program, "Chromium (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


Opener = Callable[..., Page]


def resize(page: Page, size: dict[str, int]) -> None:
    """Resize the window and wait for the page to follow: on a busy machine some of it is still laid out as before."""
    page.set_viewport_size(size)  # type: ignore[arg-type]  # it wants its own TypedDict
    page.evaluate(AS_WIDE_AS, size["width"])


@pytest.fixture
def open_page(demo: DemoServer, chromium: Browser) -> Iterator[Opener]:
    """`open_page(path, login=…, language=…)`: a page in a browser of its own, logged in.

    Scripts' errors fail the test, and so does an answer that our server could not give.
    """
    demo.restore()
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(
        path: str, *, login: str = "rina", language: str = "en", has_clock: bool = False, **options: Any
    ) -> Page:
        context = chromium.new_context(
            base_url=demo.address, locale=language, viewport=options.pop("viewport", DESK), **options
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_cookies([{"name": "django_language", "value": language, "url": demo.address}])
        page = context.new_page()
        if has_clock:  # before any page of ours has read another one
            page.clock.install()
        page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
        page.on(
            "response",
            lambda said: errors.append(f"{said.status} {said.url}") if said.status >= 500 else None,
        )
        page.on("console", lambda said: errors.append(said.text) if "Content Security" in said.text else None)
        if login:
            page.goto("/login/")
            page.fill("[name=username]", login)
            page.fill("[name=password]", "demo")
            page.press("[name=password]", "Enter")
            page.wait_for_url(lambda url: "/login/" not in url)
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
