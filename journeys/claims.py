"""The one claim, used by every watcher in the house, and the set-based rows that follow it.

A claim takes the rows whose alarm has rung, changes them so that they leave the alarm's partial index, and
returns them: one statement a batch, whatever its size. It is the only place that knows SKIP LOCKED,
and one of two that speak SQL, in both dialects (docs/decisions). Two workers never claim one row: on
PostgreSQL by the row locks, on SQLite because BEGIN IMMEDIATE lets one writer in at a time.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, models, transaction

BATCH = 2_000
PLANNING = 1  # of the locks that are no row's; the only kind so far
TICK_SHARE = 0.8  # of its interval: a tick stops there, so two runs of one tick rarely meet


@dataclass(frozen=True)
class Alarm:
    """What rings, and what claiming writes.

    `column` is the instant that rings, `armed` the SQL condition of its partial index, `takes` column -> SQL
    expression; the expressions may use %(now)s and further named parameters. `in_turn`: what rang at one instant, as
    all that was planned in one tick, is taken in the order in which it was made; its index ends with the key.
    """

    model: type[models.Model]
    column: str
    armed: str
    takes: Mapping[str, str]
    returns: Sequence[str] = ("id",)
    in_turn: bool = False

    def sql(self) -> str:
        table = self.model._meta.db_table
        changes = ", ".join(f"{column} = {expression}" for column, expression in self.takes.items())
        due = (
            f"SELECT id FROM {table} WHERE {self.armed} AND {self.column} <= %(now)s "  # noqa: S608 - names are ours
            f"ORDER BY {self.column}{', id' * self.in_turn} LIMIT %(limit)s"
        )
        returned = ", ".join(f"{table}.{column}" for column in self.returns)
        if connection.vendor == "postgresql":
            return (
                f"WITH due AS MATERIALIZED ({due} FOR NO KEY UPDATE SKIP LOCKED) "  # noqa: S608
                f"UPDATE {table} SET {changes} FROM due WHERE {table}.id = due.id RETURNING {returned}"
            )
        returned = ", ".join(self.returns)
        return f"UPDATE {table} SET {changes} WHERE id IN ({due}) RETURNING {returned}"  # noqa: S608


def claim_due(alarm: Alarm, *, now: datetime, limit: int = BATCH, **values: Any) -> list[tuple[Any, ...]]:
    """Claim up to `limit` rows whose alarm has rung at `now`, inside `atomic()`: `alarm.returns` of each."""
    with connection.cursor() as cursor:
        cursor.execute(alarm.sql(), {**adapted({"now": now, **values}), "limit": limit})
        return list(cursor.fetchall())


def adapted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Instants and UUIDs in the form in which the ORM itself stores them in this database."""
    return {name: _adapted(value) for name, value in values.items()}


def _adapted(value: object) -> object:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID):
        return str(value) if connection.features.has_native_uuid_field else value.hex
    return value


def batches(
    alarm: Alarm, *, now: datetime, limit: int = BATCH, lasts: timedelta, **values: Any
) -> Iterator[list[Any]]:
    """Yield claimed batches, each in its own transaction, until one is short or most of the tick is spent.

    The transaction is open while the caller handles the batch and commits when it asks for the next, so a
    crash in between leaves the batch unclaimed.
    """
    stop = monotonic() + lasts.total_seconds() * TICK_SHARE
    while True:
        with transaction.atomic():
            rows = claim_due(alarm, now=now, limit=limit, **values)
            if rows:
                yield rows
        if len(rows) < limit or monotonic() > stop:
            return


def alone_with(keys: Collection[int]) -> set[int]:
    """Of these keys, those that no other transaction holds in this way; ours until this transaction ends.

    It locks no row and never waits, so nobody else meets it. On SQLite whoever writes is alone anyway.
    """
    if connection.vendor != "postgresql":
        return set(keys)
    free = "pg_try_advisory_xact_lock(%s, hashint8(w.key))"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT w.key FROM unnest(%s::bigint[]) AS w(key) WHERE {free}",  # noqa: S608 - ours
            [sorted(keys), PLANNING],
        )
        return {row[0] for row in cursor.fetchall()}


@dataclass(frozen=True)
class Rows:
    """Rows to insert, one for each chosen row of `source` (alias s), joined and filtered as told.

    `unless` names the unique index, as ON CONFLICT does, whose rows stay as they are; naming it spares the
    database the look into all the others.
    """

    into: str
    columns: Mapping[str, str]  # column -> SQL expression over s and the joined tables
    source: str
    joins: str = ""
    where: str = "TRUE"
    unless: str = ""


def insert_for(rows: Rows, *, ids: Sequence[int], **values: Any) -> int:
    """Insert `rows` for the ids given, in their order and in one statement; returns how many.

    Rows that the index of `rows.unless` already holds are left as they are: the constraint is for safety.
    """
    if not ids:
        return 0
    names = ", ".join(rows.columns)
    expressions = ", ".join(rows.columns.values())
    if connection.vendor == "postgresql":
        wanted, key, listed = (
            "unnest(%(ids)s::bigint[]) WITH ORDINALITY AS w(id, key)",
            "w.id",
            "{" + ",".join(map(str, ids)) + "}",
        )
    else:
        wanted, key, listed = "json_each(%(ids)s) AS w", "w.value", "[" + ",".join(map(str, ids)) + "]"
    held = f" ON CONFLICT {rows.unless} DO NOTHING" if rows.unless else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {rows.into} ({names}) SELECT {expressions} FROM {wanted} "  # noqa: S608 - names are ours
            f"CROSS JOIN {rows.source} s {rows.joins} WHERE s.id = {key} AND {rows.where} ORDER BY w.key{held}",
            {**adapted(values), "ids": listed},
        )
        return int(cursor.rowcount)


@dataclass(frozen=True)
class Changes:
    """What many rows of one table get, each its own: `given` names the values of a row (alias v) and their types
    on PostgreSQL, `id` among them; `takes` column -> SQL expression over v and the table's columns. A row that is
    not as `where` says any more is left alone.
    """

    model: type[models.Model]
    given: Mapping[str, str]
    takes: Mapping[str, str]
    where: str

    def sql(self, rows: str = "rows", *, of_one: bool = False) -> str:
        """`rows` names the parameter with the values; `of_one`: it holds one row at most, which PostgreSQL then finds
        by its key. Of many it expects a hundred, and would look at every row that may be among them.
        """
        table = self.model._meta.db_table
        changes = ", ".join(f"{column} = {expression}" for column, expression in self.takes.items())
        if connection.vendor == "postgresql":
            given, returned = self._given(f"%({rows})s::json", of_one=of_one), f"{table}.id"
        else:
            picked = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in self.given)
            given, returned = f"(SELECT {picked} FROM json_each(%({rows})s)) AS v", "id"  # noqa: S608 - names are ours
        holds = f"{table}.id = v.id AND {self.where}"
        return f"UPDATE {table} SET {changes} FROM {given} WHERE {holds} RETURNING {returned}"  # noqa: S608

    def _given(self, rows: str, *, of_one: bool) -> str:
        if of_one:
            picked = ", ".join(
                f"({rows}->0->>'{name}')::{kind} AS {name}" for name, kind in self.given.items()
            )
            return f"(SELECT {picked}) AS v"
        typed = ", ".join(f"{name} {kind}" for name, kind in self.given.items())
        return f"json_to_recordset({rows}) AS v({typed})"


Given = Sequence[Mapping[str, Any]]


def change_each(changes: Changes, rows: Given, **values: Any) -> set[int]:
    """Change the rows in one statement, each as given; returns the keys of those that were changed."""
    with connection.cursor() as cursor:
        cursor.execute(changes.sql(), {**adapted(values), "rows": _written(rows)})
        return {row[0] for row in cursor.fetchall()}


class Both:
    """Two changes of different rows in one commit, made over and over: where that is possible in one statement, which
    the database plans once. `values` are the same each time, but for `now`; `of_one`: at most one row of each.
    """

    def __init__(self, first: Changes, second: Changes, *, of_one: bool, **values: Any) -> None:
        self._first, self._second, self._values, self._of_one = first, second, values, of_one
        self._name = ""

    def change(self, first: Given, second: Given, *, now: datetime) -> set[int]:
        """Returns the keys of the second's."""
        if connection.vendor != "postgresql":
            with transaction.atomic():
                change_each(self._first, first)
                return change_each(self._second, second, now=now, **self._values)
        with connection.cursor() as cursor:
            if not self._name:
                self._name = f"both_{uuid4().hex}"
                own = {name: f"%({name})s" for name in self._values} | OWN
                first_sql = self._first.sql("first", of_one=self._of_one)
                sql = f"WITH first AS ({first_sql}) {self._second.sql(of_one=self._of_one)}" % own
                cursor.execute(f"PREPARE {self._name} (json, json, timestamptz) AS {sql}", self._values)
            given = (_written(first), _written(second), now)
            cursor.execute(f"EXECUTE {self._name} (%s, %s, %s)", given)
            return {row[0] for row in cursor.fetchall()}

    def over(self) -> None:
        if self._name:
            with connection.cursor() as cursor:
                cursor.execute(f"DEALLOCATE {self._name}")


OWN = {"first": "$1", "rows": "$2", "now": "$3"}  # of the parameters, those that change


def _written(rows: Given) -> str:
    """Values as one parameter, in both databases."""
    return json.dumps([adapted(row) for row in rows], default=str)
