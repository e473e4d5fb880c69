"""However long the file: rows come one by one, and a chunk costs the same whatever came before it."""

import io
from itertools import islice

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic_journey.importing import actions, reading, work
from clinic_journey.importing.models import Import, ImportStatus
from patients.models import Patient
from tests import builders
from tests.clinic_journey.importing.files import HEADER, csv_file, until_idle, uploaded
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
CHUNK, CHUNKS = 20, 4


def people(count: int) -> list[tuple[str, ...]]:
    return [
        (f"Name{n}", f"Family{n}", f"050-{2_000_000 + n}", f"p{n}@mail.example", f"{n % 28 + 1}.5.1991", "")
        for n in range(count)
    ]


def queries_of(run: Import, stage: str) -> list[int]:
    """How many statements each chunk of a stage took, the step to the next stage left out."""
    counted = []
    while run.status == stage:
        with CaptureQueriesContext(
            connection,
        ) as taken:
            rows = work.advance(run, lambda: NOW)
        if rows:
            counted.append(len(taken))
    return counted


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Import:
    monkeypatch.setattr(work, "CHUNK", CHUNK)
    made = uploaded(builders.clinic(), csv_file(HEADER, *people(CHUNK * CHUNKS)))
    actions.choose_columns(made, made.columns, made.date_order, now=NOW)
    made.refresh_from_db()
    work.advance(made, lambda: NOW)
    return made


def test_checking_costs_the_same_for_every_chunk(run: Import) -> None:
    counted = queries_of(run, ImportStatus.CHECKING)
    assert len(counted) == CHUNKS
    assert len(set(counted[1:])) == 1  # the first has no row before it
    assert max(counted) <= CHUNK  # fewer than one for each row


def test_writing_costs_the_same_for_every_chunk(run: Import) -> None:
    until_idle(run)
    actions.start(run, now=NOW)
    counted = queries_of(run, ImportStatus.IMPORTING)
    assert (len(counted), Patient.objects.count()) == (CHUNKS, CHUNK * CHUNKS)
    assert len(set(counted[1:])) == 1  # the first has no patient before it


def test_no_more_of_a_file_is_read_than_the_rows_asked_for() -> None:
    content = csv_file(HEADER, *people(5_000))
    file = io.BytesIO(content)
    layout = reading.look(file).layout
    rows = reading.rows(file, layout)
    assert len(list(islice(rows, 10))) == 10
    assert file.tell() < len(content) // 10
