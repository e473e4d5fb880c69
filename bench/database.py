"""A database of its own for a measurement, and clocks that compare two ways fairly.

Set-up: `BENCH_DATABASE_URL` (PostgreSQL; the default is localhost) or `sqlite`. The database is made anew, under
the name `BENCH_DATABASE`: two measurements at once need two.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import django

PAIRS = 7  # performance.md 4: alternating order, at least seven pairs, the median of the pair ratios


def connect(kind: str) -> None:
    """Point Django at a fresh database of this kind ("postgresql" or "sqlite") and migrate it."""
    folder = tempfile.mkdtemp(prefix="clinic-journey-bench-")
    os.environ["VAR_DIR"] = folder
    os.environ["LOG_LEVEL"] = "ERROR"
    os.environ["DJANGO_SETTINGS_MODULE"] = "clinic_journey.settings"
    if kind == "sqlite":
        os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
    else:
        os.environ["DATABASE_URL"] = _fresh_postgresql()
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - app ready

    call_command("migrate", verbosity=0)
    call_command("load_catalogue", verbosity=0)


def _fresh_postgresql() -> str:
    import psycopg2  # type: ignore[import-untyped]  # noqa: PLC0415 - optional dependency

    name = os.environ.get("BENCH_DATABASE", "clinic_bench")
    base = os.environ.get("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
    try:
        connection = psycopg2.connect(base.replace("postgres://", "postgresql://"))
    except psycopg2.OperationalError as error:
        sys.exit(f"PostgreSQL does not answer ({error}). Start it, or set BENCH_DATABASE_URL.")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()
    return base.rsplit("/", 1)[0] + f"/{name}"


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def ratio_of(
    ours: Callable[[], object],
    floor: Callable[[], object],
    *,
    between: Callable[[], object],
    pairs: int = PAIRS,
) -> tuple[float, float, float]:
    """Median seconds of ours and of the floor, and the median of the pair ratios; who is first alternates."""
    found: list[tuple[float, float]] = []
    for pair in range(pairs):
        first, second = (ours, floor) if pair % 2 == 0 else (floor, ours)
        between()
        one = seconds(first)
        between()
        two = seconds(second)
        found.append((one, two) if pair % 2 == 0 else (two, one))
    ratios = [mine / least for mine, least in found]
    return (
        statistics.median(mine for mine, _least in found),
        statistics.median(least for _mine, least in found),
        statistics.median(ratios),
    )


def line(name: str, measured: str, goal: str, *, met: bool) -> None:
    print(f"{name:58} {measured:>28}   {goal:<22} {'ok' if met else 'MISSED'}", flush=True)
