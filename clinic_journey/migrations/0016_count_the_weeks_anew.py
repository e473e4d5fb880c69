"""The weeks hold more than before, so the next tick counts them from the first one on."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget_how_far(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("clinic_journey", "SummaryClock").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("clinic_journey", "0015_own_language")]

    operations = [migrations.RunPython(forget_how_far, migrations.RunPython.noop)]
