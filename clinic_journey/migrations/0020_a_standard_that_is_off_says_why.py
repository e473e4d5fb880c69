from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("clinic_journey", "0019_say_why_standards_are_off")]

    operations = [
        migrations.AddConstraint(
            "standard",
            models.CheckConstraint(
                condition=Q(is_on=True, off_because="") | (Q(is_on=False) & ~Q(off_because="")),
                name="standard_that_is_off_says_why",
            ),
        )
    ]
