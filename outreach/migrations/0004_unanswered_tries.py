"""How often a contact was tried in vain, on its task."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outreach", "0003_fewer_indexes")]

    operations = [
        migrations.AddField(
            model_name="outreachtask",
            name="unanswered",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
    ]
