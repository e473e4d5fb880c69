"""What a visit is worth to a clinic, where no price says it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic_journey', '0007_handover'),
        ('patients', '0013_automated_calls'),
    ]

    operations = [
        migrations.CreateModel(
            name='VisitValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=9)),
                ('currency', models.CharField(choices=[('ILS', '₪'), ('USD', '$'), ('EUR', '€'), ('GBP', '£'), ('RUB', '₽'), ('UAH', '₴'), ('KZT', '₸')], max_length=3)),
                ('clinic', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='visit_value', to='patients.clinic')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('currency__in', ['ILS', 'USD', 'EUR', 'GBP', 'RUB', 'UAH', 'KZT'])), name='visit_value_currency_is_known'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='visit_value_is_more_than_nothing')],
            },
        ),
    ]
