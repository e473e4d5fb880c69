"""What a patient wrote names the step of whoever answers it; so an index, and not a search, finds who waits."""

import django.db.models.deletion
from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("journeys", "0013_index_what_a_person_answers"),
        ("outreach", "0009_index_calls_of_a_clinic"),
    ]

    operations = [
        migrations.AddField(
            model_name="reply",
            name="matter",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="asked_in",
                to="journeys.step",
            ),
        ),
        AddIndexBesideTheWork(
            model_name="reply",
            index=models.Index(
                condition=models.Q(("matter__isnull", False)), fields=["matter"], name="reply_matter"
            ),
        ),
    ]
