"""100,000 patients from a CSV and from an XLSX file, through every stage, in bounded memory.

    .venv/bin/python -m bench.imports [postgresql|sqlite] [--rows 100000] [--kind csv xlsx]

Upload, choice of columns, reading, checking and writing are the product's own functions, called as a tick calls
them. Memory is what the process holds after the first thousand rows of a stage against its peak in that stage;
pace is the last tenth of a stage's rows against its second tenth (the first one warms up).
"""

import argparse
import csv
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any, NamedTuple, Self

from bench.database import connect, line

HEADER = ("Patient number", "First name", "Family name", "Mobile", "E-mail", "Date of birth", "Speaks")
FAMILIES = ("Levi", "Cohen", "Petrov", "Haddad", "Mizrahi", "Smirnova", "Azulay", "Nassar")
MOBILES = "0234"
OLDEST, LIVES = date(1940, 1, 1), 75 * 365  # days over which the births are spread
MOST_GROWTH, SLOWEST = 40, 1.5  # MB; times as long for a row at the end as near the beginning


class Point(NamedTuple):
    """After a tick: rows that the stage has dealt with, seconds since its beginning, MB held."""

    rows: int
    at: float
    held: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", nargs="?", default="postgresql", choices=["postgresql", "sqlite"])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kind", nargs="+", default=["csv", "xlsx"], choices=["csv", "xlsx"])
    asked = parser.parse_args()
    connect(asked.database)
    for kind in asked.kind:
        print(f"\n{asked.database}, {asked.rows:,} rows of {kind}", flush=True)
        bring_in(kind, asked.rows)


def people(count: int) -> Iterator[Sequence[str]]:
    for n in range(count):
        phone = f"05{MOBILES[n % len(MOBILES)]}-{2_000_000 + n // len(MOBILES):07}"
        born = (OLDEST + timedelta(days=n * 7919 % LIVES)).isoformat()
        family = f"{FAMILIES[n % len(FAMILIES)]}{n // 97}"
        yield f"{n + 1}", f"Name{n % 997}", family, phone, f"p{n}@mail.example", born, "he"


def written(kind: str, count: int) -> Path:
    path = Path(tempfile.mkdtemp(prefix="clinic-journey-bench-")) / f"patients.{kind}"
    if kind == "csv":
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(people(count))
        return path
    from openpyxl import Workbook  # noqa: PLC0415 - slow import

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Patients")
    for row in (HEADER, *people(count)):
        sheet.append(list(row))
    book.save(path)
    return path


def held_megabytes() -> float:
    status = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmRSS"].split()[0]) / 1024


def bring_in(kind: str, count: int) -> None:
    from django.utils import timezone  # noqa: PLC0415 - app ready

    from clinic_journey.importing import actions  # noqa: PLC0415 - app ready
    from clinic_journey.importing.models import ImportKind, ImportStatus  # noqa: PLC0415 - app ready
    from patients.models import Patient  # noqa: PLC0415 - app ready
    from tests import builders  # noqa: PLC0415 - app ready

    clinic = builders.clinic()
    path = written(kind, count)
    with path.open("rb") as file:
        given = actions.Upload(ImportKind.PATIENTS, path.name, file, path.stat().st_size)
        run = actions.upload(clinic, given, now=timezone.now(), by=None)
    actions.choose_columns(run, run.columns, run.date_order, now=timezone.now())
    for stage in (ImportStatus.READING, ImportStatus.CHECKING, ImportStatus.IMPORTING):
        if stage == ImportStatus.IMPORTING:
            actions.start(run, now=timezone.now())
        measure(run, stage)
    states = set(run.rows.values_list("state", flat=True))
    made = Patient.objects.filter(clinic=clinic).count()
    line("patients made", f"{made:,}", f"= {count:,}", met=(made, states) == (count, {"made"}))


def measure(run: Any, stage: str) -> None:
    points = list(ticks(run, stage))
    seconds, rows = points[-1].at, points[-1].rows
    warm = next((point for point in points if point.rows >= min(1000, rows)), points[-1])
    peak = max(point.held for point in points)
    growth = peak - warm.held
    print(
        f"{stage:10} {rows:>9,} rows {seconds:8.1f} s {rows / seconds:8.0f} rows/s, at most {peak:.0f} MB held",
        flush=True,
    )
    line(
        f"{stage}: memory beyond the first 1,000 rows",
        f"{growth:.0f} MB",
        f"<= {MOST_GROWTH} MB",
        met=growth <= MOST_GROWTH,
    )
    if stage != "reading":
        slower = pace(points, 0.9, 1) / pace(points, 0.1, 0.2)
        line(
            f"{stage}: a row of the last tenth / of the second",
            f"{slower:.2f}",
            f"<= {SLOWEST}",
            met=slower <= SLOWEST,
        )


def pace(points: list[Point], start: float, end: float) -> float:
    """Seconds a row between two shares of the whole."""
    rows = points[-1].rows
    inside = [point for point in points if start * rows <= point.rows <= end * rows]
    if len(inside) < 2:
        return points[-1].at / rows
    return (inside[-1].at - inside[0].at) / (inside[-1].rows - inside[0].rows)


def ticks(run: Any, stage: str) -> Iterator[Point]:
    from django.utils import timezone  # noqa: PLC0415 - app ready

    from clinic_journey.importing.work import advance, in_the_clinics_words  # noqa: PLC0415 - app ready

    began, rows = perf_counter(), 0
    run.refresh_from_db()
    with in_the_clinics_words(run), Watcher() as watcher:
        while run.status == stage:
            rows += advance(run, timezone.now)
            if stage == "reading":
                yield from watcher.points(rows, began)
            yield Point(rows, perf_counter() - began, held_megabytes())


class Watcher:
    """Reading is one long call: memory is looked at beside it."""

    def __enter__(self) -> Self:
        self.seen: list[tuple[float, float]] = []
        self.ended = Event()
        self.thread = Thread(target=self._look, daemon=True)
        self.thread.start()
        return self

    def _look(self) -> None:
        while not self.ended.wait(0.05):
            self.seen.append((perf_counter(), held_megabytes()))

    def points(self, rows: int, began: float) -> Iterator[Point]:
        whole = perf_counter() - began
        for at, held in self.seen:
            yield Point(int(rows * (at - began) / whole), at - began, held)

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self.thread.join()


if __name__ == "__main__":
    main()
