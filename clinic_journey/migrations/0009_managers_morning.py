"""When a manager wants her morning by e-mail, and that she has had it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic_journey', '0008_what_a_visit_is_worth'),
        ('patients', '0013_automated_calls'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Digest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.PositiveSmallIntegerField(default=8, verbose_name='At what hour')),
                ('language', models.CharField(choices=[('en', 'English'), ('he', 'Hebrew'), ('ru', 'Russian'), ('ar', 'Arabic')], max_length=2, verbose_name='In which language')),
                ('is_on', models.BooleanField(default=True, verbose_name='By e-mail, too')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='digests', to='patients.clinic')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='digests', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('language__in', ['en', 'he', 'ru', 'ar'])), name='digest_language_is_known'), models.CheckConstraint(condition=models.Q(('hour__gte', 0), ('hour__lte', 23)), name='digest_hour_is_0_to_23'), models.UniqueConstraint(fields=('user', 'clinic'), name='digest_once_per_user_and_clinic')],
            },
        ),
        migrations.CreateModel(
            name='DigestSent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('claimed_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('trouble', models.CharField(blank=True, max_length=40)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.clinic')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'clinic', 'on'), name='digest_sent_once_a_day')],
            },
        ),
    ]
