"""The clinic stands with a chase itself, so that a ledger is read without those of other clinics."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("journeys", "0008_mend_what_does_not_work"),
        ("patients", "0010_messenger_addresses"),
    ]

    operations = [
        migrations.AddField(
            model_name="stepevent",
            name="clinic",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="patients.clinic",
            ),
        ),
    ]
