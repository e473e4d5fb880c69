"""A month after an import its file and rows are gone; who imported what, and how much, stays."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from clinic_journey.celery import app
from clinic_journey.importing import actions
from clinic_journey.importing.forget import forget_imports
from clinic_journey.importing.models import KEPT_FOR, Import, ImportProblem, ImportRow, ImportStatus
from patients.actions import StaleStateError
from patients.models import Clinic, Patient, Role
from tests import builders
from tests.clinic_journey.importing.files import (
    DANA,
    HEADER,
    YOSSI,
    checked,
    csv_file,
    imported,
    states,
    uploaded,
)
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
WRONG = ("Noa", "Bar", "12", "", "", "")
LATER = NOW + KEPT_FOR
FILE = csv_file(HEADER, DANA, YOSSI, WRONG)


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


def stored(run: Import) -> bool:
    return run.file.storage.exists(f"imports/{run.public_id}")


def test_file_and_rows_go_and_the_counts_stay(clinic: Clinic) -> None:
    run = imported(clinic, FILE)
    assert (forget_imports(LATER - timedelta(seconds=1)), stored(run)) == (0, True)
    assert forget_imports(LATER) == 1
    run.refresh_from_db()
    assert (run.counts, run.forgotten_at, stored(run)) == ({"made": 2, "refused": 1}, LATER, False)
    assert (ImportRow.objects.count(), ImportProblem.objects.count(), Patient.objects.count()) == (0, 0, 2)
    assert forget_imports(LATER) == 0


def test_what_is_forgotten_cannot_be_undone_and_the_page_says_so(client: Client, clinic: Clinic) -> None:
    run = imported(clinic, FILE)
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    address = f"/import/{run.public_id}/"
    assert "removed after 8.4.2026" in client.get(address).content.decode()
    forget_imports(LATER)
    page = client.get(address).content.decode()
    assert "were removed on 8.4.2026" in page
    assert f"{address}undo/" not in page
    assert '<dd class="numbers">2</dd>' in page
    with pytest.raises(StaleStateError):
        actions.undo(Import.objects.get(), now=LATER)


def test_what_was_never_written_goes_wholly(clinic: Clinic) -> None:
    runs = [uploaded(clinic, FILE), checked(clinic, FILE)]
    assert forget_imports(LATER) == 2
    assert not Import.objects.exists()
    assert not any(stored(run) for run in runs)


def test_the_same_file_still_finds_its_patients(clinic: Clinic) -> None:
    imported(clinic, FILE)
    forget_imports(LATER)
    assert states(imported(clinic, FILE, now=LATER)) == ["found", "found", "refused"]


def test_an_interrupted_forgetting_is_ended_the_next_time(clinic: Clinic) -> None:
    run = imported(clinic, FILE)
    Import.objects.update(forgotten_at=LATER, counts={"made": 2, "refused": 1})
    assert (forget_imports(LATER), stored(run), ImportRow.objects.count()) == (1, False, 0)


def test_an_import_at_work_is_not_forgotten(clinic: Clinic) -> None:
    run = checked(clinic, FILE)
    actions.start(run, now=NOW)
    assert forget_imports(LATER) == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        Import.objects.filter(status=ImportStatus.IMPORTING).update(forgotten_at=NOW)


def test_it_happens_each_night() -> None:
    planned = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert "clinic_journey.importing.tasks.forget_imports" in planned
