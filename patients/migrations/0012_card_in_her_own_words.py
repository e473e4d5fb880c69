"""Whether a card was told at the desk or written by the patient, with her own words; and who she says she is.

Cards that were told before leave their source open: some were told by a reply or through a link.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0011_search_in_the_order_of_names'),
    ]

    operations = [
        migrations.AddField(
            model_name='servicecard',
            name='source',
            field=models.CharField(blank=True, choices=[('desk', 'Told at the desk'), ('patient', 'Written by the patient on her own page')], db_default='', default='', max_length=8),
        ),
        migrations.AddField(
            model_name='servicecard',
            name='words',
            field=models.CharField(blank=True, db_default='', default='', help_text='What she added, as she said it.', max_length=300),
        ),
        migrations.AddConstraint(
            model_name='servicecard',
            constraint=models.CheckConstraint(condition=models.Q(('source', ''), models.Q(('source__in', ['desk', 'patient']), ('told_at__isnull', False)), _connector='OR'), name='service_card_source_is_known_and_told'),
        ),
        migrations.CreateModel(
            name='IdentityTries',
            fields=[
                ('patient', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='patients.patient')),
                ('failed', models.PositiveSmallIntegerField(default=0)),
                ('first_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('failed__lte', 5)), name='identity_tries_at_most_five'),
                    models.CheckConstraint(condition=models.Q(models.Q(('failed', 0), ('first_at__isnull', True)), models.Q(('failed__gt', 0), ('first_at__isnull', False)), _connector='OR'), name='identity_tries_say_since_when'),
                ],
            },
        ),
    ]
