"""The contacts a clinic has made, by when, however many years of others there are."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outreach", "0014_index_feelings")]

    operations = [
        AddIndexBesideTheWork(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("called_at__isnull", False)),
                fields=["clinic", "called_at"],
                name="attempt_made",
            ),
        ),
    ]
