"""D1, D3, D5 and D6 of the design: messages leave, against two bare commits a message and Celery's own no-op.

    .venv/bin/python -m bench.dispatch [--messages 2000]

Ours is the product's own dispatch: claim, the last look, the words, `called_at`, the channel, the outcome with its
event and the next step. The channel takes everything at once. "Floor" is the least that keeps the promise never to
send twice: the intent committed, the outcome committed, one message after the other, in plain psycopg2. Celery's
rate is that of tasks that do nothing, over Redis (`CELERY_BROKER_URL`, else localhost) with two processes.

For D5 three senders with a pace each get nine tenths of it, evenly; every channel has its tick, as the clock of the
product beats it. How late a message is called is told by the channel itself.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread
from time import monotonic, sleep
from typing import Any

from bench.database import connect, line, ratio_of

NOW = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
ADDRESS = {"email": "email", "whatsapp": "whatsapp", "sms": "phone"}  # the kind that each channel needs
PACES = {"email": 100.0, "whatsapp": 10.0, "sms": 1.0}  # messages a second
OFFERED = 0.9  # of each pace
ANSWERS_IN = 0.2  # seconds that the provider of D6 takes


BEGAN = monotonic()


def clock() -> datetime:
    """A working day of the clinic, at whatever hour this is run."""
    return NOW + timedelta(seconds=monotonic() - BEGAN)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=2_000, help="each time")
    asked = parser.parse_args()
    for channel in PACES:
        os.environ[f"CHANNEL_{channel.upper()}"] = "console"
    connect("postgresql")
    outbox = Outbox(asked.messages)
    print(f"\npostgresql, {asked.messages:,} messages each time", flush=True)
    rate = measure_safe_path(outbox)
    measure_against_celery(rate)
    measure_lateness(outbox)
    measure_connections(outbox)


class Outbox:
    """Messages to as many patients, which the database makes due again as often as asked."""

    def __init__(self, size: int) -> None:
        from django.db import connection  # noqa: PLC0415 - app ready

        from journeys.models import StepTemplate  # noqa: PLC0415 - app ready
        from patients.actions import add_address  # noqa: PLC0415 - app ready
        from tests import builders  # noqa: PLC0415 - app ready

        builders.messages_loaded()
        self.clinic = builders.clinic()
        builders.opened(self.clinic)
        template = StepTemplate.objects.filter(needs_answer=True, template__status="active").first()
        for n in range(size):
            patient = builders.patient(self.clinic, phone=f"050-{2_000_000 + n}")
            builders.on_whatsapp(patient, f"97250{2_000_000 + n}")
            add_address(patient, "email", f"p{n}@patients.example", rank=3)
            step = builders.step(builders.journey(patient), template_step=template)
            builders.attempt(builders.task(step, plan_from=None))
        self.size, self.connection = size, connection

    def execute(self, sql: str, *values: Any) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, list(values))

    def fill(self) -> None:
        """All of them due now by SMS, as before their first contact."""
        self._as_new()
        self.execute("VACUUM ANALYZE outreach_attempt")
        self.execute("VACUUM ANALYZE outreach_outreachtask")
        self.execute("CHECKPOINT")

    def _as_new(self) -> None:
        self.execute("TRUNCATE journeys_stepevent CASCADE")
        self.execute(
            "UPDATE outreach_outreachtask SET plan_from = NULL, unanswered = 0, status = 'open', ended_at = NULL"
        )
        self.execute(
            "UPDATE outreach_attempt SET status = 'planned', lease = NULL, lease_until = NULL, called_at = NULL,"
            " sent_at = NULL, ended_at = NULL, provider_reference = '', expires_at = %s",
            NOW + timedelta(days=1),
        )
        for row in self._keys():
            self._turn_to("sms", NOW, row[0])

    def _turn_to(self, channel: str, due: datetime, pk: int) -> None:
        self.execute(
            "UPDATE outreach_attempt a SET channel = %s, send_at = %s, contact_point_id = p.id"
            " FROM patients_patientcontact t JOIN patients_contactpoint p ON p.id = t.contact_point_id"
            " WHERE a.id = %s AND t.patient_id = a.patient_id AND p.kind = %s",
            channel,
            due,
            pk,
            ADDRESS[channel],
        )

    def spread(self, first: datetime) -> dict[str, datetime]:
        """Due one after the other on each channel, at a little less than its pace; when, by our reference."""
        self._as_new()
        keys = self._keys()
        lasts = len(keys) / (OFFERED * sum(PACES.values()))
        due: dict[str, datetime] = {}
        for channel, pace in PACES.items():
            for n in range(int(lasts * pace * OFFERED)):
                pk, reference = keys.pop()
                due[reference] = first + timedelta(seconds=n / (pace * OFFERED))
                self._turn_to(channel, due[reference], pk)
        self.execute(
            "UPDATE outreach_attempt SET send_at = %s WHERE id = ANY(%s)",
            NOW + timedelta(days=9999),
            [pk for pk, _ in keys],
        )
        return due

    def _keys(self) -> list[tuple[int, str]]:
        from outreach.models import Attempt  # noqa: PLC0415 - app ready

        return [(pk, str(reference)) for pk, reference in Attempt.objects.values_list("pk", "reference")]

    def waiting_in_a_transaction(self) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid()"
            )
            return int(cursor.fetchone()[0] > 0)

    def count(self, status: str) -> int:
        from outreach.models import Attempt  # noqa: PLC0415 - app ready

        return Attempt.objects.filter(status=status).count()


def send_all(outbox: Outbox) -> None:
    from outreach.dispatch import dispatch_on  # noqa: PLC0415 - app ready

    dispatch_on("sms", now=NOW, lasts=timedelta(hours=1))
    if outbox.count("sent") != outbox.size:
        raise AssertionError(f"{outbox.count('sent'):,} of {outbox.size:,} were sent")


def floor(outbox: Outbox) -> None:
    """One message after the other: the intent is committed, nothing is called, the outcome is committed."""
    raw = outbox.connection.connection
    with raw.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM outreach_attempt WHERE status = 'planned' AND channel = 'sms' ORDER BY send_at, id"
        )
        due = [row[0] for row in cursor.fetchall()]
        for pk in due:
            cursor.execute(
                "UPDATE outreach_attempt SET status = 'sending', lease = gen_random_uuid(), lease_until = %s,"
                " called_at = %s WHERE id = %s AND status = 'planned'",
                [NOW + timedelta(seconds=90), NOW, pk],
            )
            cursor.execute(
                "UPDATE outreach_attempt SET status = 'sent', lease = NULL, lease_until = NULL, sent_at = %s,"
                " provider_reference = %s WHERE id = %s AND status = 'sending'",
                [NOW, str(pk), pk],
            )


def measure_safe_path(outbox: Outbox) -> float:
    mine, least, ratio = ratio_of(lambda: send_all(outbox), lambda: floor(outbox), between=outbox.fill)
    rate = outbox.size / mine
    line(
        "D1 messages/s, one after the other: floor / ours",
        f"{rate:,.0f} / {outbox.size / least:,.0f} = {1 / ratio:.2f}",
        ">= 0.5",
        met=1 / ratio >= 0.5,
    )
    return rate


def measure_against_celery(rate: float) -> None:
    idle = celery_rate(5_000)
    line(
        "D3 ours / Celery's tasks that do nothing, a second",
        f"{rate:,.0f} / {idle:,.0f} = {rate / idle:.2f}",
        ">= 5",
        met=rate / idle >= 5,
    )


def celery_rate(count: int) -> float:
    """Tasks a second between the first and the last twentieth, of two processes over Redis."""
    import redis  # noqa: PLC0415 - optional dependency

    from bench import noop  # noqa: PLC0415 - optional dependency

    kept = redis.Redis.from_url(noop.BROKER)
    kept.flushdb()
    for _n in range(count):
        noop.nothing.delay()
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "bench.noop",
        "worker",
        "-P",
        "prefork",
        "-c",
        "2",
        "-l",
        "error",
    ]
    worker = subprocess.Popen(command)
    try:
        first = _reached(kept, noop.QUEUE, count - count // 20)
        last = _reached(kept, noop.QUEUE, count // 20)
    finally:
        worker.terminate()
        worker.wait()
    return count * 0.9 / (last - first)


def _reached(kept: Any, queue: str, left: int) -> float:
    while kept.llen(queue) > left:
        sleep(0.005)
    return monotonic()


class Provider:
    """A channel that takes everything and notes when; `answers_in` seconds later it says so."""

    keys: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def __init__(self, channel: str, answers_in: float = 0) -> None:
        from outreach.channels import Abilities, WhenUnclear  # noqa: PLC0415 - app ready

        self.abilities = Abilities(WhenUnclear.REPEAT)
        self.per_second = f"BENCH_{channel.upper()}_PER_SECOND"
        self.answers_in = answers_in
        self.called: dict[str, datetime] = {}

    def send(self, message: Any) -> Any:
        from outreach.channels import Receipt  # noqa: PLC0415 - app ready

        self.called[message.reference] = clock()
        sleep(self.answers_in)
        return Receipt(message.reference)


@contextmanager
def served_by(providers: dict[str, Provider], paces: dict[str, float]) -> Iterator[None]:
    """These channels go to these providers, at these paces."""
    from django.conf import settings  # noqa: PLC0415 - app ready

    from outreach.channels import TRANSPORTS  # noqa: PLC0415 - app ready

    before = dict(settings.CHANNEL_TRANSPORTS)
    for channel, provider in providers.items():
        TRANSPORTS[f"bench_{channel}"] = provider
        settings.CHANNEL_TRANSPORTS[channel] = f"bench_{channel}"
        setattr(settings, provider.per_second, paces.get(channel, 0))
    yield
    settings.CHANNEL_TRANSPORTS.update(before)


def measure_lateness(outbox: Outbox) -> None:
    providers = {channel: Provider(channel) for channel in PACES}
    started = clock()
    due = outbox.spread(started + timedelta(seconds=2))
    lasts = max(due.values()) - started
    with served_by(providers, PACES):
        ticks = [
            Thread(target=beat, args=(channel, started + lasts + timedelta(seconds=20))) for channel in PACES
        ]
        for tick in ticks:
            tick.start()
        for tick in ticks:
            tick.join()
    called = {reference: at for each in providers.values() for reference, at in each.called.items()}
    over = clock()  # what has not been called by then is later still
    late = [(called.get(reference, over) - at).total_seconds() for reference, at in due.items()]
    p99 = statistics.quantiles(late, n=100)[-1]
    line(
        f"D5 due -> called, {len(due) / (lasts.total_seconds() - 2):,.0f} a second, median / p99",
        f"{statistics.median(late):.1f} / {p99:.1f} s",
        "p99 <= 5 s",
        met=p99 <= 5,
    )
    for channel, pace in PACES.items():
        most = busiest_second(list(providers[channel].called.values()))
        line(
            f"D5 most in any second, {channel} at {pace:.0f} a second",
            f"{most}",
            f"<= {pace:.0f}",
            met=most <= pace,
        )


def beat(channel: str, until: datetime) -> None:
    """The tick of one channel, every INTERVAL, as the product's clock sends it."""
    from django.db import connection  # noqa: PLC0415 - app ready

    from outreach.dispatch import INTERVAL, dispatch_on  # noqa: PLC0415 - app ready

    while (begun := clock()) < until:
        dispatch_on(channel, now=begun)
        sleep(max((begun + INTERVAL - clock()).total_seconds(), 0))
    connection.close()


def busiest_second(times: list[datetime]) -> int:
    """The most calls in any stretch of a second, wherever it begins."""
    times = sorted(times)
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= timedelta(seconds=1):
            first += 1
        most = max(most, last - first + 1)
    return most


def measure_connections(outbox: Outbox) -> None:
    """Twenty messages to a slow provider: no transaction stays open while it thinks."""
    outbox.fill()
    provider = Provider("sms", answers_in=ANSWERS_IN)
    seen: list[int] = []
    with served_by({"sms": provider}, {}):
        from outreach.dispatch import dispatch_on  # noqa: PLC0415 - app ready

        worker = Thread(target=lambda: dispatch_on("sms", now=NOW, lasts=timedelta(seconds=4), limit=20))
        worker.start()
        while worker.is_alive():
            seen.append(outbox.waiting_in_a_transaction())
            sleep(ANSWERS_IN / 10)
        worker.join()
    held = sum(seen) / len(seen)
    line(
        f"D6 share of {len(seen)} looks that met an open transaction",
        f"{held:.2f} ({len(provider.called)} calls of {ANSWERS_IN:.1f} s)",
        "<= 0.05",
        met=held <= 0.05,
    )


if __name__ == "__main__":
    main()
