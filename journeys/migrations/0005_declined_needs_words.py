"""A step ends "declined" only with the patient's words; older ones say that nobody wrote them down."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def say_that_none_were_written(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    steps = apps.get_model("journeys", "Step").objects
    steps.filter(outcome="declined", note="").update(note="(no words were written down)")


class Migration(migrations.Migration):
    dependencies = [("journeys", "0004_journey_lost_because")]

    operations = [
        migrations.RunPython(say_that_none_were_written, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.CheckConstraint(
                condition=~models.Q(outcome="declined") | ~models.Q(note=""),
                name="declined_step_has_the_patients_words",
            ),
        ),
    ]
