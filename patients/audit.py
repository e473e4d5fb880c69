"""Who acts right now: known to every page, and told to the database with each statement that writes.

The origin of a request travels in the statement itself, not in the state of a connection, so nothing is left
behind on a connection that serves somebody else next. PostgreSQL's triggers read it from a comment before the
statement, SQLite's from a function of ours (clinic_journey/audit/triggers.py). Without a request it is the system.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery

from patients.models import AuditEvent, By, Patient

FUNCTION = "clinic_origin"  # in both databases


@dataclass(frozen=True)
class Origin:
    """Who did it, and from where."""

    by: str = By.SYSTEM
    actor: int | None = None
    ip: str = ""
    agent: str = ""
    request_id: str = ""
    door: bool = False


@dataclass
class Shown:
    """What the page of this request turned out to show; views say it where the address does not."""

    patients: dict[int, int] = field(default_factory=dict)  # key of the patient -> of the clinic
    rows: int | None = None


SYSTEM = Origin()
_acting: ContextVar[Callable[[], Origin] | None] = ContextVar("acting", default=None)
_writing: ContextVar[Origin] = ContextVar("writing", default=SYSTEM)
_shown: ContextVar[Shown | None] = ContextVar("shown", default=None)


@contextmanager
def request_of(origin: Callable[[], Origin]) -> Iterator[Shown]:
    """One request: `origin` is asked when something is written, as a token is looked at late."""
    acting, shown = _acting.set(origin), _shown.set(Shown())
    try:
        yield _shown.get() or Shown()
    finally:
        _shown.reset(shown)
        _acting.reset(acting)


@contextmanager
def open_door() -> Iterator[None]:
    """Removing old events, and bringing in a database with its own: commands that say so in the trail."""
    token = _acting.set(lambda: Origin(door=True))
    try:
        yield
    finally:
        _acting.reset(token)


def shows(*patients: Patient, rows: int | None = None) -> None:
    """Told by a view: whose records this page shows, or how many rows a list of many has."""
    shown = _shown.get()
    if shown is None:
        return
    shown.patients.update({patient.pk: patient.clinic_id for patient in patients})
    if rows is not None:
        shown.rows = rows


def record(*events: AuditEvent) -> None:
    """Append; an event that was written already (`once`) is left as it is.

    One statement is whole by itself: bulk_create() would begin and end a transaction around it, for every page.
    """
    fields = [field for field in AuditEvent._meta.concrete_fields if not field.primary_key]
    if events:
        insert = InsertQuery(AuditEvent, on_conflict=OnConflict.IGNORE)
        insert.insert_values(fields, list(events))
        insert.get_compiler(using=DEFAULT_DB_ALIAS).execute_sql()


def teach(connection: BaseDatabaseWrapper) -> None:
    """Have a fresh connection say with each write who acts."""
    if _with_origin not in connection.execute_wrappers:
        connection.execute_wrappers.append(_with_origin)
    if connection.vendor == "sqlite":
        connection.connection.create_function(FUNCTION, 1, _origin_field)


def _with_origin(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's signature
    acting = _acting.get()
    if acting is None or sql.startswith("SELECT"):
        return execute(sql, params, many, context)
    origin = acting()
    if context["connection"].vendor == "postgresql":
        said = json.dumps(asdict(origin)).encode().hex()  # no character of it means anything in SQL
        return execute(f"/*clinic {said}*/ {sql}", params, many, context)
    token = _writing.set(origin)
    try:
        return execute(sql, params, many, context)
    finally:
        _writing.reset(token)


def _origin_field(name: str) -> str | int | None:
    value: str | int | None = getattr(_writing.get(), name)
    return value
