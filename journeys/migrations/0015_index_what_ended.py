"""What ended in a week, for the reports: found by its clinic and time, however many years there are."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("journeys", "0014_hear_a_complaint")]

    operations = [
        AddIndexBesideTheWork(
            model_name="journey",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)),
                fields=["clinic", "ended_at"],
                name="journey_ended",
            ),
        ),
        AddIndexBesideTheWork(
            model_name="step",
            index=models.Index(
                condition=models.Q(("completed_at__isnull", False), ("template_step__isnull", False)),
                fields=["clinic", "completed_at"],
                name="step_ended",
            ),
        ),
    ]
