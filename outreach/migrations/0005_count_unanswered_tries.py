"""Fill it for the tasks that may still be silent: in chunks, beside the work that goes on."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CHUNK = 10_000
ANSWERED = (
    "'spoken', 'booked', 'confirmed', 'call_at', 'prefers_message', 'declined', 'asked_to_stop', 'opted_out',"
    " 'needs_doctor'"
)
KEPT_BACK = "'unreachable', 'login', 'busy'"
COUNTED = f"""
    UPDATE outreach_outreachtask SET unanswered = (
        SELECT COALESCE(SUM(
            CASE WHEN a.outcome IN ('wrong_number', 'bad_address', 'no_such_address') THEN 2 ELSE 1 END
        ), 0)
        FROM outreach_attempt a
        WHERE a.task_id = outreach_outreachtask.id AND a.status IN ('sent', 'delivered', 'failed', 'unknown')
            AND a.outcome NOT IN ({ANSWERED}, {KEPT_BACK})
    )
    WHERE id >= %s AND id < %s AND EXISTS (
        SELECT 1 FROM outreach_attempt a
        WHERE a.task_id = outreach_outreachtask.id AND a.status IN ('sent', 'delivered', 'failed', 'unknown')
    )"""  # noqa: S608 - our own words


def count(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    tasks = apps.get_model("outreach", "OutreachTask").objects
    first = tasks.order_by("pk").values_list("pk", flat=True).first()
    last = tasks.order_by("-pk").values_list("pk", flat=True).first()
    if first is None or last is None:
        return
    with schema_editor.connection.cursor() as cursor:
        for start in range(first, last + 1, CHUNK):
            cursor.execute(COUNTED, [start, start + CHUNK])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outreach", "0004_unanswered_tries")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
