import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic_journey", "0011_name_the_handovers_there_are")]

    operations = [
        migrations.AlterField(
            model_name="handover",
            name="public_id",
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
        )
    ]
