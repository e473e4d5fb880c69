"""What the tests of screens ask of a page."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment, Practitioner
from patients.models import Patient
from tests import builders
from tests.conftest import NOW

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# NOW is Monday, 10:00 in Jerusalem. The doctor receives on weekdays from 9 to 12 there, 7 to 10 in UTC.
TOMORROW_9 = datetime(2026, 3, 10, 7, 0, tzinfo=NOW.tzinfo)
FRAME = ("django_session", "auth_user", "patients_membership", "outreach_reply")  # asked by every staff page


def visit_at(
    patient: Patient, doctor: Practitioner, start: datetime, status: str = "booked", **fields: Any
) -> Appointment:
    return builders.appointment(patient, practitioner=doctor, start=start, status=status, **fields)


def text_of(answer: Any) -> str:
    """The page in one line, so that a phrase can be looked for as it is read."""
    return re.sub(r"\s+", " ", answer.content.decode())


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def questions(client: Client, path: str) -> int:
    """How many queries a page makes, those that every page makes left out."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    frame = [*(f'FROM "{table}"' for table in FRAME), 'JOIN "outreach_reply"', 'INTO "patients_auditevent"']
    return sum(not any(part in query["sql"] for part in frame) for query in asked)


def starts_offered(answer: Any) -> list[str]:
    found = re.findall(r'name="start" value="([^"]+)"', answer.content.decode())
    return [f"{datetime.fromisoformat(text) + 2 * timedelta(hours=1):%d %H:%M}" for text in found]


def booking(doctor: Practitioner, at: datetime, **fields: object) -> dict[str, object]:
    given = {"practitioner": doctor.pk, "minutes": 30, "start": at.isoformat(), "request_key": "k1"}
    return {**given, "offered_for": doctor.pk, **fields}
