"""The silent tasks of a clinic in the order of their list, however many others are open."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork

SILENT = models.Q(status="open", unanswered__gte=2) | models.Q(
    status="given_up", outcome__in=("attempts_used", "no_address")
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outreach", "0005_count_unanswered_tries")]

    operations = [
        AddIndexBesideTheWork(
            model_name="outreachtask",
            index=models.Index(
                fields=["clinic", "deadline_at", "id"], name="outreach_task_silent", condition=SILENT
            ),
        ),
    ]
