"""Messages that wait in a database, and a provider that takes them: what bench/dispatch.py measures with."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any

NOW = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
ADDRESS = {"email": "email", "whatsapp": "whatsapp", "sms": "phone"}  # the kind that each channel needs
PACES = {"email": 100.0, "whatsapp": 10.0, "sms": 1.0}  # messages a second
OFFERED = 0.9  # of each pace

BEGAN = monotonic()


def clock() -> datetime:
    """A working day of the clinic, at whatever hour this is run."""
    return NOW + timedelta(seconds=monotonic() - BEGAN)


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
        keys = [pk for pk, _reference in self._keys()]
        self._turn_to("sms", dict.fromkeys(keys, NOW))

    def _turn_to(self, channel: str, due: dict[int, datetime]) -> None:
        self.execute(
            "UPDATE outreach_attempt a SET channel = %s, send_at = v.due, contact_point_id = p.id"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) v(id, due), patients_patientcontact t"
            " JOIN patients_contactpoint p ON p.id = t.contact_point_id"
            " WHERE a.id = v.id AND t.patient_id = a.patient_id AND p.kind = %s",
            channel,
            list(due),
            list(due.values()),
            ADDRESS[channel],
        )

    def spread(self, first: datetime) -> dict[str, dict[str, datetime]]:
        """Due one after the other on each channel, at a little less than its pace; when, by channel and reference."""
        self._as_new()
        keys = self._keys()
        lasts = len(keys) / (OFFERED * sum(PACES.values()))
        due: dict[str, dict[str, datetime]] = {channel: {} for channel in PACES}
        for channel, pace in PACES.items():
            mine: dict[int, datetime] = {}
            for n in range(int(lasts * pace * OFFERED)):
                pk, reference = keys.pop()
                due[channel][reference] = mine[pk] = first + timedelta(seconds=n / (pace * OFFERED))
            self._turn_to(channel, mine)
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

    def refuse_unless_all_sent(self) -> None:
        if (sent := self.count("sent")) != self.size:
            raise AssertionError(f"{sent:,} of {self.size:,} were sent")


class Provider:
    """A channel that takes everything and notes when; `answers_in` seconds later it says so."""

    keys: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def __init__(self, channel: str, answers_in: float = 0, *, has_key: bool = False) -> None:
        from outreach.channels import Abilities, WhenUnclear  # noqa: PLC0415 - app ready

        self.abilities = Abilities(WhenUnclear.REPEAT if has_key else WhenUnclear.ASK_A_PERSON)
        self.per_second = f"BENCH_{channel.upper()}_PER_SECOND"
        self.answers_in = answers_in
        self.called: dict[str, datetime] = {}

    def send(self, message: Any) -> Any:
        from outreach.channels import Receipt  # noqa: PLC0415 - app ready

        self.called[message.reference] = clock()
        if self.answers_in:
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
