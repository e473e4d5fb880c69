"""For migrations: an index or a constraint on a table that is large and written all day.

On PostgreSQL neither holds up who writes; the migration of each is not atomic.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.transaction import atomic


class AddIndexBesideTheWork(migrations.AddIndex):
    """Concurrently on PostgreSQL."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.add_index(model, self.index, concurrently=True)  # type: ignore[call-arg]


class AddUniqueBesideTheWork(migrations.AddConstraint):
    """One with a condition, which is an index: concurrently on PostgreSQL."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        sql = str(
            self.constraint.create_sql(to_state.apps.get_model(app_label, self.model_name), schema_editor)
        )
        schema_editor.execute(sql.replace("UNIQUE INDEX", "UNIQUE INDEX CONCURRENTLY", 1), params=None)


class ChangeCheckBesideTheWork(migrations.AddConstraint):
    """Another condition under the name of a CHECK that is there; PostgreSQL reads the rows once the lock is over."""

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.remove_constraint(app_label, self.model_name_lower, self.constraint.name)
        super().state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model, new = self._named(app_label, to_state)
        _model, old = self._named(app_label, from_state)
        late = schema_editor.connection.vendor == "postgresql"
        with atomic(schema_editor.connection.alias):
            schema_editor.remove_constraint(model, old)
            if late:
                schema_editor.execute(f"{new.create_sql(model, schema_editor)} NOT VALID", params=None)
            else:
                schema_editor.add_constraint(model, new)
        if late:
            table, name = (schema_editor.quote_name(each) for each in (model._meta.db_table, new.name))
            schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")

    database_backwards = database_forwards

    def _named(self, app_label: str, state: Any) -> tuple[Any, Any]:
        """The model as it is in that state, and its constraint of this name."""
        model = state.apps.get_model(app_label, self.model_name)
        return model, next(each for each in model._meta.constraints if each.name == self.constraint.name)
