"""A name for each handover there is: few, and each its own."""

from typing import Any
from uuid import uuid4

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def name(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    handovers = apps.get_model("clinic_journey", "Handover").objects
    for key in handovers.filter(public_id=None).values_list("pk", flat=True):
        handovers.filter(pk=key).update(public_id=uuid4())


class Migration(migrations.Migration):
    dependencies = [("clinic_journey", "0010_name_of_a_handover")]

    operations = [migrations.RunPython(name, migrations.RunPython.noop)]
