"""Whose a step was before it became late and went to another role."""

from django.db import migrations, models

ROLES = [
    ("receptionist", "Reception"),
    ("doctor", "Doctor"),
    ("manager", "Manager"),
    ("partner", "Institute"),
    ("patient", "Patient"),
]


class Migration(migrations.Migration):
    dependencies = [("journeys", "0005_declined_needs_words")]

    operations = [
        migrations.AddField(
            model_name="step",
            name="passed_on_from",
            field=models.CharField(blank=True, choices=ROLES, db_default="", default="", max_length=16),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.CheckConstraint(
                condition=models.Q(passed_on_from__in=["", *(code for code, _name in ROLES)]),
                name="step_passed_on_from_is_known",
            ),
        ),
    ]
