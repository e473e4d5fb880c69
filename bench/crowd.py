"""Clinics with as many patients as asked for, made by the database itself: columns not named take their defaults."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import connection, models
from django.db.models import F
from django.test import Client
from django.utils import timezone

from appointments.models import Practitioner
from bench.crowd_lists import add_lists
from clinic_journey.worklist import worklist
from journeys.models import Journey, Step, StepTemplate
from outreach.models import Attempt, OutreachTask
from patients.access import Here
from patients.models import Clinic, ContactPoint, Patient, PatientContact, ServiceCard
from tests import builders

SILENT_EVERY = 2  # of the open tasks, one in two got no answer twice
GIVEN_UP_EVERY = 60  # of those that ended, long ago
OPEN_EVERY = 6  # of 1.2 tasks a patient, one in six is open: 200,000 of 1.2M
CALLS = 100  # planned for this hour in the clinic that is looked at
CHUNK = 250_000
LONG = timedelta(days=90)


class Crowd:
    """A database of its own with `size` patients; whatever is asked of it goes there."""

    def __init__(self, size: int, *, clinics: int, names: Sequence[str]) -> None:
        self.name, self.size = f"clinic_bench_{size}", size
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {self.name}")
        self._turn_to()
        for command in ("migrate", "load_catalogue", "load_messages"):
            call_command(command, verbosity=0, stdout=StringIO())
        made = [builders.clinic() for _clinic in range(clinics)]
        self.clinic_id = made[0].pk
        self.first, self.clinics, self.names = min(clinic.pk for clinic in made), clinics, names
        self.now = timezone.now()
        self.doctor = Practitioner.objects.create(clinic=made[0], name="Dr Cohen")
        self.step = StepTemplate.objects.get(template__key="recall", template__status="active", kind="recall")
        self.roles = {role: builders.user(role, at=made[0]) for role in ("receptionist", "manager")}
        with connection.cursor() as cursor:  # neither triggers nor keys are checked while it is filled
            cursor.execute("SET session_replication_role = replica")
        for first in range(1, size + 1, CHUNK):
            last = min(first + CHUNK - 1, size)
            self._add_people(first, last)
            self._add_tasks(first, last)
            add_lists(self, first, last)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("VACUUM ANALYZE")
        self.open_tasks = OutreachTask.objects.filter(status="open").count()

    def _turn_to(self) -> None:
        if connection.settings_dict["NAME"] != self.name:
            connection.close()
            connection.settings_dict["NAME"] = self.name

    def client(self, role: str) -> Client:
        """Who has just logged in: a desk left for some minutes is locked, and building takes longer."""
        self._turn_to()
        client = Client(headers={"host": "localhost"})
        client.force_login(self.roles[role])
        return client

    def desk_with(self, rows: int) -> Client:
        """Who has just logged in at the desk of another clinic, in whose Today exactly so many rows are left."""
        self._turn_to()
        clinic = Clinic.objects.get(pk=self.clinic_id + 1)
        client = Client(headers={"host": "localhost"})
        user = builders.user("receptionist", at=clinic)
        client.force_login(user)
        here = Here(user, clinic, "receptionist", timezone.now())
        while True:
            found = worklist(here)
            shown = [*found.now, *found.later]
            over = [each.due for row in shown[rows:] for each in (row, *row.others)]
            if not over:
                assert len(shown) == rows, f"{len(shown)} rows are due"
                return client
            put_off({due.pk for due in over}, {due.attempt_id for due in over if due.attempt_id})

    def fetch(self, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        self._turn_to()
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def _add_people(self, first: int, last: int) -> None:
        numbers = f"generate_series({first}::bigint, {last}::bigint) AS g(n)"
        clinic = f"{self.first} + n %% {self.clinics}"
        names = "(ARRAY[" + ", ".join(f"'{name}'" for name in self.names) + "])"
        family = f"{names}[1 + n / {self.clinics} %% {len(self.names)}] || ' ' || n"
        phone = "'+97250' || lpad((2000000 + n)::text, 7, '0')"
        people = {"id": "n", "clinic_id": clinic, "given_name": "'Dana'", "family_name": family}
        people |= {"search_key": f"lower('dana ' || {family}) || ' ' || {phone}", "since_on": "%(today)s"}
        self.insert(Patient, people, numbers)
        self.insert(
            ContactPoint, {"id": "n", "clinic_id": clinic, "kind": "'phone'", "value": phone}, numbers
        )
        tie = {"id": "n", "patient_id": "n", "contact_point_id": "n", "relation": "'self'"}
        self.insert(PatientContact, tie, numbers)
        self.insert(ServiceCard, {"id": "n", "patient_id": "n", "channel": "'phone'"}, numbers)
        journey = {
            "id": "n",
            "clinic_id": clinic,
            "patient_id": "n",
            "template_id": str(self.step.template_id),
        }
        self.insert(Journey, {**journey, "opened_at": "%(now)s"}, numbers)

    def _add_tasks(self, first: int, last: int) -> None:
        """1.2 steps with a task for each patient; the open ones wait, a hundred in one clinic are to be called now."""
        numbers = f"generate_series({first * 12 // 10}::bigint, {last * 12 // 10 - 1}::bigint) AS g(n)"
        owner = {
            "clinic_id": f"{self.first} + (n * 10 / 12 + 1) %% {self.clinics}",
            "patient_id": "n * 10 / 12 + 1",
        }
        is_open = f"(n / {OPEN_EVERY} + n) %% {OPEN_EVERY} = 0"  # every clinic has its share
        due = "%(now)s + (n %% 300000) * interval '1 minute' + interval '1 day'"
        step = {
            "id": "n + 1",
            "clinic_id": owner["clinic_id"],
            "journey_id": owner["patient_id"],
            "kind": "'recall'",
        }
        step |= {"template_step_id": str(self.step.pk), "round": "1 + n %% 2"}
        step |= {
            "status": f"CASE WHEN {is_open} THEN 'active' ELSE 'completed' END",
            "owner_role": "'receptionist'",
        }
        step |= {"completed_at": f"CASE WHEN {is_open} THEN NULL ELSE %(now)s END", "due_at": due}
        step |= {"outcome": f"CASE WHEN {is_open} THEN '' ELSE 'booked' END", "opened_at": "%(now)s"}
        self.insert(Step, step, numbers)
        task = {"id": "n + 1", "step_id": "n + 1", **owner, "message_key": "'recall'", "opened_at": "%(now)s"}
        given_up = f"hashtext(n::text) %% {GIVEN_UP_EVERY} = 1"
        ended = f"CASE WHEN {given_up} THEN 'given_up' ELSE 'done' END"
        silent = f"{is_open} AND hashtext(n::text) %% {SILENT_EVERY} = 0"
        task |= {"status": f"CASE WHEN {is_open} THEN 'open' ELSE {ended} END", "deadline_at": due}
        task |= {"outcome": f"CASE WHEN NOT ({is_open}) AND {given_up} THEN 'attempts_used' ELSE '' END"}
        task |= {"unanswered": f"CASE WHEN {silent} THEN 2 ELSE 0 END"}
        task |= {"ended_at": f"CASE WHEN {is_open} THEN NULL ELSE %(now)s END"}
        self.insert(OutreachTask, task, numbers)
        self._add_tries(numbers, owner, due, is_open=is_open, silent=silent)

    def _add_tries(
        self, numbers: str, owner: Mapping[str, str], due: str, *, is_open: str, silent: str
    ) -> None:
        attempt = {"id": "n + 1", "task_id": "n + 1", **owner, "contact_point_id": owner["patient_id"]}
        attempt |= {"channel": "'phone'", "status": f"CASE WHEN {is_open} THEN 'planned' ELSE 'failed' END"}
        soon = f"n < {CALLS * self.clinics * OPEN_EVERY}"
        attempt |= {"send_at": f"CASE WHEN {soon} THEN %(now)s - interval '1 hour' ELSE {due} END"}
        attempt |= {
            "expires_at": f"CASE WHEN {soon} THEN %(now)s + interval '1 day' ELSE {due} + interval '1 hour' END"
        }
        self.insert(Attempt, attempt, numbers)
        tried = {"id": "n + 1 + 100000000 * t", "status": "'failed'", "outcome": "'no_answer'"}
        tried |= {
            "send_at": "%(now)s - t * interval '3 days'",
            "expires_at": "%(now)s - t * interval '2 days'",
        }
        twice = f"{numbers} CROSS JOIN (VALUES (1), (2)) AS tries(t) WHERE {silent}"
        self.insert(Attempt, attempt | tried, twice)

    def insert(self, model: type[models.Model], columns: Mapping[str, str], numbers: str) -> None:
        defaults = {str(field.column): default_of(field) for field in model._meta.concrete_fields}
        filled = {column: text for column, text in defaults.items() if text is not None} | dict(columns)
        names = ", ".join(f'"{name}"' for name in filled)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(filled.values())} FROM {numbers}",
                {"now": self.now, "today": self.now.date() - timedelta(days=100)},
            )


def put_off(steps: set[int], calls: set[int]) -> None:
    """So far that they are nothing for Today."""
    Step.objects.filter(pk__in=steps).update(due_at=F("due_at") + LONG)
    Attempt.objects.filter(pk__in=calls).update(
        send_at=F("send_at") + LONG, expires_at=F("expires_at") + LONG
    )


def default_of(field: "models.Field[Any, Any]") -> str | None:
    """The SQL of what a new object has in this column; None leaves it to the database."""
    if isinstance(field, models.UUIDField) and not field.null:
        return "gen_random_uuid()"
    if field.primary_key or field.null:
        return None
    value = field.get_default()
    if isinstance(value, dict | list):
        return f"'{json.dumps(value)}'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return f"'{value}'" if isinstance(value, str) else None
