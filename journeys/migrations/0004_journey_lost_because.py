"""A journey is given up only with the patient's own words, or when every way was tried."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("journeys", "0003_keep_our_own_titles_in_each_language")]

    operations = [
        migrations.AddField(
            model_name="journey",
            name="lost_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Not lost"),
                    ("own_words", "The patient said so"),
                    ("ruled_out", "Every way to reach the patient was tried"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(model_name="journey", name="lost_words", field=models.TextField(blank=True)),
        migrations.AddConstraint(
            model_name="journey",
            constraint=models.CheckConstraint(
                condition=models.Q(lost_because__in=["", "own_words", "ruled_out"]),
                name="journey_lost_because_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="journey",
            constraint=models.CheckConstraint(
                condition=models.Q(lost_because="") | models.Q(status="cancelled"),
                name="lost_journey_is_cancelled",
            ),
        ),
        migrations.AddConstraint(
            model_name="journey",
            constraint=models.CheckConstraint(
                condition=~models.Q(lost_because="own_words") | ~models.Q(lost_words=""),
                name="journey_lost_by_own_words_has_the_words",
            ),
        ),
    ]
