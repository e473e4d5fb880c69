"""The planned year written into a database by the database itself, for as many clinics as asked for."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.management import call_command
from django.db import connection, models

from bench.crowd import default_of
from bench.planted_year import CHANNELS, LANGUAGES, LIMITS, TEMPLATE, Planned, doctor_of, year
from clinic_journey.reports.stages import hours_of
from journeys.models import Journey, Step, StepEvent, StepTemplate
from outreach.models import Attempt, OutreachTask
from patients.models import Clinic, ContactPoint, ContactWindow, Patient, PatientContact, ServiceCard
from patients.windows import open_intervals
from tests import builders

HOUR = timedelta(hours=1)
AHEAD = timedelta(days=90)  # for deadlines of what is still open
FIRST_KEY = 1_000_000  # of what is written here: nothing that a test made before stands in the way


class Year:
    """`clinics` clinics with the same year of `patients` patients each, up to `now`."""

    def __init__(self, patients: int, *, clinics: int, since: datetime, now: datetime) -> None:
        call_command("load_catalogue", verbosity=0)
        self.clinics: list[Clinic] = [builders.clinic() for _nth in range(clinics)]
        self.doctors = [builders.user("doctor", first_name=f"Doctor {n}") for n in range(5)]
        self.since, self.now, self.patients = since, now, patients
        self.instants = [*working_hours(self.clinics[0], since, now + AHEAD)]
        self.hours = sum(1 for at in self.instants if at <= now) - 1
        self.steps = year(patients, self.hours)
        self._write()

    def _write(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # neither triggers nor keys meanwhile
        self._tables()
        self._people()
        self._journeys()
        self._steps()
        self._contacts()
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("DROP TABLE bench_clock, bench_plan, bench_clinic, bench_patient")

    def _tables(self) -> None:
        """The clock of working hours, the plan, the clinics and who takes part, for the statements to join."""
        ids = dict(
            StepTemplate.objects.filter(template__key=TEMPLATE, template__status="active").values_list(
                "key", "pk"
            )
        )
        kinds = dict(StepTemplate.objects.filter(pk__in=ids.values()).values_list("key", "kind"))
        roles = dict(StepTemplate.objects.filter(pk__in=ids.values()).values_list("key", "owner_role"))
        self._copy("bench_clock (w int PRIMARY KEY, at timestamptz)", enumerate(self.instants))
        self._copy("bench_clinic (nth int, id bigint)", ((n, each.pk) for n, each in enumerate(self.clinics)))
        plan = (
            (n, ids[step.key], kinds[step.key], roles[step.key], step.start + LIMITS[step.key], *step)
            for n, step in enumerate(self.steps)
        )
        columns = (
            "n int, template_step int, kind text, role text, due int, patient int, key text, round int, "
        )
        columns += "source text, start int, ends int, outcome text, fate text, tries int, chased int"
        self._copy(f"bench_plan ({columns})", plan)
        self._copy(
            "bench_patient (patient int PRIMARY KEY, begun int, ends int, lost boolean, doctor bigint, "
            "language text, channel text)",
            self._ways(),
        )

    def _ways(self) -> list[tuple[object, ...]]:
        """Of each patient: from when to when, whether lost by her own words, and what she is told apart by."""
        by_patient: dict[int, list[Planned]] = {}
        for step in self.steps:
            by_patient.setdefault(step.patient, []).append(step)
        return [
            (
                n, steps[0].start, max(step.end for step in steps),
                steps[-1].fate == "lost" and steps[-1].outcome == "",
                self.doctors[doctor_of(n)].pk, LANGUAGES[n % len(LANGUAGES)], CHANNELS[n % len(CHANNELS)],
            )
            for n, steps in by_patient.items()
        ]  # fmt: skip

    def _copy(self, table: str, rows: Iterable[Iterable[object]]) -> None:
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
        text.seek(0)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE UNLOGGED TABLE {table}")
            cursor.copy_expert(f"COPY {table.split(maxsplit=1)[0]} FROM STDIN WITH CSV", text)
            cursor.execute(f"ANALYZE {table.split(maxsplit=1)[0]}")

    def _people(self) -> None:
        who, of = (
            f"{FIRST_KEY} + c.nth * {self.patients} + p.patient",
            "bench_patient p CROSS JOIN bench_clinic c",
        )
        self._insert(Patient, {
            "id": who, "clinic_id": "c.id", "given_name": "'Dana'", "family_name": "'Levi ' || p.patient",
            "language": "p.language", "since_on": "%(today)s",
        }, of)  # fmt: skip
        point = {
            "id": who,
            "clinic_id": "c.id",
            "kind": "'phone'",
            "value": f"'+9725' || lpad(({who})::text, 8, '0')",
        }
        self._insert(ContactPoint, point, of)
        tie = {"id": who, "patient_id": who, "contact_point_id": who, "relation": "'self'"}
        self._insert(PatientContact, tie, of)
        told = {"hours_told": "true", "told_at": "%(today)s"}
        self._insert(ServiceCard, told | {"id": who, "patient_id": who, "channel": "p.channel"}, of)
        hours = {"start": "'09:00'", "end": "'18:00'", "weekday": "mod(p.patient, 5)"}
        self._insert(ContactWindow, hours | {"id": who, "card_id": who}, of)

    def _journeys(self) -> None:
        who = f"{FIRST_KEY} + c.nth * {self.patients} + p.patient"
        template = StepTemplate.objects.get(template__key=TEMPLATE, template__status="active", key="review")
        ended = f"p.ends < {self.hours}"
        self._insert(Journey, {
            "id": who, "clinic_id": "c.id", "patient_id": who, "template_id": str(template.template_id),
            "doctor_id": "p.doctor", "opened_at": "begun.at",
            "status": f"CASE WHEN NOT {ended} THEN 'active' WHEN p.lost THEN 'cancelled' ELSE 'completed' END",
            "ended_at": f"CASE WHEN {ended} THEN over.at END",
            "lost_because": f"CASE WHEN {ended} AND p.lost THEN 'own_words' ELSE '' END",
            "lost_words": f"CASE WHEN {ended} AND p.lost THEN 'I went elsewhere' ELSE '' END",
        }, "bench_patient p CROSS JOIN bench_clinic c JOIN bench_clock begun ON begun.w = p.begun "
           "LEFT JOIN bench_clock over ON over.w = p.ends")  # fmt: skip

    def _steps(self) -> None:
        key = f"{FIRST_KEY} + c.nth * {len(self.steps)} + s.n"
        ended = f"s.ends < {self.hours}"
        times = (
            "bench_plan s CROSS JOIN bench_clinic c JOIN bench_clock begun ON begun.w = s.start "
            "JOIN bench_clock due ON due.w = s.due LEFT JOIN bench_clock over ON over.w = s.ends"
        )
        passed = f"{ended} AND s.outcome <> ''"
        self._insert(Step, {
            "id": key, "clinic_id": "c.id", "journey_id": f"{FIRST_KEY} + c.nth * {self.patients} + s.patient",
            "template_step_id": "s.template_step", "round": "s.round", "kind": "s.kind", "owner_role": "s.role",
            "status": f"CASE WHEN NOT {ended} THEN 'active' WHEN s.outcome = '' THEN 'cancelled' ELSE 'completed' END",
            "opened_at": "begun.at", "due_at": "due.at",
            "completed_at": f"CASE WHEN {passed} THEN over.at END",
            "outcome": f"CASE WHEN {passed} THEN s.outcome ELSE '' END",
            "message_key": "CASE s.key WHEN 'inform_arrival' THEN 'result_arrived' ELSE '' END",
        }, times)  # fmt: skip
        event = {"step_id": key, "id": None}
        chase = event | {"kind": "'chased'", "clinic_id": "c.id", "at": "begun.at"}
        self._insert(StepEvent, chase, f"{times} WHERE s.chased > 0")
        cut = event | {"kind": "'cancelled'", "at": "over.at"}
        self._insert(StepEvent, cut, f"{times} WHERE {ended} AND s.outcome = ''")

    def _contacts(self) -> None:
        """Every try was made when the step opened; the last of them arrived."""
        key = f"{FIRST_KEY} + c.nth * {len(self.steps)} + s.n"
        who = f"{FIRST_KEY} + c.nth * {self.patients} + s.patient"
        ended = f"s.ends < {self.hours}"
        of = (
            "bench_plan s CROSS JOIN bench_clinic c JOIN bench_clock begun ON begun.w = s.start "
            "JOIN bench_patient p ON p.patient = s.patient "
        )
        where = f"WHERE s.tries > 0 AND {ended}"
        owner = {"clinic_id": "c.id", "patient_id": who}
        self._insert(OutreachTask, owner | {
            "id": key, "step_id": key, "message_key": "'next_step'", "status": "'done'", "opened_at": "begun.at",
            "deadline_at": "begun.at", "ended_at": "begun.at",
        }, f"{of} {where}")  # fmt: skip
        last = "t.nth = s.tries"
        self._insert(Attempt, owner | {
            "id": None, "task_id": key, "contact_point_id": who, "channel": "'sms'",
            "language": "p.language",
            "status": f"CASE WHEN {last} THEN 'delivered' ELSE 'failed' END",
            "outcome": f"CASE WHEN {last} THEN '' ELSE 'no_answer' END",
            **dict.fromkeys(("send_at", "called_at", "sent_at", "ended_at", "expires_at"), "begun.at"),
        }, f"{of} CROSS JOIN LATERAL generate_series(1, s.tries) AS t(nth) {where}")  # fmt: skip

    def _insert(self, model: type[models.Model], columns: Mapping[str, str | None], source: str) -> None:
        """Columns not named take their defaults; `id` None takes the next key."""
        defaults = {str(field.column): default_of(field) for field in model._meta.concrete_fields}
        filled = {name: text for name, text in (defaults | dict(columns)).items() if text is not None}
        names = ", ".join(f'"{name}"' for name in filled)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(filled.values())} FROM {source}",
                {"today": self.since.date()},
            )


def working_hours(clinic: Clinic, since: datetime, until: datetime) -> list[datetime]:
    """The beginning of each whole working hour: the n-th is n working hours after the first."""
    found = []
    for stretch in open_intervals(hours_of(clinic), since, until):
        at = stretch.start
        while at + HOUR <= stretch.end:
            found.append(at.astimezone(ZoneInfo(clinic.time_zone)))
            at += HOUR
    return found
