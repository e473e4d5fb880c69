from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic_journey", "0009_managers_morning")]

    operations = [
        migrations.AddField(
            model_name="handover",
            name="public_id",
            field=models.UUIDField(editable=False, null=True),
        )
    ]
