"""B1 and B2 of the design: 50 clients book, over many slots and all at one, on PostgreSQL.

    .venv/bin/python -m bench.book [--bookings 3000] [--rounds 40]

The booking is the product's own, with its checks, its event and who made it. "Floor" is the least that keeps
two patients out of one slot: one statement that inserts the visit and the uses of its cells, whose keys are
known beforehand, in plain psycopg2. Both run in the same 50 threads, on the same connections.
"""

import argparse
import random
import statistics
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

from bench.database import connect, line, ratio_of, seconds

if TYPE_CHECKING:
    from appointments.actions import Visit

Found = TypeVar("Found")
NOW = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
START = NOW + timedelta(days=1)
CLIENTS = 50
DOCTORS = 20
CELLS = 100_000  # of ten minutes, in the calendars of all doctors together
LENGTH = 30  # minutes of a visit: three cells
TABLES = "appointments_appointmentevent, appointments_slotuse, appointments_appointment"
FLOOR = """
    WITH made AS (
        INSERT INTO appointments_appointment (public_id, clinic_id, patient_id, practitioner_id, title, start, "end",
            status, ended_because, made_at, made_by_id, request_key)
        VALUES (%s, %s, %s, %s, '', %s, %s, 'booked', '', %s, %s, %s) RETURNING id
    )
    INSERT INTO appointments_slotuse (slot_id, appointment_id)
    SELECT cell, made.id FROM made CROSS JOIN unnest(%s::bigint[]) AS cells(cell)"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bookings", type=int, default=3_000, help="each time")
    parser.add_argument("--rounds", type=int, default=40, help="of all clients at one slot")
    asked = parser.parse_args()
    connect("postgresql")
    calendar, crowd = Calendar(), Crowd()
    print(f"\npostgresql, {CLIENTS} clients, {CELLS:,} cells of {DOCTORS} doctors", flush=True)
    measure_spread(calendar, crowd, asked.bookings)
    measure_one_slot(calendar, crowd, asked.rounds)


class Calendar:
    """Doctors with open time, the patients, and the person at the desk."""

    def __init__(self) -> None:
        from tests import builders  # noqa: PLC0415 - app ready

        clinic = builders.clinic()
        self.by = builders.user()
        self.patients = [
            builders.patient(clinic, phone="", given_name=f"Patient {n}") for n in range(CLIENTS)
        ]
        self.doctors = [builders.practitioner(clinic, name=f"Dr {n}") for n in range(DOCTORS)]
        minutes = CELLS // DOCTORS * clinic.cell_minutes
        self.cells = {
            (doctor.pk, cell.start): cell.pk
            for doctor in self.doctors
            for cell in builders.open_time(doctor, START, minutes=minutes)
        }
        self.grid = timedelta(minutes=clinic.cell_minutes)
        self.places = [
            (doctor, START + timedelta(minutes=after))
            for doctor in self.doctors
            for after in range(0, minutes - LENGTH + 1, LENGTH)
        ]
        self.empty()

    def empty(self) -> None:
        """No visit at all, in tables as good as new: neither way pays for what the other left behind."""
        from django.db import connection  # noqa: PLC0415 - app ready

        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLES} CASCADE")
            cursor.execute("VACUUM ANALYZE appointments_slot")
            cursor.execute("CHECKPOINT")

    def visits(self, number: int) -> "list[Visit]":
        """Different places in the calendars, in no order."""
        from appointments.actions import Visit  # noqa: PLC0415 - app ready

        chosen = random.Random(1).sample(self.places, number)
        return [
            Visit(self.patients[n % CLIENTS], doctor, start, LENGTH)
            for n, (doctor, start) in enumerate(chosen)
        ]

    def cells_of(self, visit: "Visit") -> list[int]:
        steps = (visit.end - visit.start) // self.grid
        return [self.cells[visit.practitioner.pk, visit.start + self.grid * n] for n in range(steps)]


class Crowd:
    """Threads that stay, each with its own connection, and begin together."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(CLIENTS)
        self.gate = Barrier(CLIENTS)  # nobody passes before all are here, so each thread has one client
        self.all(lambda _client: None)

    def all(self, work: Callable[[int], Found]) -> list[Found]:
        from django.db import connection  # noqa: PLC0415 - app ready

        def come_and_work(client: int) -> Found:
            connection.ensure_connection()
            self.gate.wait(timeout=60)
            return work(client)

        return list(self.pool.map(come_and_work, range(CLIENTS)))


def measure_spread(calendar: Calendar, crowd: Crowd, number: int) -> None:
    """Each client books its share, one after the other, as fast as it is answered."""
    visits = calendar.visits(number)
    shares = [visits[client::CLIENTS] for client in range(CLIENTS)]
    rows = [[floor_row(calendar, visit) for visit in share] for share in shares]

    mine, least, ratio = ratio_of(
        lambda: crowd.all(lambda client: book_all(shares[client], calendar)),
        lambda: crowd.all(lambda client: insert_all(rows[client])),
        between=calendar.empty,
    )
    line(
        "B1 bookings/s spread over many slots: ours / floor",
        f"{number / mine:,.0f} / {number / least:,.0f} = {1 / ratio:.2f}",
        ">= 0.35",
        met=1 / ratio >= 0.35,
    )
    line("B1 ours, bookings/s (guard rail)", f"{number / mine:,.0f}", ">= 300", met=number / mine >= 300)
    calendar.empty()


def book_all(visits: "list[Visit]", calendar: Calendar) -> None:
    from appointments.actions import book  # noqa: PLC0415 - app ready

    for visit in visits:
        book(visit, now=NOW, by=calendar.by, request_key=uuid.uuid4().hex)


def floor_row(calendar: Calendar, visit: "Visit") -> tuple[object, ...]:
    patient, doctor = visit.patient, visit.practitioner.pk
    cells = calendar.cells_of(visit)
    return (patient.clinic_id, patient.pk, doctor, visit.start, visit.end, NOW, calendar.by.pk, cells)


def insert_all(rows: list[tuple[object, ...]]) -> None:
    from django.db import connection  # noqa: PLC0415 - app ready

    plain = connection.connection  # psycopg2's own, in autocommit: the statement is the transaction
    with plain.cursor() as cursor:
        for *visit, made_by, cells in rows:
            cursor.execute(FLOOR, [str(uuid.uuid4()), *visit, made_by, uuid.uuid4().hex, cells])


def measure_one_slot(calendar: Calendar, crowd: Crowd, rounds: int) -> None:
    """All clients ask for one slot, another one each round; all but one must hear “taken”, and nothing else."""
    heard: Counter[tuple[str, int]] = Counter()
    took: list[float] = []
    for visit in calendar.visits(rounds):
        answers: list[str] = []

        ask = partial(hear, calendar, visit, answers)
        took.append(seconds(partial(crowd.all, ask)) * 1000)
        heard.update(Counter(answers).items())
    expected = Counter({("booked", 1): rounds, ("taken", CLIENTS - 1): rounds})
    worst = max(took)
    line(
        f"B2 {CLIENTS} clients at one slot, {rounds} rounds: median / worst",
        f"{statistics.median(took):.0f} / {worst:.0f} ms",
        "worst <= 500 ms",
        met=worst <= 500,
    )
    line(
        "B2 answers but one booked, the others taken",
        str(dict(heard - expected) or "none"),
        "none",
        met=heard == expected,
    )


def hear(calendar: Calendar, visit: "Visit", answers: list[str], client: int) -> None:
    answers.append(answer_to(calendar, client, visit))


def answer_to(calendar: Calendar, client: int, visit: "Visit") -> str:
    from appointments.actions import SlotTakenError, book  # noqa: PLC0415 - app ready

    mine = replace(visit, patient=calendar.patients[client])
    try:
        book(mine, now=NOW, by=calendar.by, request_key=uuid.uuid4().hex)
    except SlotTakenError:
        return "taken"
    except Exception as error:  # noqa: BLE001 - every other answer is counted by its name
        return type(error).__name__
    return "booked"


if __name__ == "__main__":
    main()
