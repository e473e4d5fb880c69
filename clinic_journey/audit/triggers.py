"""The triggers that write AuditEvent rows, and the one that refuses to change or remove them.

They are made from the columns that the tables have, after each `migrate` and not in a migration: SQLite drops
the triggers of a table that it remakes, without a word, and a list of columns in a migration would go stale.
The digest in a trigger's name tells whether it is the present one. See docs/decisions.
"""

from collections.abc import Iterable
from hashlib import sha256

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from clinic_journey.audit.watched import WATCHED, Watched
from patients.audit import FUNCTION
from patients.models import AuditEvent

TRAIL = AuditEvent._meta.db_table
PREFIX = "audit_"
REFUSAL = "The audit trail only grows: its events are neither changed nor removed."
FIELDS = (
    '(at, clinic_id, patient_id, "by", actor_id, action, what, what_id, asked, "before", "after", '
    "ip, agent, request_id)"
)
EVENTS = (("INSERT", "create", "NEW"), ("UPDATE", "change", "NEW"), ("DELETE", "delete", "OLD"))
POSTGRESQL_ORIGIN = rf"""
    CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS jsonb LANGUAGE plpgsql STABLE AS $origin$
    DECLARE said text := substring(left(current_query(), 2000) FROM '^/\*clinic ([0-9a-f]+)\*/');
    BEGIN
        RETURN coalesce(convert_from(decode(said, 'hex'), 'UTF8')::jsonb, '{{"by": "system"}}'::jsonb);
    END $origin$"""


def expected(connection: BaseDatabaseWrapper) -> dict[str, list[str]]:
    """Name of each trigger -> the statements that make it, for the tables there are."""
    make = _postgresql if connection.vendor == "postgresql" else _sqlite
    refuse = _postgresql_refusal if connection.vendor == "postgresql" else _sqlite_refusal
    found = {}
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        if TRAIL not in tables:
            return {}
        for watched in WATCHED:
            table = watched.model._meta.db_table
            if table in tables:
                described = connection.introspection.get_table_description(cursor, table)
                columns = [column.name for column in described if column.name not in watched.ignored]
                found.update(make(watched, table, columns))
    return {**found, **refuse()}


def present(connection: BaseDatabaseWrapper) -> set[str]:
    if connection.vendor == "postgresql":
        sql = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE %s"
    else:
        sql = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [PREFIX + "%"])
        return {name for (name,) in cursor.fetchall()}


def install(connection: BaseDatabaseWrapper) -> None:
    """Make what is missing, remove what is stale; nothing at all when they are as they should be."""
    wanted, there = expected(connection), present(connection)
    if wanted.keys() == there:
        return
    with transaction.atomic(using=connection.alias):
        _drop(connection, there - wanted.keys())
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(POSTGRESQL_ORIGIN)
            for name in wanted.keys() - there:
                for statement in wanted[name]:
                    cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Before tables change: SQLite renames no table while a trigger names one that is being remade."""
    with transaction.atomic(using=connection.alias):
        _drop(connection, present(connection))


def _drop(connection: BaseDatabaseWrapper, names: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for name in names:
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP FUNCTION {name}() CASCADE")
            else:
                cursor.execute(f"DROP TRIGGER {name}")


def _named(table: str, *texts: str) -> str:
    return f"{PREFIX}{table}_{sha256(''.join(texts).encode()).hexdigest()[:8]}"


def _id_of(watched: Watched) -> str:
    named = {field.name for field in watched.model._meta.get_fields()}
    return "public_id" if "public_id" in named else "id"


def _postgresql(watched: Watched, table: str, columns: list[str]) -> dict[str, list[str]]:
    row = {"row": "changed"}
    listed = ", ".join(f"'{column}'" for column in columns)
    body = f"""
    DECLARE
        origin jsonb := {FUNCTION}();
        changed record;
        was jsonb; became jsonb;
    BEGIN
        IF (origin->>'door')::boolean IS TRUE THEN RETURN NULL; END IF;
        IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
        IF TG_OP = 'UPDATE' THEN
            SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, n.value) INTO was, became
            FROM jsonb_each(to_jsonb(OLD)) o JOIN jsonb_each(to_jsonb(NEW)) n ON n.key = o.key
            WHERE o.value <> n.value AND o.key IN ({listed});
            IF was IS NULL THEN RETURN NULL; END IF;
        ELSE
            SELECT jsonb_object_agg(c.key, c.value) INTO became FROM jsonb_each(to_jsonb(changed)) c
            WHERE c.value NOT IN ('null', '""') AND c.key IN ({listed});
            IF TG_OP = 'DELETE' THEN was := became; became := NULL; END IF;
        END IF;
        INSERT INTO {TRAIL} {FIELDS}
        SELECT clock_timestamp(), {watched.clinic.format(**row)}, {watched.patient.format(**row)},
            origin->>'by', (origin->>'actor')::int,
            CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'change' ELSE 'delete' END,
            '{watched.model._meta.model_name}', changed.{_id_of(watched)}::text, '', was, became,
            coalesce(origin->>'ip', ''), coalesce(origin->>'agent', ''), coalesce(origin->>'request_id', '')
        {watched.source.format(**row)};
        RETURN NULL;
    END"""  # noqa: S608 - names are ours
    name = _named(table, body, str(watched.inserts))
    execute = f"EXECUTE FUNCTION {name}()"
    events = "INSERT OR UPDATE OR DELETE" if watched.inserts else "UPDATE OR DELETE"
    return {
        name: [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $audit${body} $audit$",
            f"CREATE TRIGGER {name} AFTER {events} ON {table} FOR EACH ROW {execute}",
        ]
    }


def _sqlite(watched: Watched, table: str, columns: list[str]) -> dict[str, list[str]]:
    made = {}
    differs = [f'OLD."{column}" IS NOT NEW."{column}"' for column in columns]
    for event, action, row in EVENTS if watched.inserts else EVENTS[1:]:
        told = (
            differs
            if event == "UPDATE"
            else [f"coalesce({row}.\"{column}\", '') <> ''" for column in columns]
        )
        before = "NULL" if event == "INSERT" else _sqlite_object("OLD", columns, told)
        after = "NULL" if event == "DELETE" else _sqlite_object("NEW", columns, told)
        rules = f"AFTER {event} ON {table} FOR EACH ROW WHEN NOT {FUNCTION}('door') AND ({' OR '.join(told)})"
        body = f"""
        BEGIN
            INSERT INTO {TRAIL} {FIELDS}
            SELECT strftime('%Y-%m-%d %H:%M:%f000', 'now'), {watched.clinic.format(row=row)},
                {watched.patient.format(row=row)}, {FUNCTION}('by'), {FUNCTION}('actor'), '{action}',
                '{watched.model._meta.model_name}', {row}.{_id_of(watched)}, '', {before}, {after},
                {FUNCTION}('ip'), {FUNCTION}('agent'), {FUNCTION}('request_id')
            {watched.source.format(row=row)};
        END"""
        name = _named(f"{table}_{event.lower()}", rules, body)
        made[name] = [f"CREATE TRIGGER {name} {rules} {body}"]
    return made


def _sqlite_object(row: str, columns: list[str], told: list[str]) -> str:
    """A JSON object of the columns that are to be told."""
    parts = [
        f"SELECT '{column}' AS name, {row}.\"{column}\" AS value WHERE {condition}"
        for column, condition in zip(columns, told, strict=True)
    ]
    return f"(SELECT json_group_object(name, value) FROM ({' UNION ALL '.join(parts)}))"  # noqa: S608


def _postgresql_refusal() -> dict[str, list[str]]:
    body = f"""
    BEGIN
        IF ({FUNCTION}()->>'door')::boolean IS TRUE THEN
            IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NULL; END IF;
        END IF;
        RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
    END"""
    name = _named(f"{TRAIL}_kept", body)
    whole = _named(f"{TRAIL}_whole", body)
    function = (
        "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS $audit$" + body + " $audit$"
    )
    return {
        name: [
            function.format(name),
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {TRAIL} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ],
        whole: [
            function.format(whole),
            f"CREATE TRIGGER {whole} BEFORE TRUNCATE ON {TRAIL} FOR EACH STATEMENT EXECUTE FUNCTION {whole}()",
        ],
    }


def _sqlite_refusal() -> dict[str, list[str]]:
    made = {}
    for event, unless in (("UPDATE", "TRUE"), ("DELETE", f"NOT {FUNCTION}('door')")):
        rules = f"BEFORE {event} ON {TRAIL} FOR EACH ROW WHEN {unless} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        name = _named(f"{TRAIL}_{event.lower()}", rules)
        made[name] = [f"CREATE TRIGGER {name} {rules}"]
    return made
