"""The clinic of the chases there are: in chunks, beside the work that goes on."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery

CHUNK = 500


def fill(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    steps = apps.get_model("journeys", "Step").objects.filter(pk=OuterRef("step_id"))
    events = apps.get_model("journeys", "StepEvent").objects
    without = events.filter(kind="chased", clinic=None).order_by().values_list("pk", flat=True)
    while chunk := list(without[:CHUNK]):
        events.filter(pk__in=chunk).update(clinic_id=Subquery(steps.values("clinic_id")[:1]))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("journeys", "0009_clinic_of_a_chase")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
