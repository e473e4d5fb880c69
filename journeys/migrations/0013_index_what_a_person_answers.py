"""What a person answers in a clinic, by its clock and by when it was answered, however many steps there are."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("journeys", "0012_index_chases_of_a_clinic")]

    operations = [
        AddIndexBesideTheWork(
            model_name="step",
            index=models.Index(
                condition=models.Q(("kind", "call"), ("status", "active")),
                fields=["clinic", "due_at", "id"],
                name="step_calls_open",
            ),
        ),
        AddIndexBesideTheWork(
            model_name="step",
            index=models.Index(
                condition=models.Q(("kind", "call"), ("status", "completed")),
                fields=["clinic", "-completed_at", "-id"],
                name="step_calls_ended",
            ),
        ),
    ]
