"""The hours at which a patient can come, which are others than those at which a contact suits."""


import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0014_address_suspended'),
    ]

    operations = [
        migrations.AddField(
            model_name='servicecard',
            name='coming_told_at',
            field=models.DateTimeField(blank=True, help_text='When the patient said at which hours a visit suits.', null=True),
        ),
        migrations.CreateModel(
            name='ComingWindow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(help_text='Monday is 0.')),
                ('start', models.TimeField()),
                ('end', models.TimeField()),
                ('card', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='coming_windows', to='patients.servicecard')),
            ],
            options={
                'ordering': ['weekday', 'start'],
                'constraints': [models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='coming_window_weekday_is_0_to_6'), models.CheckConstraint(condition=models.Q(('start__lt', models.F('end'))), name='coming_window_start_before_end'), models.UniqueConstraint(fields=('card', 'weekday', 'start'), name='coming_window_start_once')],
            },
        ),
    ]
