"""What a clinic holds itself to, and how each day went."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic_journey', '0005_where_patients_get_stuck'),
        ('patients', '0013_automated_calls'),
    ]

    operations = [
        migrations.CreateModel(
            name='Standard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.SlugField(max_length=40)),
                ('measure', models.SlugField(max_length=40)),
                ('source', models.CharField(choices=[('result', 'a result arrives'), ('decision', 'the doctor decides'), ('referral', 'a referral is made'), ('visit', 'a patient comes to a visit'), ('attended', 'a visit is over'), ('question', 'somebody asks what we offer'), ('promise', 'a promise comes due'), ('late', "a patient's step is late"), ('given_up', 'the machine gives up on a patient'), ('words', 'a patient writes to us'), ('contact', 'we contact a patient who told us her hours'), ('message', 'a message leaves')], max_length=10)),
                ('foundation', models.PositiveSmallIntegerField(choices=[(1, 'Standards, kept exactly and every day'), (2, 'One step above what is expected'), (3, 'Good answers to real needs'), (4, 'Sincerity'), (5, 'Trust'), (6, 'Visible, reachable, responsive'), (7, 'Dialogue: listen first'), (8, "The patient's own language"), (9, 'A genuine thank-you')])),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('names', models.JSONField(default=dict)),
                ('routines', models.JSONField(default=dict)),
                ('limit_amount', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='Within')),
                ('limit_unit', models.CharField(blank=True, choices=[('minutes', 'minutes'), ('hours', 'hours'), ('days', 'days'), ('months', 'months'), ('working_hours', 'working_hours'), ('working_days', 'working_days'), ('same_day', 'same_day')], max_length=16, verbose_name='counted in')),
                ('goal', models.PositiveSmallIntegerField(verbose_name='Goal, in percent')),
                ('is_on', models.BooleanField(default=True, verbose_name='counted')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='standards', to='patients.clinic')),
            ],
            options={
                'ordering': ['position', 'key'],
            },
        ),
        migrations.CreateModel(
            name='StandardDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('met', models.PositiveIntegerField()),
                ('counted', models.PositiveIntegerField()),
                ('written_at', models.DateTimeField()),
                ('standard', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='days', to='clinic_journey.standard')),
            ],
        ),
        migrations.AddConstraint(
            model_name='standard',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['result', 'decision', 'referral', 'visit', 'attended', 'question', 'promise', 'late', 'given_up', 'words', 'contact', 'message'])), name='standard_source_is_known'),
        ),
        migrations.AddConstraint(
            model_name='standard',
            constraint=models.CheckConstraint(condition=models.Q(('foundation__gte', 1), ('foundation__lte', 9)), name='standard_foundation_is_known'),
        ),
        migrations.AddConstraint(
            model_name='standard',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('limit_amount__isnull', True), ('limit_unit', '')), models.Q(('limit_amount__gte', 1), ('limit_amount__isnull', False), ('limit_unit__in', ['minutes', 'hours', 'days', 'working_hours', 'working_days', 'same_day'])), _connector='OR'), name='standard_limit_is_an_amount_of_a_known_unit'),
        ),
        migrations.AddConstraint(
            model_name='standard',
            constraint=models.CheckConstraint(condition=models.Q(('goal__gte', 1), ('goal__lte', 100)), name='standard_goal_is_1_to_100_percent'),
        ),
        migrations.AddConstraint(
            model_name='standard',
            constraint=models.UniqueConstraint(fields=('clinic', 'key'), name='standard_once_per_clinic'),
        ),
        migrations.AddConstraint(
            model_name='standardday',
            constraint=models.UniqueConstraint(fields=('standard', 'on'), name='standard_day_once'),
        ),
        migrations.AddConstraint(
            model_name='standardday',
            constraint=models.CheckConstraint(condition=models.Q(('met__lte', models.F('counted'))), name='standard_day_keeps_no_more_than_it_counts'),
        ),
    ]
