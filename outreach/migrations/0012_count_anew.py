"""What a channel did not take is no silence any more: counted in chunks, beside the work that goes on."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CHUNK = 10_000
NOW_LEFT_OUT = "'refused', 'unfit', 'stopped', 'not_now'"
COUNTED = f"""
    UPDATE outreach_outreachtask SET unanswered = (
        SELECT COALESCE(SUM(
            CASE WHEN a.outcome IN ('wrong_number', 'bad_address', 'no_such_address') THEN 2 ELSE 1 END
        ), 0)
        FROM outreach_attempt a
        WHERE a.task_id = outreach_outreachtask.id AND a.status IN ('sent', 'delivered', 'failed', 'unknown')
            AND a.outcome NOT IN (
                'spoken', 'booked', 'confirmed', 'call_at', 'prefers_message', 'declined', 'asked_to_stop',
                'opted_out', 'needs_doctor', 'unreachable', 'login', 'busy', {NOW_LEFT_OUT}
            )
    )
    WHERE id >= %s AND id < %s AND EXISTS (
        SELECT 1 FROM outreach_attempt a
        WHERE a.task_id = outreach_outreachtask.id AND a.outcome IN ({NOW_LEFT_OUT})
    )"""  # noqa: S608 - our own words


def count_anew(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
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

    dependencies = [("outreach", "0011_decisions_and_automated_calls")]

    operations = [migrations.RunPython(count_anew, migrations.RunPython.noop)]
