"""The silent tasks of a clinic in the order of their list, however many others are open."""

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SILENT = models.Q(status="open", unanswered__gte=2) | models.Q(
    status="given_up", outcome__in=("attempts_used", "no_address")
)


class AddIndexBesideTheWork(migrations.AddIndex):
    """Concurrently on PostgreSQL, where the table may be large and written all day."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.add_index(model, self.index, concurrently=True)  # type: ignore[call-arg]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outreach", "0005_count_unanswered_tries")]

    operations = [
        AddIndexBesideTheWork(
            model_name="outreachtask",
            index=models.Index(
                fields=["clinic", "deadline_at", "id"], name="outreach_task_silent", condition=SILENT
            ),
        ),
    ]
