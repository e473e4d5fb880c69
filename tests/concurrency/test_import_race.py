"""Workers at one import together, and workers killed in the middle: each row once, nothing lost."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.conf import settings as django_settings
from django.db import connection

from clinic_journey.importing import actions
from clinic_journey.importing.models import AT_WORK, Import, ImportStatus
from clinic_journey.importing.work import advance
from patients.actions import StaleStateError
from patients.models import Patient
from tests import builders
from tests.clinic_journey.importing.files import HEADER, checked, csv_file, until_idle, uploaded
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
ROWS = 350


def people(count: int = ROWS) -> bytes:
    return csv_file(HEADER, *[(f"Dana{n}", "Levi", f"050-2{n:06}", "", "", "") for n in range(count)])


def outcome(run: Import) -> tuple[int, int, dict[str, int]]:
    by_state: dict[str, int] = {}
    for state in run.rows.values_list("state", flat=True):
        by_state[state] = by_state.get(state, 0) + 1
    return Patient.objects.count(), Patient.objects.values("given_name").distinct().count(), by_state


def test_workers_that_ignore_each_others_courtesy_still_write_each_row_once() -> None:
    run = uploaded(builders.clinic(), people())
    actions.choose_columns(run, run.columns, run.date_order, now=NOW)
    workers = 3

    def go_on(barrier: Barrier) -> int:
        mine, lost = 0, 0
        try:
            barrier.wait()
            while True:
                seen = Import.objects.select_related("clinic").get(pk=run.pk)
                if seen.status not in AT_WORK:
                    return lost
                try:
                    mine += advance(seen, lambda: NOW)
                except StaleStateError:
                    lost += 1
        finally:
            connection.close()

    for _stage in ("read and check", "write"):
        barrier = Barrier(workers)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(go_on, [barrier] * workers))
        run.refresh_from_db()
        if run.status == ImportStatus.CHECKED:
            assert run.rows.count() == ROWS
            assert run.total == ROWS
            actions.start(run, now=NOW)
    assert run.status == ImportStatus.DONE
    assert outcome(run) == (ROWS, ROWS, {"made": ROWS})


def test_a_second_worker_leaves_an_import_alone_while_one_is_at_it() -> None:
    from clinic_journey.importing.work import BUSY, claim  # noqa: PLC0415 - slow import

    run = uploaded(builders.clinic(), people(1))
    actions.choose_columns(run, run.columns, run.date_order, now=NOW)
    assert claim(NOW) == run
    assert claim(NOW) is None
    assert claim(NOW + BUSY + timedelta(seconds=1)) == run


@pytest.mark.parametrize("stage", ["READING", "CHECKING", "IMPORTING", "UNDOING"])
def test_a_killed_worker_loses_nothing_and_repeats_nothing(stage: str) -> None:
    clinic = builders.clinic()
    if stage in {"READING", "CHECKING"}:
        run = uploaded(clinic, people())
        actions.choose_columns(run, run.columns, run.date_order, now=NOW)
    else:
        run = checked(clinic, people())
        actions.start(run, now=NOW)
    if stage == "UNDOING":
        actions.undo(until_idle(run), now=NOW)
    database = str(connection.settings_dict["NAME"])
    done = subprocess.run(
        [sys.executable, "-m", "tests.concurrency.dying_import", stage, database],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "LOG_LEVEL": "CRITICAL", "MEDIA_FOLDER": str(django_settings.MEDIA_ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    run.refresh_from_db()
    assert run.status == ImportStatus[stage]
    later = datetime(2026, 3, 9, 9, tzinfo=UTC)
    until_idle(run, now=later)
    if run.status == ImportStatus.CHECKED:
        actions.start(run, now=later)
        until_idle(run, now=later)
    if stage == "UNDOING":
        assert outcome(run) == (0, 0, {"taken_back": ROWS})
    else:
        assert outcome(run) == (ROWS, ROWS, {"made": ROWS})
