"""The demo clinic behind a real web server on one Monday morning, for the tests that drive a browser.

    python -m tests.browser.serve FOLDER PORT

It runs in a process of its own, on SQLite, with its clock set to the same instant each time, so that what is
open, late or due does not depend on when the tests run. FOLDER/pages.json says which pages there are, each with
a login that may see it; FOLDER/ready appears when the server answers.
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import time_machine

MONDAY = datetime(2026, 3, 9, 8, 5, tzinfo=UTC)  # 10:05 in Jerusalem
LOGINS = ("rina", "cohen", "dan", "admin")
NOT_PAGES = {"logout", "set_language", "alive", "ready", "file", "schema"}


def main(folder: Path, port: int) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "clinic_journey.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'clinic.sqlite3'}",
        "DEMO": "1",
        "PUBLIC_URL": f"http://localhost:{port}",
        "LOG_LEVEL": "CRITICAL",  # GET on what only takes POST is asked on purpose
    }
    with time_machine.travel(MONDAY, tick=True):
        prepare(folder)
        serve(folder, port)


def prepare(folder: Path) -> None:
    import django  # noqa: PLC0415 - app ready

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - app ready
    from django.db import connection  # noqa: PLC0415 - app ready

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


def pages() -> Iterator[dict[str, str]]:
    """Every page of the product that a GET shows, with an object of the demo and the first login that sees it."""
    from django.test import Client  # noqa: PLC0415 - app ready

    from outreach.links import path_for  # noqa: PLC0415 - app ready
    from tests.clinic_journey.test_access import routes  # noqa: PLC0415 - app ready

    objects, patient_links = choose()
    clients = {name: Client(headers={"host": "localhost"}) for name in LOGINS}
    for name, client in clients.items():
        assert client.login(username=name, password="demo")
    yield {"name": "login", "path": "/login/", "login": ""}
    for name, journey in patient_links.items():
        yield {"name": name, "path": path_for(journey), "login": ""}
    for route, pattern in routes():
        path = f"/{route}"
        for argument, value in objects.items():
            for kind in ("uuid", "int"):
                path = path.replace(f"<{kind}:{argument}>", str(value))
        if "<" in path or pattern.name in NOT_PAGES:
            continue
        for login, client in clients.items():
            answer = client.get(path)
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                yield {"name": str(pattern.name), "path": path, "login": login}
                break


def choose() -> tuple[dict[str, Any], dict[str, Any]]:
    """One object of each kind that a URL may name, and the journeys whose patients' pages are looked at."""
    from appointments.models import Appointment, AppointmentStatus  # noqa: PLC0415 - app ready
    from journeys.models import Journey, JourneyStatus, StepKind, StepStatus  # noqa: PLC0415 - app ready
    from referrals.models import IncomingDocument, Referral, Result  # noqa: PLC0415 - app ready

    referral = Referral.objects.filter(results__isnull=False).first()
    assert referral is not None
    booked = Appointment.objects.filter(status=AppointmentStatus.BOOKED).first()
    result, document = Result.objects.first(), IncomingDocument.objects.first()
    assert booked
    assert result
    assert document
    journeys = Journey.objects.filter(status=JourneyStatus.ACTIVE, patient__isnull=False)
    asked = journeys.filter(steps__kind=StepKind.CONFIRM, steps__status=StepStatus.ACTIVE).first()
    invited = journeys.filter(steps__kind=StepKind.RECALL, steps__status=StepStatus.ACTIVE).first()
    step = referral.journey.steps.first()
    assert asked
    assert invited
    assert step
    objects = {
        "patient_id": referral.patient.public_id,
        "step_id": step.public_id,
        "journey_id": referral.journey.public_id,
        "document_id": document.public_id,
        "referral_id": referral.public_id,
        "result_id": result.public_id,
        "appointment_id": booked.public_id,
    }
    return objects, {
        "patient_page_confirm": asked,
        "patient_page_invited": invited,
        "patient_page_waits": referral.journey,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
