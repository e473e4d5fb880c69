"""The demo clinic behind a real web server on one Monday morning, for the tests that drive a browser.

    python -m tests.browser.serve FOLDER PORT

It runs in a process of its own, on SQLite, with its clock set to the same instant each time, so that what is
open, late or due does not depend on when the tests run; SIGUSR1 sets it back to when the data were ready.
FOLDER/pages.json says which pages there are, each with a login that may see it; FOLDER/ready appears when the
server answers.
"""

import json
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

import time_machine

MONDAY = datetime(2026, 3, 9, 8, 5, tzinfo=UTC)  # 10:05 in Jerusalem


def main(folder: Path, port: int) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "clinic_journey.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'clinic.sqlite3'}",
        "DEMO": "1",
        "PUBLIC_URL": f"http://localhost:{port}",
        "TELEGRAM_BOT_NAME": "alon_clinic_bot",  # so that a messenger can be linked
        "LOG_LEVEL": "CRITICAL",  # GET on what only takes POST is asked on purpose
    }
    with time_machine.travel(MONDAY, tick=True) as clock:
        prepare(folder)
        ready = time()  # after all that the data tell of
        signal.signal(signal.SIGUSR1, lambda _signal, _frame: clock.move_to(ready))
        serve(folder, port)


def prepare(folder: Path) -> None:
    import django  # noqa: PLC0415 - app ready

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - app ready
    from django.db import connection  # noqa: PLC0415 - app ready

    from tests.browser.pages import pages  # noqa: PLC0415 - app ready

    for command in ("migrate", "load_catalogue", "load_messages", "load_demo"):
        call_command(command, verbosity=0, stdout=sys.stderr)
    (folder / "pages.json").write_text(json.dumps(list(pages())))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def serve(folder: Path, port: int) -> None:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: PLC0415 - app ready

    from clinic_journey.wsgi import application  # noqa: PLC0415 - app ready

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has
            """Only errors are of interest, and those the product logs itself."""

    server = ThreadedWSGIServer(("127.0.0.1", port), Quiet)
    server.set_app(application)
    (folder / "ready").touch()
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
