"""The disk is full: what was saved stays and can be read, what is not saved is said, and room is all it takes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client

from clinic_journey.away import is_disk_full
from journeys.models import EventKind, StepEvent
from outreach.dispatch import dispatch
from patients.models import AuditAction, AuditEvent, By, Clinic, Patient
from tests import builders
from tests.concurrency import crashing
from tests.concurrency.test_dispatch_crash import check, intended, recover_and_go_on
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.time_machine(NOW, tick=False)]
ON_SQLITE = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="there the file can be kept from growing"
)
WORDS = "There is no room left to save anything."
NOA = {"given_name": "Noa", "phone": "0502345679", "language": "en"}


def pragma(words: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {words}")
        return int(cursor.fetchone()[0])


def until_full(make: Callable[[int], object]) -> None:
    for n in range(10_000):
        try:
            make(n)
        except OperationalError:
            return
    raise AssertionError("There is always room.")


def fill(clinic: Clinic) -> None:
    """No page more, and none with room in it."""
    step = builders.step(builders.journey(clinic.patients.earliest("pk")))
    pragma(f"max_page_count = {pragma('page_count')}")
    until_full(lambda _n: builders.handover(clinic, words="x" * 2000))
    until_full(lambda _n: StepEvent.objects.create(step=step, kind=EventKind.NOTED, at=NOW, detail="x"))
    seen = {"by": By.USER, "action": AuditAction.READ, "at": NOW, "clinic_id": clinic.pk}
    until_full(lambda n: AuditEvent.objects.create(**seen, once=str(n), what="x" * 50, asked="y" * 200))


def is_whole() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        return list(cursor.fetchall()) == [("ok",)]


def make_room() -> None:
    pragma("max_page_count = 1073741823")


@pytest.fixture
def patient() -> Patient:
    builders.messages_loaded()
    return builders.patient()


@pytest.fixture
def desk(patient: Patient) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(builders.user(at=patient.clinic))
    return client


@ON_SQLITE
def test_what_cannot_be_saved_is_said(desk: Client, patient: Patient) -> None:
    """Nor is a record shown without a line in the audit trail (docs/decisions/010)."""
    fill(patient.clinic)
    try:
        assert desk.get("/desk/keys/").status_code == 200  # it shows nobody, so it writes no line
        answers = [desk.post("/patients/new/", NOA), desk.get(f"/patients/{patient.public_id}/")]
        assert [answer.status_code for answer in answers] == [503, 503]
        assert all(WORDS in answer.content.decode() for answer in answers)
        assert Patient.objects.count() == 1
    finally:
        make_room()
    assert desk.get(f"/patients/{patient.public_id}/").status_code == 200
    assert desk.post("/patients/new/", NOA).status_code == 302
    assert is_whole()


@ON_SQLITE
def test_messages_go_on_where_they_were_once_there_is_room(patient: Patient, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    ledger.touch()
    intended(10)
    with crashing.channel(ledger, honours=False):
        fill(patient.clinic)
        try:
            with pytest.raises(OperationalError, match="full"):
                dispatch(now=NOW)
        finally:
            make_room()
    recover_and_go_on(ledger, honours=False)
    assert check(ledger, honours=False) <= 1
    assert is_whole()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it is PostgreSQL's own name for it")
@pytest.mark.parametrize(("code", "is_full"), [("53100", True), ("53300", False)])
def test_postgresql_says_so_by_a_code(code: str, is_full: bool) -> None:
    with pytest.raises(OperationalError) as caught, connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$")
    assert is_disk_full(caught.value) == is_full
