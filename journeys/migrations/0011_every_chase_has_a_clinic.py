"""A chase has its clinic, and nothing else has one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("journeys", "0010_fill_the_clinic_of_chases")]

    operations = [
        migrations.AddConstraint(
            model_name="stepevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("clinic__isnull", False), ("kind", "chased"))
                | models.Q(models.Q(("kind", "chased"), _negated=True), ("clinic__isnull", True)),
                name="step_event_chase_has_a_clinic",
            ),
        ),
    ]
