"""The chases of one clinic in the order of their list, however many others there are."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("journeys", "0011_every_chase_has_a_clinic")]

    operations = [
        AddIndexBesideTheWork(
            model_name="stepevent",
            index=models.Index(
                fields=["clinic", "at", "id"], name="step_event_ledger", condition=models.Q(kind="chased")
            ),
        ),
        migrations.RemoveIndex(model_name="stepevent", name="step_event_chases"),
    ]
