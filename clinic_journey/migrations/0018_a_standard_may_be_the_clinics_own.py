"""A standard may be the clinic's own, has its own words for two minutes a day, and says why it is not counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic_journey", "0017_count_of_silent_patients")]

    operations = [
        migrations.AddField("standard", "is_own", models.BooleanField(default=False)),
        migrations.AddField(
            "standard",
            "off_because",
            models.CharField(blank=True, default="", max_length=200, verbose_name="Why it is not counted"),
            preserve_default=False,
        ),
        migrations.AddField(
            "standard",
            "own_routine",
            models.CharField(blank=True, default="", max_length=300, verbose_name="Two minutes a day"),
            preserve_default=False,
        ),
    ]
