"""What somebody else wrote who is not she is no matter to answer; the step that checks the address ends with that."""

from typing import Any

from django.db import migrations


def set_apart(apps: Any, _schema_editor: object) -> None:
    said = apps.get_model("outreach", "Reply").objects.filter(meaning="not_me", matter__isnull=False)
    checks = apps.get_model("journeys", "Step").objects.filter(
        pk__in=said.values("step"), kind="call", status__in=["active", "on_hold"], template_step=None
    )
    checks.update(ends_with="address_checked")
    said.update(matter=None)


class Migration(migrations.Migration):
    dependencies = [
        ("outreach", "0023_came_of_age"),
        ("journeys", "0019_step_that_only_one_outcome_ends"),
    ]

    operations = [migrations.RunPython(set_apart, migrations.RunPython.noop, elidable=True)]
