"""Nobody was asked why the standards that are off were switched off: a dash says so."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def say_nothing_is_known(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("clinic_journey", "Standard").objects.filter(is_on=False).update(off_because="–")


class Migration(migrations.Migration):
    dependencies = [("clinic_journey", "0018_a_standard_may_be_the_clinics_own")]

    operations = [migrations.RunPython(say_nothing_is_known, migrations.RunPython.noop)]
