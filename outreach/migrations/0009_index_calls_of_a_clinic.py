"""The calls of a clinic by their hour, however many contacts are planned elsewhere."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outreach", "0008_message_variants_and_own_words")]

    operations = [
        AddIndexBesideTheWork(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("channel", "phone"), ("status__in", ["planned", "sending"])),
                fields=["clinic", "send_at"],
                name="attempt_calls",
            ),
        ),
    ]
