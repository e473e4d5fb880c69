"""On PostgreSQL, a search that many fit reads one index in the order of the list, and no patient that does not fit.

The index of trigrams finds what few fit. SQLite knows no columns that an index only carries.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def create_index(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS patient_found_by_name"
            " ON patients_patient (clinic_id, family_name, given_name, id) INCLUDE (search_key, status)"
        )


def drop_index(_apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX CONCURRENTLY IF EXISTS patient_found_by_name")


class Migration(migrations.Migration):
    atomic = False  # an index is built beside the work that goes on

    dependencies = [("patients", "0010_messenger_addresses")]

    operations = [migrations.RunPython(create_index, drop_index)]
