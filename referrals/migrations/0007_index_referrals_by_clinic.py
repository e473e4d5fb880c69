"""The referrals of a clinic by when they were made."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("referrals", "0006_letters_of_patients")]

    operations = [
        AddIndexBesideTheWork(
            model_name="referral",
            index=models.Index(fields=["clinic", "made_at"], name="referral_by_clinic"),
        ),
    ]
