"""How patients say it is going, for the reports: few answers among many, by their clinic and time."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outreach", "0013_complaints")]

    operations = [
        AddIndexBesideTheWork(
            model_name="reply",
            index=models.Index(
                condition=models.Q(("meaning__in", ["going_well", "going_so_so", "going_badly"])),
                fields=["clinic", "at"],
                name="reply_feelings",
            ),
        ),
    ]
