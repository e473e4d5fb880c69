"""The database dies under a worker that sends, and comes back: nothing is lost, and nobody is contacted twice.

The worker is the product's own, under Celery, with a PostgreSQL of this test's. What it may not know any more, one
message, is with a person afterwards; everything else it sends without anybody's help.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import Client

from outreach.models import Attempt, AttemptStatus
from tests import builders
from tests.concurrency.a_worker import Pokes, until, worker
from tests.concurrency.figures import Figures
from tests.concurrency.private_server import Server, database
from tests.concurrency.test_dispatch_crash import KEY, check, recover_and_go_on
from tests.concurrency.trials import trials
from tests.conftest import NOW

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.concurrency,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server that could die"),
]


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[Server]:
    with TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            server.take_over_the_tables()
            yield server
        finally:
            server.die()


def due(how_many: int) -> list[Attempt]:
    return [
        builders.attempt(send_at=NOW - timedelta(minutes=1), expires_at=NOW + timedelta(hours=3))
        for _nth in range(how_many)
    ]


def page(address: str, cookies: str) -> str:
    """As a web server asks the product, so that connections are looked after as they are there."""
    environ = {"PATH_INFO": address, "HTTP_COOKIE": cookies, "wsgi.input": BytesIO()}
    setup_testing_defaults(environ)
    said: list[str] = []

    def starts(status: str, _headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], object]:
        said.append(status)
        return BytesIO().write

    WSGIHandler()(environ, starts).close()
    return said[0]


def of_a_receptionist() -> str:
    client = Client()
    client.force_login(builders.user(at=Attempt.objects.earliest("pk").patient.clinic))
    return client.cookies.output(header="", sep=";")


KILL_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = '{}'"
)


FAULTS = ("the server", "its connections")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seed", trials(1, 100))
def test_nothing_is_lost_with_the_database_and_nothing_repeated(
    server: Server, fault: str, seed: int, tmp_path: Path, figures: Figures
) -> None:
    """By turns through a channel that honours our reference and one that does not."""
    honours = bool((seed + FAULTS.index(fault)) % 2)
    name = f"trial_{seed}_{FAULTS.index(fault)}"
    ledger = tmp_path / "ledger"
    ledger.touch()
    pokes = Pokes(tmp_path)
    with database(server, name):
        builders.messages_loaded()
        due(30)
        cookies = of_a_receptionist()
        with worker(ledger, honours=honours, DATABASE_URL=server.url(name)) as process:
            until(lambda: len(ledger.read_text().split()) > seed % 20, pokes)
            if fault == "the server":
                server.die()
                assert page("/today/", cookies).startswith("503")
                pokes.dispatch()  # that tick finds no database
                server.start()
            else:
                server.sql(KILL_ALL.format(name))
                assert page("/today/", cookies).startswith("200")
            assert page("/today/", cookies).startswith("200")
            later = {each.pk for each in due(5)}
            until(lambda: Attempt.objects.filter(pk__in=later, status=AttemptStatus.SENT).count() == 5, pokes)
            assert process.poll() is None
        recover_and_go_on(ledger, honours=honours)
        figures.look(ledger, KEY[honours], f"the database: {fault}", honours=honours)
        assert check(ledger, honours=honours) <= (0 if honours else 1)
