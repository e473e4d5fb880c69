"""A PostgreSQL of a test's own, to be killed and started again: the suite's own server stays up."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from tests.conftest import need

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name))
# The disk is not what fails here, so nothing waits for it; what is committed is written all the same.
OPTIONS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c full_page_writes=off"
NOT_FOR_IT = {"PGOPTIONS"}  # of the suite's server: it may forget what it has committed
TEMPLATE = "as_the_suite"


class Server:
    def __init__(self, folder: Path) -> None:
        """`folder` is one that every user of the machine may reach: PostgreSQL refuses to run as root."""
        need(PROGRAMS, "PostgreSQL's own programs (apt install postgresql)")
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.data = folder / "data"
        self.data.mkdir()
        folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres")
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        self.start()

    def start(self) -> None:
        self._run("pg_ctl", "-o", f"-p {self.port} {OPTIONS}", "-l", str(self.data / "log"), "-w", "start")

    def die(self) -> None:
        """At once, as if it had been killed: it recovers when it starts again."""
        self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def take_over_the_tables(self) -> None:
        """The same tables, constraints and triggers as the suite's database has, and no rows."""
        self.sql(f"CREATE DATABASE {TEMPLATE}")
        there = connection.settings_dict
        of_suite = {"PGHOST": there["HOST"], "PGPORT": str(there["PORT"]), "PGUSER": there["USER"]}
        dump = subprocess.run(
            [str(PROGRAMS[-1] / "pg_dump"), "--schema-only", str(there["NAME"])],
            env={**self._env(), **of_suite, "PGPASSWORD": there["PASSWORD"]},
            capture_output=True,
            check=True,
        )
        self._psql(TEMPLATE, dump.stdout)

    def sql(self, text: str) -> None:
        self._psql("postgres", text.encode())

    def url(self, name: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def _psql(self, name: str, text: bytes) -> None:
        psql = [str(PROGRAMS[-1] / "psql"), "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", self.url(name)]
        subprocess.run(psql, env=self._env(), input=text, stdout=subprocess.DEVNULL, check=True)

    def _run(self, program: str, *arguments: str) -> None:
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*as_postgres, str(PROGRAMS[-1] / program), "-D", str(self.data), *arguments]
        subprocess.run(command, env=self._env(), cwd="/", stdout=subprocess.DEVNULL, check=True)

    def _env(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name not in NOT_FOR_IT}


@contextmanager
def database(server: Server, name: str) -> Iterator[None]:
    """This process, too, works in a new database there for a while."""
    server.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    usual = dict(connection.settings_dict)
    connection.close()
    there = {"HOST": "127.0.0.1", "PORT": server.port, "USER": "postgres", "PASSWORD": "", "NAME": name}
    connection.settings_dict.update(there)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(usual)
