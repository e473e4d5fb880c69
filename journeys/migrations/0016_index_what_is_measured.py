"""Reviews, news and thanks of a clinic by when they began: what its standards ask of the days not counted yet."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("journeys", "0015_index_what_ended")]

    operations = [
        AddIndexBesideTheWork(
            model_name="step",
            index=models.Index(
                condition=models.Q(("kind__in", ["review", "tell", "thank"])),
                fields=["clinic", "kind", "opened_at"],
                name="step_measured",
            ),
        ),
    ]
