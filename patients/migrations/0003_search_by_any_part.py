"""On PostgreSQL, an index of trigrams finds any part of a name or number among a million patients.

pg_trgm comes with PostgreSQL itself and may be installed by the owner of the database. SQLite reads the
clinic's patients instead, which at its sizes is quick enough.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def create_index(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        schema_editor.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS patient_by_any_part"
            " ON patients_patient USING gin (search_key gin_trgm_ops)"
        )


def drop_index(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX CONCURRENTLY IF EXISTS patient_by_any_part")


class Migration(migrations.Migration):
    atomic = False  # an index is built beside the work that goes on

    dependencies = [("patients", "0002_client_request")]

    operations = [migrations.RunPython(create_index, drop_index)]
