"""What waits for a decision, what was decided last, and referrals without a held visit: found among years of others."""

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("referrals", "0004_institute_phone")]

    operations = [
        AddIndexBesideTheWork(
            model_name="result",
            index=models.Index(
                condition=models.Q(("decision", "")), fields=["referral"], name="result_undecided"
            ),
        ),
        AddIndexBesideTheWork(
            model_name="result",
            index=models.Index(
                condition=models.Q(("decided_at__isnull", False)), fields=["decided_at"], name="result_decided"
            ),
        ),
        AddIndexBesideTheWork(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("hold_refused_because", ""), _negated=True),
                fields=["clinic", "-made_at"],
                name="referral_without_hold",
            ),
        ),
    ]
