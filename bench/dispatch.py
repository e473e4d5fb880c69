"""D1, D2, D3, D5 and D6 of the design: messages leave, against bare commits and Celery's own no-op.

    .venv/bin/python -m bench.dispatch [--messages 2000]

Ours is the product's own dispatch: claim, the last look, the words, `called_at`, the channel, the outcome with its
event and the next step. The channel takes everything at once. The floors are the least that keeps the promise never
to send twice, in plain psycopg2. D1, of a provider that knows no key of ours: the intent committed, the outcome
committed, one message after the other. D2, of one that does: a hundred intents in one commit, a hundred outcomes in
another. Celery's rate is that of tasks that do nothing, over Redis (`CELERY_BROKER_URL`, else localhost) with two
processes.

For D5 three senders with a pace each get nine tenths of it, evenly; every channel has its tick, as the clock of the
product beats it. How late a message is called is told by the channel itself.
"""

import argparse
import os
import statistics
import subprocess
import sys
from datetime import datetime, timedelta
from functools import partial
from threading import Thread
from time import monotonic, sleep
from typing import Any

from bench.database import PAIRS, connect, line, ratio_of
from bench.outbox import NOW, PACES, Outbox, Provider, clock, served_by
from bench.owed import send_owed
from clinic_journey.celery import keep_what_is_loaded

ANSWERS_IN = 0.2  # seconds that the provider of D6 takes
SLOW = 30.0  # seconds that a provider takes while the others are watched


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=2_000, help="each time")
    asked = parser.parse_args()
    for channel in PACES:
        os.environ[f"CHANNEL_{channel.upper()}"] = "console"
    connect("postgresql")
    keep_what_is_loaded()
    outbox = Outbox(asked.messages)
    print(f"\npostgresql, {asked.messages:,} messages each time", flush=True)
    measure_against_celery(measure_paths(outbox))
    measure_lateness(outbox)
    measure_connections(outbox)


def send_all(outbox: Outbox, *, has_key: bool) -> None:
    from outreach.dispatch import dispatch_on  # noqa: PLC0415 - app ready

    with served_by({"sms": Provider("sms", has_key=has_key)}, {}):
        dispatch_on("sms", now=NOW, lasts=timedelta(hours=1))
    outbox.refuse_unless_all_sent()


def floor_one_by_one(outbox: Outbox) -> None:
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


def floor_in_batches(outbox: Outbox) -> None:
    """A hundred intents in one commit, a hundred outcomes in the next."""
    raw = outbox.connection.connection
    with raw.cursor() as cursor:
        while True:
            cursor.execute(
                "WITH due AS MATERIALIZED (SELECT id FROM outreach_attempt WHERE status = 'planned'"
                " AND channel = 'sms' ORDER BY send_at LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED)"
                " UPDATE outreach_attempt a SET status = 'sending', lease = gen_random_uuid(), lease_until = %s,"
                " called_at = %s FROM due WHERE a.id = due.id RETURNING a.id",
                [NOW + timedelta(seconds=90), NOW],
            )
            taken = [row[0] for row in cursor.fetchall()]
            if not taken:
                return
            cursor.execute(
                "UPDATE outreach_attempt a SET status = 'sent', lease = NULL, lease_until = NULL, sent_at = %s,"
                " provider_reference = v.reference FROM unnest(%s::bigint[], %s::text[]) v(id, reference)"
                " WHERE a.id = v.id AND a.status = 'sending'",
                [NOW, taken, [str(pk) for pk in taken]],
            )


def measure_paths(outbox: Outbox) -> float:
    """D1 and D2, and how much of D2 all that a message owes leaves to anybody; the rate of the second."""
    rate = 0.0
    for name, has_key, floor, goal in (
        ("D1 messages/s without a key, one in doubt: ours / floor", False, floor_one_by_one, 0.5),
        ("D2 messages/s with a key, in batches: ours / floor", True, floor_in_batches, 0.35),
    ):
        ours = partial(send_all, outbox, has_key=has_key)
        mine, lowest, ratio = ratio_of(ours, partial(floor, outbox), between=outbox.fill)
        rate = outbox.size / mine
        line(
            name,
            f"{rate:,.0f} / {outbox.size / lowest:,.0f} = {1 / ratio:.2f}",
            f">= {goal}",
            met=1 / ratio >= goal,
        )
    ratio = ratio_of(partial(send_owed, outbox), partial(floor_in_batches, outbox), between=outbox.fill)[2]
    print(f"  all that a message owes, in plain SQL / floor of D2: {1 / ratio:.2f}", flush=True)
    ratio = ratio_of(ours, partial(send_owed, outbox), between=outbox.fill)[2]
    print(f"  ours / all that a message owes, in plain SQL: {1 / ratio:.2f} (docs/decisions/029)", flush=True)
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


def measure_lateness(outbox: Outbox) -> None:
    providers = {channel: Provider(channel) for channel in PACES}
    late, lasts = lateness(outbox, providers)
    every = [each for some in late.values() for each in some]
    p99 = statistics.quantiles(every, n=100)[-1]
    line(
        f"D5 due -> called, {len(every) / (lasts.total_seconds() - 2):,.0f} a second, median / p99",
        f"{statistics.median(every):.2f} / {p99:.2f} s",
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
    calm, beside = (
        partial(p99_of_others, outbox, sms_answers_in=0),
        partial(p99_of_others, outbox, sms_answers_in=SLOW),
    )
    pairs = [(calm(), beside()) if pair % 2 else (beside(), calm())[::-1] for pair in range(PAIRS)]
    ratio = statistics.median(slow / quick for quick, slow in pairs)
    line(
        f"D5 p99 of the others, beside a provider of {SLOW:.0f} s / calm",
        f"{statistics.median(slow for _quick, slow in pairs):.2f} / "
        f"{statistics.median(quick for quick, _slow in pairs):.2f} s = {ratio:.2f}",
        "<= 1.2",
        met=ratio <= 1.2,
    )
    print("  each pair: " + ", ".join(f"{slow:.2f} / {quick:.2f}" for quick, slow in pairs), flush=True)


def p99_of_others(outbox: Outbox, *, sms_answers_in: float) -> float:
    """How late the latest hundredth of the e-mails and WhatsApp messages was called, in seconds."""
    late, _lasts = lateness(
        outbox, {channel: Provider(channel, sms_answers_in if channel == "sms" else 0) for channel in PACES}
    )
    return statistics.quantiles([*late["email"], *late["whatsapp"]], n=100)[-1]


def lateness(outbox: Outbox, providers: dict[str, Provider]) -> tuple[dict[str, list[float]], timedelta]:
    """How late each message was called, by channel, and how long they were offered."""
    from outreach.dispatch import ticks_for  # noqa: PLC0415 - app ready

    started = clock()
    due = outbox.spread(started + timedelta(seconds=2))
    lasts = max(at for each in due.values() for at in each.values()) - started
    with served_by(providers, PACES):
        until = started + lasts + timedelta(seconds=10)
        ticks = [
            Thread(target=beat, args=(channel, until))
            for channel, provider in providers.items()
            for _tick in range(ticks_for(provider))
        ]
        for tick in ticks:
            tick.start()
        for tick in ticks:
            tick.join()
    over = clock()  # what has not been called by then is later still
    late = {
        channel: [
            (providers[channel].called.get(reference, over) - at).total_seconds()
            for reference, at in mine.items()
        ]
        for channel, mine in due.items()
    }
    return late, lasts


def beat(channel: str, until: datetime) -> None:
    """The tick of one channel, every INTERVAL, as the product's clock sends it."""
    from django.db import connection  # noqa: PLC0415 - app ready

    from outreach.dispatch import INTERVAL, serve  # noqa: PLC0415 - app ready

    while (begun := clock()) < until:
        serve(channel, now=begun)
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
